//! Cancelling: an id is kept, claims say that there are some, and who asks is told which.

use futures_util::future::try_join_all;
use jobq::broker::{Due, MAX_BATCH, MAX_CANCELLED, Requeue, TakeDead};
use jobq::{At, JobId, JobState};

use crate::fixture::{Fixture, Given, HOURS, bytes};

fn id(number: u32) -> JobId {
    let mut bytes = [0xc4; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    JobId::from_bytes(bytes)
}

async fn cancel(f: &Fixture, numbers: impl IntoIterator<Item = u32>) {
    let cancels = numbers
        .into_iter()
        .map(|n| f.broker.cancel(&f.queue, id(n)));
    try_join_all(cancels).await.expect("cancel");
}

async fn cancelled(f: &Fixture, numbers: impl IntoIterator<Item = u32>) -> Vec<bool> {
    let ids: Vec<JobId> = numbers.into_iter().map(id).collect();
    let cancelled = f.broker.cancelled(&f.queue, &ids).await;
    cancelled.expect("cancelled")
}

pub(crate) async fn claims_say_that_there_are_some(f: Fixture) {
    let mut worker = f.member().await;
    assert!(!worker.claim(1).await.cancelled);
    cancel(&f, [1]).await;
    f.enqueue(&["a"]).await;
    assert!(worker.claim(1).await.cancelled);
    assert!(worker.claim(0).await.cancelled);
    f.suspect(&["s"]).await;
    assert!(worker.claim_suspect().await.cancelled);
    f.pause().await;
    assert!(worker.claim(1).await.cancelled);
}

pub(crate) async fn which_ones_is_answered_in_the_order_of_the_question(f: Fixture) {
    assert_eq!(cancelled(&f, [1, 2]).await, [false, false]);
    cancel(&f, [1, 3]).await;
    let answer = cancelled(&f, [3, 2, 1, 3, 0]).await;
    assert_eq!(answer, [true, false, true, true, false]);
    assert!(cancelled(&f, []).await.is_empty());
}

pub(crate) async fn a_thousand_are_asked_for_at_once(f: Fixture) {
    cancel(&f, (0..MAX_BATCH).step_by(3)).await;
    let expected = (0..MAX_BATCH).map(|n| n % 3 == 0);
    assert_eq!(
        cancelled(&f, 0..MAX_BATCH).await,
        expected.collect::<Vec<_>>()
    );
}

pub(crate) async fn moves_no_job(f: Fixture) {
    f.suspect(&["s"]).await;
    f.enqueue(&["a", "b"]).await;
    f.enqueue_due(&["c"], Due::After(HOURS)).await;
    let before = f.stats().await;
    cancel(&f, [1]).await;
    assert_eq!(f.stats().await, before);
    let grant = f.member().await.claim(10).await;
    assert_eq!(grant.names(), ["a", "b"]);
    assert_eq!(grant.suspects, 1);
}

pub(crate) async fn sent_again_it_changes_nothing(f: Fixture) {
    cancel(&f, [1, 1]).await;
    assert_eq!(cancelled(&f, [1]).await, [true]);
    put_back(&f, "record", 1).await;
    assert_eq!(cancelled(&f, [1]).await, [false]);
}

pub(crate) async fn each_queue_has_its_own(f: Fixture) {
    let other = f.on("other");
    cancel(&f, [1]).await;
    assert_eq!(cancelled(&other, [1]).await, [false]);
    assert!(!other.member().await.claim(1).await.cancelled);
}

/// The ids sort against the order of their cancellations. The first is cancelled again, and so is not
/// the oldest.
async fn one_too_many(f: &Fixture) {
    let [first, second, third] = [1, 2, 3].map(|n| MAX_CANCELLED - n);
    for number in [first, second, third] {
        cancel(f, [number]).await;
    }
    for numbers in (0..third).collect::<Vec<_>>().chunks(1000) {
        cancel(f, numbers.iter().copied()).await;
    }
    cancel(f, [first]).await;
    assert_eq!(cancelled(f, [first, second, third, 0]).await, [true; 4]);
    cancel(f, [MAX_CANCELLED]).await;
    let answer = cancelled(f, [first, second, third, 0, MAX_CANCELLED]).await;
    assert_eq!(answer, [true, false, true, true, true]);
}

pub(crate) async fn one_too_many_drops_the_one_cancelled_longest_ago(f: Fixture) {
    one_too_many(&f).await;
}

/// Whatever is delayed then says how long an id counts, and it is the same for many.
pub(crate) async fn one_too_many_drops_the_same_one_if_all_wait_for_one_job(f: Fixture) {
    f.enqueue_due(&["a"], Due::After(HOURS)).await;
    one_too_many(&f).await;
    let purge = f.broker.purge(&f.queue, JobState::Delayed).await;
    assert_eq!(purge.expect("purge"), 1);
    cancel(&f, [MAX_CANCELLED + 1]).await;
    let answer = cancelled(&f, [MAX_CANCELLED + 1, MAX_CANCELLED - 3]).await;
    assert_eq!(answer, [true, false], "what counts longer stays no longer");
}

pub(crate) async fn it_counts_however_late_a_job_is_due(f: Fixture) {
    for (number, due) in (0..).zip([0, 1 << 52, (1 << 53) - 1, u64::MAX]) {
        f.enqueue_due(&["a"], Due::At(At::from_ms(due))).await;
        cancel(&f, [number, number]).await;
        let numbers = 0..=number + 1;
        let expected = numbers.clone().map(|n| n <= number).collect::<Vec<_>>();
        assert_eq!(cancelled(&f, numbers).await, expected, "{due}");
    }
    assert!(f.member().await.claim(0).await.cancelled);
}

async fn put_back(f: &Fixture, record: &str, number: u32) -> bool {
    f.with_dead(&["record"]).await;
    let take = TakeDead {
        record: bytes(record),
        requeue: Some(again(number)),
    };
    let taken = f.broker.take_dead(&f.queue, &[take], 0).await;
    taken.expect("take_dead") == 1
}

fn again(number: u32) -> Requeue {
    Requeue {
        id: id(number),
        envelope: bytes("again"),
    }
}

pub(crate) async fn a_dead_job_that_is_put_back_is_cancelled_no_more(f: Fixture) {
    cancel(&f, [1, 2]).await;
    assert!(put_back(&f, "record", 1).await);
    assert_eq!(cancelled(&f, [1, 2]).await, [false, true]);
    assert!(put_back(&f, "record", 2).await);
    assert!(!f.member().await.claim(1).await.cancelled);
}

pub(crate) async fn a_dead_job_that_is_not_put_back_stays_cancelled(f: Fixture) {
    cancel(&f, [1]).await;
    assert!(!put_back(&f, "another record", 1).await);
    assert_eq!(cancelled(&f, [1]).await, [true]);
    assert_eq!(f.take_dead(&[("record", None)], 0).await, 1);
    assert_eq!(cancelled(&f, [1]).await, [true]);
}

pub(crate) async fn a_job_that_is_run_now_is_cancelled_no_more(f: Fixture) {
    cancel(&f, [1, 2]).await;
    f.enqueue_due(&["x"], Due::After(HOURS)).await;
    for (delayed, moved) in [("y", false), ("x", true)] {
        let moves = f.broker.run_now(&f.queue, &bytes(delayed), &again(1)).await;
        assert_eq!(moves.expect("run_now"), moved);
        assert_eq!(cancelled(&f, [1, 2]).await, [!moved, true]);
    }
}

pub(crate) async fn it_outlives_the_job_and_what_comes_after_it(f: Fixture) {
    cancel(&f, [1]).await;
    let mut worker = f.member().await;
    for _ in 0..2 {
        f.enqueue(&["a"]).await;
        let grant = worker.claim(1).await;
        assert!(grant.cancelled && worker.ack(grant.token()).await);
    }
    assert!(worker.leave().await);
    assert_eq!(cancelled(&f, [1]).await, [true]);
}
