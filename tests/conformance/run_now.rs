//! A delayed job ahead of its time.

use bytes::Bytes;
use jobq::broker::{Due, Requeue, Wake};
use jobq::{At, JobId, JobState};

use crate::fixture::{Fixture, HOURS, bytes, entry, id, job, marked, numbered, strs};

async fn run_now(f: &Fixture, delayed: &str, envelope: &str) -> bool {
    let moved = f
        .broker
        .run_now(&f.queue, &bytes(delayed), &job(envelope))
        .await;
    moved.expect("run_now")
}

async fn find(f: &Fixture, id: JobId) -> Option<Bytes> {
    let found = f.broker.find_delayed(&f.queue, id).await;
    found.expect("find_delayed")
}

async fn delay(f: &Fixture, envelope: &[u8]) {
    f.enqueue_entries(&[entry(envelope, Due::After(HOURS))])
        .await;
}

pub(crate) async fn goes_to_the_front_of_ready(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    f.enqueue_due(&["x", "y", "z"], Due::After(HOURS)).await;
    assert!(run_now(&f, "y", "y now").await);
    assert_eq!(f.ready().await, ["y now", "a", "b"]);
    assert_eq!(f.names(JobState::Delayed).await, ["x", "z"]);
}

pub(crate) async fn sent_again_it_moves_nothing_twice(f: Fixture) {
    f.enqueue_due(&["x"], Due::After(HOURS)).await;
    assert!(run_now(&f, "x", "x").await);
    assert!(!run_now(&f, "x", "x").await);
    assert_eq!(f.ready().await, ["x"]);
}

pub(crate) async fn what_is_not_delayed_stays_where_it_is(f: Fixture) {
    f.with_dead(&["dead"]).await;
    f.suspect(&["suspect"]).await;
    let mut worker = f.member().await;
    f.enqueue(&["claimed", "ready"]).await;
    worker.claim(1).await;
    let before = f.stats().await;
    for name in ["dead", "suspect", "claimed", "ready", "unknown", ""] {
        assert!(!run_now(&f, name, name).await, "{name}");
    }
    assert_eq!(f.stats().await, before);
    assert_eq!(f.ready().await, ["ready"]);
}

pub(crate) async fn waits_where_the_queue_is_paused(f: Fixture) {
    f.pause().await;
    f.enqueue_due(&["x"], Due::After(HOURS)).await;
    assert!(run_now(&f, "x", "x").await);
    assert_eq!(f.ready().await, ["x"]);
    let mut worker = f.member().await;
    assert!(worker.claim(1).await.envelopes.is_empty());
    f.resume().await;
    assert_eq!(worker.claim(1).await.envelopes, ["x"]);
}

pub(crate) async fn wakes_who_waits(f: Fixture) {
    let worker = f.member().await;
    f.enqueue_due(&["x"], Due::After(HOURS)).await;
    let waiter = worker.waiter();
    let waiting = tokio::spawn(async move { waiter.wait(support::DEADLINE).await });
    assert!(run_now(&f, "x", "x").await);
    let woken = waiting.await.expect("the wait ends").expect("wait");
    assert_eq!(woken, Wake::Handed);
}

pub(crate) async fn carries_any_bytes(f: Fixture) {
    let odd: Bytes = (0..=255).collect();
    delay(&f, &odd).await;
    let job = Requeue {
        id: id(0),
        envelope: odd.clone(),
    };
    let moved = f.broker.run_now(&f.queue, &odd, &job).await;
    assert!(moved.expect("run_now"));
    assert_eq!(f.page(JobState::Ready, 0, 1).await[0].bytes, odd);
}

pub(crate) async fn a_delayed_job_is_found_by_its_id(f: Fixture) {
    let envelopes = [1, 2, 3].map(|byte| marked(id(byte), b"tail"));
    for envelope in &envelopes {
        delay(&f, envelope).await;
    }
    for (envelope, byte) in envelopes.iter().zip(1..) {
        assert_eq!(find(&f, id(byte)).await.as_ref(), Some(envelope));
    }
    assert_eq!(find(&f, id(4)).await, None);
    assert_eq!(find(&f.on("other"), id(1)).await, None);
}

/// Whatever a store matches with: every byte is itself, and nothing else.
pub(crate) async fn ids_of_any_bytes_are_found_and_no_others(f: Fixture) {
    for byte in 0..=255 {
        delay(&f, &marked(id(byte), &[byte, b'*'])).await;
    }
    for byte in 0..=255 {
        let expected = marked(id(byte), &[byte, b'*']);
        assert_eq!(find(&f, id(byte)).await, Some(expected), "{byte}");
    }
    let globs = [
        *b"****************",
        *b"[a-z]???????????",
        *b"\\***************",
    ];
    for glob in globs {
        let found = find(&f, JobId::from_bytes(glob)).await;
        assert_eq!(found.is_some(), glob == [b'*'; 16], "{glob:?}");
    }
}

pub(crate) async fn an_id_at_another_place_is_not_found(f: Fixture) {
    let mut behind = marked(id(2), b"").to_vec();
    behind.extend(marked(id(1), b""));
    for odd in [&[0x98][..], &id(1).as_bytes()[..], &behind] {
        delay(&f, odd).await;
    }
    // Of another version: the first byte is its number of elements.
    assert_eq!(find(&f, id(1)).await, None);
    let mut newer = marked(id(1), b"").to_vec();
    newer[0] = 0x9a;
    delay(&f, &newer).await;
    assert_eq!(find(&f, id(1)).await, Some(newer.into()));
}

pub(crate) async fn only_delayed_is_searched(f: Fixture) {
    let envelope = marked(id(1), b"");
    f.enqueue_entries(&[entry(&envelope, Due::Now)]).await;
    assert_eq!(find(&f, id(1)).await, None);
    f.member().await.claim(1).await;
    assert_eq!(find(&f, id(1)).await, None);
}

pub(crate) async fn one_among_thousands_is_found(f: Fixture) {
    for chunk in numbered(3000).chunks(1000) {
        f.enqueue_due(&strs(chunk), Due::At(At::from_ms(1 << 50)))
            .await;
    }
    let envelope = marked(id(9), b"tail");
    delay(&f, &envelope).await;
    assert_eq!(find(&f, id(9)).await, Some(envelope));
    assert_eq!(find(&f, id(8)).await, None);
}
