//! leave: the end of a membership.

use jobq::broker::Claimed;

use crate::fixture::{Fixture, Given, granted};

pub(crate) async fn ends_the_membership(f: Fixture) {
    let worker = f.member().await;
    assert!(worker.leave().await);
    assert_eq!(f.counter(&worker.id).await, None);
}

pub(crate) async fn is_refused_with_a_job_in_flight(f: Fixture) {
    f.enqueue(&["a"]).await;
    let mut worker = f.member().await;
    let token = worker.claim(1).await.token();
    assert!(!worker.leave().await);
    assert_eq!(f.counter(&worker.id).await, Some(worker.known));
    assert!(worker.ack(token).await);
    assert!(worker.leave().await);
}

pub(crate) async fn is_refused_with_a_job_in_the_handoff(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue(&["a"]).await;
    worker.be_handed(1).await;
    assert!(!worker.leave().await);
    worker.claim(0).await;
    assert!(worker.leave().await);
    assert_eq!(f.ready().await, ["a"]);
}

pub(crate) async fn sent_again_it_is_still_gone(f: Fixture) {
    let worker = f.member().await;
    assert!(worker.leave().await);
    assert!(worker.leave().await);
}

pub(crate) async fn one_that_never_joined_is_gone(f: Fixture) {
    assert!(f.worker().leave().await);
}

pub(crate) async fn one_being_adopted_may_not_leave(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    let (mut dead, mut reaper) = (f.member().await, f.member().await);
    dead.claim(2).await;
    reaper.adopt(&dead.id, Some(dead.known), 1).await;
    assert!(!dead.leave().await);
    assert_eq!(f.counter(&dead.id).await, Some(0));
}

pub(crate) async fn others_stay(f: Fixture) {
    let (one, other) = (f.member().await, f.member().await);
    assert!(one.leave().await);
    assert_eq!(f.counter(&other.id).await, Some(other.known));
}

/// A claim that was slow on its way must not make a member of one who has left.
pub(crate) async fn a_claim_from_before_it_is_reaped(f: Fixture) {
    f.enqueue(&["a"]).await;
    let mut worker = f.member().await;
    let late = worker.claim_request(1);
    assert!(worker.leave().await);
    assert_eq!(worker.try_claim(&late).await, Claimed::Reaped);
    assert_eq!(f.ready().await, ["a"]);
}

/// A joining claim can come late or twice: it must not give a token out again, as a settle of the
/// membership before may still be on its way.
pub(crate) async fn one_who_joins_again_gets_new_tokens(f: Fixture) {
    let mut worker = f.worker();
    f.enqueue(&["a", "b"]).await;
    let late = worker.claim_request(1);
    let old = worker.claim(1).await.token();
    assert!(worker.ack(old).await);
    assert!(worker.leave().await);
    let again = granted(f.broker.claim(&late).await.expect("claim"));
    assert_eq!(again.names(), ["b"]);
    assert!(again.token().claim > old.claim);
    assert!(!worker.ack(old).await);
}
