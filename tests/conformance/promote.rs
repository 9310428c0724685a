//! promote: delayed → ready, by the queue's timekeeper.

use std::time::Duration;

use jobq::broker::{Due, Promoted};
use jobq::{At, JobState};

use crate::fixture::{Fixture, HOURS, Worker, numbered, strs};

const PAST: Due = Due::At(At::from_ms(1));

async fn promote(worker: &Worker) -> Promoted {
    let Worker { fixture, id, .. } = worker;
    let promoted = fixture.broker.promote(&fixture.queue, id).await;
    promoted.expect("promote")
}

pub(crate) async fn the_first_who_asks_takes_office(f: Fixture) {
    let promoted = promote(&f.member().await).await;
    assert!(promoted.timekeeper);
    assert_eq!((promoted.moved, promoted.next_due), (0, None));
}

pub(crate) async fn another_is_refused_and_moves_nothing(f: Fixture) {
    let (first, second) = (f.member().await, f.member().await);
    promote(&first).await;
    f.enqueue_due(&["due"], PAST).await;
    let refused = promote(&second).await;
    assert!(!refused.timekeeper);
    assert_eq!(refused.moved, 0);
    assert_eq!(f.names(JobState::Delayed).await, ["due"]);
    assert_eq!(promote(&first).await.moved, 1);
}

pub(crate) async fn each_queue_has_its_own_office(f: Fixture) {
    let (here, there) = (f.member().await, f.on("other").member().await);
    assert!(promote(&here).await.timekeeper);
    assert!(promote(&there).await.timekeeper);
}

pub(crate) async fn one_who_leaves_gives_the_office_up(f: Fixture) {
    let (first, second) = (f.member().await, f.member().await);
    promote(&first).await;
    assert!(first.leave().await);
    assert!(promote(&second).await.timekeeper);
}

pub(crate) async fn one_who_leaves_without_the_office_does_not_free_it(f: Fixture) {
    let (first, second, third) = (f.member().await, f.member().await, f.member().await);
    promote(&first).await;
    assert!(second.leave().await);
    assert!(!promote(&third).await.timekeeper);
}

pub(crate) async fn an_office_not_kept_passes_on(f: Fixture) {
    let (first, second) = (f.member().await, f.member().await);
    promote(&first).await;
    let took_over = async || promote(&second).await.timekeeper.then_some(());
    support::eventually("the office to lapse", took_over).await;
    assert!(!promote(&first).await.timekeeper);
}

pub(crate) async fn what_is_due_goes_to_the_front_by_its_time(f: Fixture) {
    f.enqueue(&["ready"]).await;
    for (name, ms) in [("second", 2), ("third", 3), ("first", 1)] {
        f.enqueue_due(&[name], Due::At(At::from_ms(ms))).await;
    }
    assert_eq!(
        promote(&f.member().await).await.moved,
        0,
        "the join moved them"
    );
    assert_eq!(f.ready().await, ["first", "second", "third", "ready"]);
    f.enqueue_due(&["b", "a"], PAST).await;
    assert_eq!(promote(&f.worker()).await.moved, 0, "another is in office");
}

pub(crate) async fn a_worker_that_is_no_member_may_promote(f: Fixture) {
    f.enqueue_due(&["b"], Due::At(At::from_ms(2))).await;
    f.enqueue_due(&["a"], PAST).await;
    assert_eq!(promote(&f.worker()).await.moved, 2);
    assert_eq!(f.ready().await, ["a", "b"]);
}

pub(crate) async fn moves_at_most_a_hundred(f: Fixture) {
    let worker = f.member().await;
    let names = numbered(120);
    f.enqueue_due(&strs(&names), PAST).await;
    let first = promote(&worker).await;
    assert_eq!((first.moved, first.next_due), (100, Some(Duration::ZERO)));
    let second = promote(&worker).await;
    assert_eq!((second.moved, second.next_due), (20, None));
}

pub(crate) async fn what_is_not_due_stays(f: Fixture) {
    let worker = f.member().await;
    f.enqueue_due(&["later"], Due::After(HOURS)).await;
    f.enqueue_due(&["due"], PAST).await;
    let promoted = promote(&worker).await;
    assert_eq!(promoted.moved, 1);
    let next = promoted.next_due.expect("one is delayed");
    assert!(next <= HOURS && next > HOURS / 2, "{next:?}");
    assert_eq!(f.names(JobState::Delayed).await, ["later"]);
}

/// By the store's clock, so a job is never promoted before the time it was given.
pub(crate) async fn what_becomes_due_is_moved_then(f: Fixture) {
    let worker = f.member().await;
    f.enqueue_due(&["soon"], Due::After(Duration::from_millis(30)))
        .await;
    let moved = async || (promote(&worker).await.moved == 1).then_some(());
    support::eventually("the job to become due", moved).await;
    assert_eq!(f.ready().await, ["soon"]);
}

pub(crate) async fn a_paused_queue_is_promoted_too(f: Fixture) {
    let worker = f.member().await;
    f.pause().await;
    f.enqueue_due(&["due"], PAST).await;
    assert_eq!(promote(&worker).await.moved, 1);
}

pub(crate) async fn sent_again_it_moves_nothing_twice(f: Fixture) {
    let worker = f.member().await;
    f.enqueue_due(&["due"], PAST).await;
    assert_eq!(promote(&worker).await.moved, 1);
    assert_eq!(promote(&worker).await.moved, 0);
    assert_eq!(f.ready().await, ["due"]);
}
