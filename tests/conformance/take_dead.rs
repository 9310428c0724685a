//! The dead list from its old end, and taking records out of it.

use jobq::broker::{DeadCaps, Requeue, TakeDead};
use jobq::{JobId, JobState};

use crate::fixture::{Fixture, bytes, numbered, strs, text};

async fn oldest(f: &Fixture, offset: u64, limit: u32) -> Vec<String> {
    let records = f.broker.oldest_dead(&f.queue, offset, limit).await;
    records.expect("oldest_dead").iter().map(text).collect()
}

async fn dead(f: &Fixture) -> Vec<String> {
    f.names(JobState::Dead).await
}

pub(crate) async fn a_record_is_taken_out(f: Fixture) {
    f.with_dead(&["a", "b", "c"]).await;
    assert_eq!(f.take_dead(&[("b", None)], 1).await, 1);
    assert_eq!(dead(&f).await, ["c", "a"]);
    assert_eq!(f.stats().await.ready, 0);
}

pub(crate) async fn a_job_goes_to_the_back_of_ready(f: Fixture) {
    f.with_dead(&["record"]).await;
    f.enqueue(&["a"]).await;
    assert_eq!(f.take_dead(&[("record", Some("again"))], 0).await, 1);
    assert_eq!(f.ready().await, ["a", "again"]);
    assert_eq!(f.stats().await.dead, 0);
}

pub(crate) async fn a_record_that_is_not_there_changes_nothing(f: Fixture) {
    f.with_dead(&["record"]).await;
    for record in ["recor", "record ", "", "Record"] {
        let take = (record, Some("again"));
        assert_eq!(f.take_dead(&[take], 0).await, 0);
    }
    assert_eq!(dead(&f).await, ["record"]);
    assert!(f.ready().await.is_empty());
}

pub(crate) async fn sent_again_it_takes_nothing_twice(f: Fixture) {
    f.with_dead(&["a", "b"]).await;
    let takes = [("a", Some("a again")), ("b", None)];
    assert_eq!(f.take_dead(&takes, 0).await, 2);
    assert_eq!(f.take_dead(&takes, 0).await, 0);
    assert_eq!(f.ready().await, ["a again"]);
}

pub(crate) async fn several_keep_their_order_and_pass_over_what_is_gone(f: Fixture) {
    f.with_dead(&["a", "b", "c", "d", "e"]).await;
    f.enqueue(&["first"]).await;
    let takes = [
        ("a", Some("a again")),
        ("gone", Some("never")),
        ("b", None),
        ("d", Some("d again")),
    ];
    assert_eq!(f.take_dead(&takes, u64::MAX).await, 3);
    assert_eq!(dead(&f).await, ["e", "c"]);
    assert_eq!(f.ready().await, ["first", "a again", "d again"]);
}

pub(crate) async fn takes_a_thousand_at_once(f: Fixture) {
    let names = numbered(1000);
    f.with_dead(&strs(&names)).await;
    let takes = names.iter().map(|name| (name.as_str(), Some("again")));
    let takes = takes.collect::<Vec<_>>();
    assert_eq!(f.take_dead(&takes, u64::MAX).await, 1000);
    let stats = f.stats().await;
    assert_eq!((stats.dead, stats.ready), (0, 1000));
}

pub(crate) async fn nothing_to_take_changes_nothing(f: Fixture) {
    assert_eq!(f.take_dead(&[], 0).await, 0);
    f.with_dead(&["a"]).await;
    assert_eq!(f.take_dead(&[], 0).await, 0);
    assert_eq!(dead(&f).await, ["a"]);
}

pub(crate) async fn of_equal_records_the_first_from_the_nearer_end_is_taken(f: Fixture) {
    f.with_dead(&["a", "b", "a", "c"]).await;
    assert_eq!(f.take_dead(&[("a", None)], 1).await, 1);
    assert_eq!(dead(&f).await, ["c", "b", "a"]);
    f.with_dead(&["a"]).await;
    assert_eq!(f.take_dead(&[("a", None)], 3).await, 1);
    assert_eq!(dead(&f).await, ["a", "c", "b"]);
    // The third of four is nearer the old end.
    f.with_dead(&["c"]).await;
    assert_eq!(f.take_dead(&[("c", None)], 2).await, 1);
    assert_eq!(dead(&f).await, ["c", "a", "b"]);
}

