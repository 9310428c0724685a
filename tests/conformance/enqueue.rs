//! enqueue: → ready, delayed.

use std::time::Duration;

use jobq::broker::Due;
use jobq::{At, JobState};

use crate::fixture::{Fixture, Given, HOURS, bytes, entry, numbered, strs};

pub(crate) async fn keeps_the_order_of_a_batch(f: Fixture) {
    f.enqueue(&["a", "b", "c"]).await;
    assert_eq!(f.ready().await, ["a", "b", "c"]);
}

pub(crate) async fn puts_new_jobs_behind_older_ones(f: Fixture) {
    f.enqueue(&["a"]).await;
    f.enqueue(&["b", "c"]).await;
    f.enqueue(&["d"]).await;
    assert_eq!(f.ready().await, ["a", "b", "c", "d"]);
}

pub(crate) async fn keeps_equal_elements_apart(f: Fixture) {
    f.enqueue(&["a", "a"]).await;
    f.enqueue(&["a"]).await;
    assert_eq!(f.member().await.claim(10).await.names(), ["a", "a", "a"]);
}

pub(crate) async fn carries_any_bytes(f: Fixture) {
    let every_byte = (0..=255).collect::<Vec<u8>>();
    let elements = [&b""[..], b"\0", b"\xff\xfe", b"\r\n$-1\r\n", &every_byte];
    let entries = elements.map(|bytes| entry(bytes, Due::Now));
    f.enqueue_entries(&entries).await;
    let grant = f.member().await.claim(10).await;
    assert_eq!(grant.envelopes, elements);
}

pub(crate) async fn carries_any_bytes_through_delayed(f: Fixture) {
    let elements = [&b"\0"[..], b"\r\n", b"inf", b"\xff\xfe"];
    for (ms, bytes) in (1..).zip(elements) {
        f.enqueue_entries(&[entry(bytes, Due::At(At::from_ms(ms)))])
            .await;
    }
    let grant = f.member().await.claim(10).await;
    assert_eq!(grant.envelopes, elements);
}

pub(crate) async fn puts_delayed_jobs_aside(f: Fixture) {
    f.enqueue_due(&["later"], Due::After(HOURS)).await;
    let stats = f.stats().await;
    assert_eq!((stats.ready, stats.delayed), (0, 1));
    assert!(f.member().await.claim(10).await.envelopes.is_empty());
}

pub(crate) async fn a_time_in_the_past_goes_through_delayed(f: Fixture) {
    let past = Due::At(At::from_ms(1));
    f.enqueue_due(&["a"], past).await;
    let stats = f.stats().await;
    assert_eq!((stats.ready, stats.delayed), (0, 1));
    assert_eq!(stats.next_due, Some(At::from_ms(1)));
    assert_eq!(f.member().await.claim(1).await.names(), ["a"]);
}

pub(crate) async fn a_zero_delay_goes_through_delayed(f: Fixture) {
    f.enqueue_due(&["a"], Due::After(Duration::ZERO)).await;
    assert_eq!(f.stats().await.delayed, 1);
    assert_eq!(f.member().await.claim(1).await.names(), ["a"]);
}

pub(crate) async fn sorts_a_batch_by_when_each_is_due(f: Fixture) {
    let batch = [
        entry(b"now", Due::Now),
        entry(b"hours", Due::After(HOURS)),
        entry(b"now too", Due::Now),
        entry(b"past", Due::At(At::from_ms(1))),
    ];
    f.enqueue_entries(&batch).await;
    assert_eq!(f.ready().await, ["now", "now too"]);
    assert_eq!(f.names(JobState::Delayed).await, ["past", "hours"]);
}

pub(crate) async fn an_equal_delayed_element_takes_the_time_given_last(f: Fixture) {
    for ms in [7, 9, 8] {
        f.enqueue_due(&["a"], Due::At(At::from_ms(ms))).await;
    }
    let stats = f.stats().await;
    assert_eq!((stats.delayed, stats.next_due), (1, Some(At::from_ms(8))));
}

pub(crate) async fn a_time_beyond_all_calendars_stays_last(f: Fixture) {
    f.enqueue_due(&["never"], Due::At(At::from_ms(u64::MAX)))
        .await;
    f.enqueue_due(&["never either"], Due::After(Duration::MAX))
        .await;
    f.enqueue_due(&["hours"], Due::After(HOURS)).await;
    assert_eq!(f.names(JobState::Delayed).await[0], "hours");
    let grant = f.member().await.claim(10).await;
    assert!(grant.envelopes.is_empty());
    assert!(grant.next_due.is_some_and(|due| due <= HOURS));
}

pub(crate) async fn takes_a_thousand_at_once(f: Fixture) {
    let names = numbered(1000);
    f.enqueue(&strs(&names)).await;
    f.enqueue_due(&strs(&names), Due::At(At::from_ms(1))).await;
    assert_eq!(f.ready().await, names);
    assert_eq!(f.names(JobState::Delayed).await, names);
}

pub(crate) async fn an_empty_batch_adds_nothing(f: Fixture) {
    f.enqueue(&[]).await;
    let stats = f.stats().await;
    assert_eq!((stats.ready, stats.delayed), (0, 0));
}

pub(crate) async fn queues_do_not_share_jobs(f: Fixture) {
    let other = f.on("other");
    f.enqueue(&["a"]).await;
    other.enqueue(&["b"]).await;
    assert_eq!(other.member().await.claim(10).await.names(), ["b"]);
    assert_eq!(f.member().await.claim(10).await.names(), ["a"]);
}

pub(crate) async fn goes_on_while_the_queue_is_paused(f: Fixture) {
    f.pause().await;
    f.enqueue(&["a"]).await;
    f.enqueue_due(&["b"], Due::After(HOURS)).await;
    let stats = f.stats().await;
    assert_eq!((stats.ready, stats.delayed), (1, 1));
}

/// Signals may be lost, so jobs that are due earlier and earlier are sent until one is heard of.
pub(crate) async fn signals_an_earlier_first_of_delayed(f: Fixture) {
    let signal = f.broker.due_signal(&f.queue);
    let mut delay = HOURS;
    support::eventually("the due signal", async || {
        delay -= Duration::from_secs(1);
        f.enqueue_due(&["sooner"], Due::After(delay)).await;
        let heard = tokio::time::timeout(Duration::from_millis(20), signal.notified());
        heard.await.ok()
    })
    .await;
    assert_eq!(f.stats().await.oldest, None);
    assert_eq!(
        f.page(JobState::Delayed, 0, 1).await[0].bytes,
        bytes("sooner")
    );
}
