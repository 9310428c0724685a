//! Suspects: claimed one at a time, by a claim that asks for one.

use jobq::broker::Claim;

use crate::fixture::{Fixture, Given, granted};

pub(crate) async fn a_plain_claim_leaves_them_and_counts_them(f: Fixture) {
    f.suspect(&["s", "t"]).await;
    f.enqueue(&["a"]).await;
    let grant = f.member().await.claim(10).await;
    assert_eq!(grant.names(), ["a"]);
    assert_eq!(grant.suspects, 2);
    assert_eq!(f.stats().await.suspects, 2);
}

pub(crate) async fn one_who_asks_gets_the_oldest_alone(f: Fixture) {
    f.suspect(&["s", "t"]).await;
    f.enqueue(&["a"]).await;
    let mut worker = f.member().await;
    let grant = worker.claim_suspect().await;
    assert_eq!(grant.names(), ["s"]);
    assert_eq!(grant.suspects, 1);
    assert!(worker.ack(grant.token()).await);
    assert_eq!(worker.claim_suspect().await.names(), ["t"]);
    assert_eq!(f.ready().await, ["a"]);
}

pub(crate) async fn one_who_asks_for_one_gets_no_other_job(f: Fixture) {
    f.enqueue(&["a"]).await;
    let grant = f.member().await.claim_suspect().await;
    assert!(grant.envelopes.is_empty());
    assert_eq!(grant.suspects, 0);
    assert_eq!(f.ready().await, ["a"]);
}

pub(crate) async fn one_who_asks_for_one_and_wants_no_job_gets_none(f: Fixture) {
    f.suspect(&["s"]).await;
    let mut worker = f.member().await;
    let claim = Claim {
        suspect: true,
        ..worker.claim_request(0)
    };
    let grant = granted(worker.try_claim(&claim).await);
    assert!(grant.envelopes.is_empty());
    assert_eq!(grant.suspects, 1);
}

pub(crate) async fn asking_for_one_leaves_the_handoff_alone(f: Fixture) {
    f.suspect(&["s"]).await;
    let mut worker = f.member().await;
    f.enqueue(&["a"]).await;
    worker.be_handed(1).await;
    assert_eq!(worker.claim_suspect().await.names(), ["s"]);
    assert_eq!(worker.handed().await, 1);
    assert_eq!(worker.claim(1).await.names(), ["a"]);
}

pub(crate) async fn a_paused_queue_gives_none(f: Fixture) {
    f.suspect(&["s"]).await;
    f.pause().await;
    let grant = f.member().await.claim_suspect().await;
    assert!(grant.paused && grant.envelopes.is_empty());
    assert_eq!(grant.suspects, 1);
}

pub(crate) async fn one_in_flight_is_adopted_like_any_other(f: Fixture) {
    f.suspect(&["s"]).await;
    let (mut dead, mut reaper) = (f.member().await, f.member().await);
    dead.claim_suspect().await;
    let grant = reaper.adopt_all(&dead).await;
    assert_eq!(grant.names(), ["s"]);
    assert!(reaper.ack(grant.token()).await);
}
