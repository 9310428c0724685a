//! renew: the heartbeat.

use jobq::broker::Renewed;

use crate::fixture::{Fixture, Given};

pub(crate) async fn raises_the_counter(f: Fixture) {
    let mut worker = f.member().await;
    worker.renew().await;
    assert_eq!(f.counter(&worker.id).await, Some(2));
    assert_eq!(worker.known, 2);
}

pub(crate) async fn joins_a_worker_that_is_new(f: Fixture) {
    let mut worker = f.worker();
    worker.renew().await;
    assert_eq!(f.counter(&worker.id).await, Some(1));
}

pub(crate) async fn answers_what_the_worker_owns(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue(&["a", "b", "c"]).await;
    worker.claim(2).await;
    worker.be_handed(1).await;
    f.suspect(&["s"]).await;
    f.pause().await;
    let answer = Renewed::Alive {
        counter: worker.known + 1,
        in_flight: 2,
        handoff: 1,
        paused: true,
        suspects: 1,
    };
    assert_eq!(worker.renew().await, answer);
}

pub(crate) async fn sent_again_it_only_counts_on(f: Fixture) {
    f.enqueue(&["a"]).await;
    let mut worker = f.member().await;
    worker.claim(1).await;
    let (mut lost, before) = (worker.clone(), worker.known);
    lost.renew().await;
    worker.renew().await;
    assert_eq!(worker.known, before + 2);
    assert_eq!(worker.held().await.len(), 1);
}

pub(crate) async fn the_counter_passes_what_the_worker_knows(f: Fixture) {
    let mut worker = f.member().await;
    worker.known = 99;
    worker.renew().await;
    assert_eq!(f.counter(&worker.id).await, Some(100));
}

/// Tokens of a claim behind a renew are new too: both count with one counter.
pub(crate) async fn shares_its_counter_with_claims(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    let mut worker = f.member().await;
    let first = worker.claim(1).await.token();
    worker.renew().await;
    let second = worker.claim(1).await.token();
    assert_eq!(second.claim, first.claim + 2);
}

pub(crate) async fn one_who_knows_a_counter_and_is_no_member_is_reaped(f: Fixture) {
    let mut worker = f.worker();
    worker.known = 1;
    assert_eq!(worker.renew().await, Renewed::Reaped);
    assert_eq!(f.counter(&worker.id).await, None);
}

pub(crate) async fn one_being_adopted_is_reaped(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    let (mut dead, mut reaper) = (f.member().await, f.member().await);
    dead.claim(2).await;
    reaper.adopt(&dead.id, Some(dead.known), 1).await;
    assert_eq!(dead.renew().await, Renewed::Reaped);
    assert_eq!(f.counter(&dead.id).await, Some(0));
}

pub(crate) async fn one_that_was_adopted_is_reaped(f: Fixture) {
    let (mut dead, mut reaper) = (f.member().await, f.member().await);
    reaper.adopt_all(&dead).await;
    assert_eq!(dead.renew().await, Renewed::Reaped);
    assert_eq!(f.counter(&dead.id).await, None);
}