pub(crate) async fn equal_records_are_taken_one_by_one(f: Fixture) {
    f.with_dead(&["a", "a", "a"]).await;
    assert_eq!(f.take_dead(&[("a", None), ("a", Some("x"))], 0).await, 2);
    assert_eq!(dead(&f).await, ["a"]);
    assert_eq!(f.ready().await, ["x"]);
}

/// Whatever bytes it has.
pub(crate) async fn what_is_put_back_is_no_record_to_take(f: Fixture) {
    let id = "the id of a job.";
    f.with_dead(&["a", id]).await;
    let again = Requeue {
        id: JobId::from_bytes(id.as_bytes().try_into().expect("it has 16 bytes")),
        envelope: bytes("a again"),
    };
    let take = TakeDead {
        record: bytes("a"),
        requeue: Some(again),
    };
    let taken = f.broker.take_dead(&f.queue, &[take], 0).await;
    assert_eq!(taken.expect("take_dead"), 1);
    assert_eq!(dead(&f).await, [id]);
}

pub(crate) async fn what_was_taken_counts_for_no_cap_any_more(f: Fixture) {
    let caps = DeadCaps {
        bytes: 10,
        ..DeadCaps::default()
    };
    f.bury(&[b"aaaa", b"bbbb"], caps).await;
    let takes = [("aaaa", None), ("bbbb", Some("again"))];
    assert_eq!(f.take_dead(&takes, 0).await, 2);
    assert_eq!(f.bury(&[b"cccccccccc"], caps).await.dropped, 0);
    assert_eq!(dead(&f).await, ["cccccccccc"]);
}

pub(crate) async fn what_was_not_taken_still_counts_for_the_caps(f: Fixture) {
    let caps = DeadCaps {
        bytes: 10,
        ..DeadCaps::default()
    };
    f.bury(&[b"aaaa", b"bbbb"], caps).await;
    assert_eq!(f.take_dead(&[("aaaa", None)], 0).await, 1);
    assert_eq!(f.bury(&[b"cccccc"], caps).await.dropped, 0);
    assert_eq!(f.bury(&[b"d"], caps).await.dropped, 1);
    assert_eq!(dead(&f).await, ["d", "cccccc"]);
}

pub(crate) async fn the_old_end_is_read_oldest_first(f: Fixture) {
    let names = numbered(25);
    f.with_dead(&strs(&names)).await;
    assert_eq!(oldest(&f, 0, 2).await, names[..2]);
    assert_eq!(oldest(&f, 5, 20).await, names[5..]);
    assert_eq!(oldest(&f, 24, 1000).await, names[24..]);
    assert_eq!(oldest(&f, 0, 1000).await, names);
    for offset in [25, 1 << 40, u64::MAX] {
        assert!(oldest(&f, offset, 10).await.is_empty());
    }
    assert!(oldest(&f, 0, 0).await.is_empty());
    assert!(oldest(&f.on("other"), 0, 10).await.is_empty());
}

pub(crate) async fn what_is_buried_later_does_not_shift_the_old_end(f: Fixture) {
    f.with_dead(&["a", "b"]).await;
    f.with_dead(&["c"]).await;
    assert_eq!(oldest(&f, 1, 1).await, ["b"]);
}

pub(crate) async fn a_job_that_goes_back_wakes(f: Fixture) {
    let worker = f.member().await;
    f.with_dead(&["record"]).await;
    let waiter = worker.waiter();
    let waiting = tokio::spawn(async move { waiter.wait(support::DEADLINE).await });
    let taken = f.take_dead(&[("record", Some("again"))], 0);
    assert_eq!(taken.await, 1);
    let woken = waiting.await.expect("the wait ends").expect("wait");
    assert_eq!(woken, jobq::broker::Wake::Handed);
    assert_eq!(f.stats().await.in_flight, 1);
}
