//! What people and tools ask: stats, pages; and the pause.

use jobq::broker::{Counts, Due};
use jobq::{At, JobState};

use crate::fixture::{Fixture, Given, HOURS, bytes, numbered, queue, strs, text};

pub(crate) async fn queues_are_those_enqueued_to_sorted(f: Fixture) {
    for name in ["b", "a:b", "Z", "c"] {
        f.on(name).enqueue(&["job"]).await;
    }
    f.on("d").enqueue_due(&["job"], Due::After(HOURS)).await;
    let queues = f.broker.queues().await.expect("queues");
    assert_eq!(queues, ["Z", "a:b", "b", "c", "d"].map(queue));
}

pub(crate) async fn queues_are_those_too_that_no_job_was_put_on(f: Fixture) {
    f.member().await.claim(1).await;
    assert_eq!(f.broker.queues().await.expect("queues"), []);
    for _ in 0..2 {
        f.enqueue(&[]).await;
        assert_eq!(
            f.broker.queues().await.expect("queues"),
            std::slice::from_ref(&f.queue)
        );
    }
    assert_eq!(f.stats().await.ready, 0);
}

pub(crate) async fn a_new_queue_is_empty(f: Fixture) {
    assert_eq!(f.stats().await, Counts::default());
    for state in [
        JobState::Ready,
        JobState::Suspect,
        JobState::Delayed,
        JobState::InFlight,
        JobState::Dead,
    ] {
        assert!(f.page(state, 0, 10).await.is_empty());
    }
}

pub(crate) async fn stats_count_every_place(f: Fixture) {
    let mut worker = f.member().await;
    f.with_dead(&["record"]).await;
    f.suspect(&["s", "t"]).await;
    f.enqueue(&["a", "b", "c", "d", "e", "f"]).await;
    worker.claim(1).await;
    worker.be_handed(1).await;
    f.enqueue_due(&["later"], Due::At(At::from_ms(1 << 50)))
        .await;
    f.pause().await;
    let expected = Counts {
        ready: 4,
        delayed: 1,
        in_flight: 2,
        suspects: 2,
        dead: 1,
        paused: true,
        oldest: Some(bytes("c")),
        next_due: Some(At::from_ms(1 << 50)),
    };
    assert_eq!(f.stats().await, expected);
}

pub(crate) async fn ready_is_paged_from_the_front(f: Fixture) {
    let names = numbered(25);
    f.enqueue(&strs(&names)).await;
    let mut paged = Vec::new();
    for offset in [0, 10, 20] {
        let page = f.page(JobState::Ready, offset, 10).await;
        assert!(page.iter().all(|e| e.due.is_none() && e.worker.is_none()));
        paged.extend(page.into_iter().map(|element| element.bytes));
    }
    assert_eq!(paged, names);
}

/// What workers and producers do between two pages hides none that stays.
pub(crate) async fn ready_is_paged_from_the_back_past_what_moves(f: Fixture) {
    f.enqueue(&strs(&numbered(25))).await;
    let mut worker = f.member().await;
    let mut seen = Vec::new();
    for offset in [0, 10, 20] {
        let page = f.broker.newest_ready(&f.queue, offset, 10).await;
        let page = page.expect("newest_ready");
        seen.extend(page.iter().map(|element| text(&element.bytes)));
        worker.claim(3).await;
        f.enqueue(&["newer"]).await;
    }
    let mut stayed: Vec<_> = numbered(25).split_off(9);
    stayed.retain(|name| !seen.contains(name));
    assert!(stayed.is_empty(), "{stayed:?} of {seen:?}");
    assert_eq!(
        seen[..2],
        [numbered(25)[24].clone(), numbered(25)[23].clone()]
    );
    let beyond = f.broker.newest_ready(&f.queue, 1 << 40, 10).await;
    assert!(beyond.expect("newest_ready").is_empty());
}

pub(crate) async fn suspects_are_paged_from_the_front(f: Fixture) {
    let names = numbered(25);
    f.suspect(&strs(&names)).await;
    f.enqueue(&["ready"]).await;
    let mut paged = Vec::new();
    for offset in [0, 10, 20] {
        let page = f.page(JobState::Suspect, offset, 10).await;
        assert!(page.iter().all(|e| e.due.is_none() && e.worker.is_none()));
        paged.extend(page.into_iter().map(|element| element.bytes));
    }
    assert_eq!(paged, names);
    assert_eq!(
        f.member().await.claim_suspect().await.names(),
        [names[0].clone()]
    );
}

pub(crate) async fn the_oldest_is_a_suspect_where_ready_is_empty(f: Fixture) {
    f.suspect(&["s", "t"]).await;
    assert_eq!(f.stats().await.oldest, Some(bytes("s")));
    f.enqueue(&["a"]).await;
    assert_eq!(f.stats().await.oldest, Some(bytes("a")));
}

pub(crate) async fn delayed_is_paged_by_time(f: Fixture) {
    for (name, ms) in [("c", 3), ("a", 1), ("d", 4), ("b", 2)] {
        f.enqueue_due(&[name], Due::At(At::from_ms(ms))).await;
    }
    let page = f.page(JobState::Delayed, 1, 2).await;
    let page = page
        .iter()
        .map(|element| (element.bytes.clone(), element.due));
    let expected = [("b", 2), ("c", 3)].map(|(name, ms)| (bytes(name), Some(At::from_ms(ms))));
    assert_eq!(page.collect::<Vec<_>>(), expected);
}

pub(crate) async fn in_flight_is_paged_by_worker_and_token(f: Fixture) {
    let names = numbered(24);
    f.enqueue(&strs(&names)).await;
    let mut workers = [f.member().await, f.member().await];
    workers.sort_by(|a, b| a.id.cmp(&b.id));
    let mut expected = Vec::new();
    for worker in &mut workers {
        for envelope in worker.claim(12).await.envelopes {
            expected.push((envelope, Some(worker.id.clone())));
        }
    }
    let mut paged = Vec::new();
    for offset in [0, 9, 18] {
        let page = f.page(JobState::InFlight, offset, 9).await;
        paged.extend(
            page.into_iter()
                .map(|element| (element.bytes, element.worker)),
        );
    }
    assert_eq!(paged, expected);
}

pub(crate) async fn dead_is_paged_newest_first(f: Fixture) {
    f.with_dead(&["a", "b", "c", "d"]).await;
    assert_eq!(f.names(JobState::Dead).await, ["d", "c", "b", "a"]);
    let page = f.page(JobState::Dead, 1, 2).await;
    assert_eq!(
        page.iter().map(|e| &e.bytes[..]).collect::<Vec<_>>(),
        [b"c", b"b"]
    );
}

pub(crate) async fn a_page_beyond_the_end_is_empty(f: Fixture) {
    f.enqueue(&["a"]).await;
    f.enqueue_due(&["b"], Due::After(HOURS)).await;
    f.with_dead(&["record"]).await;
    f.suspect(&["s"]).await;
    for state in [
        JobState::Ready,
        JobState::Suspect,
        JobState::Delayed,
        JobState::InFlight,
        JobState::Dead,
    ] {
        for offset in [5, 1 << 40] {
            assert!(f.page(state, offset, 10).await.is_empty());
        }
        assert!(f.page(state, 0, 0).await.is_empty());
    }
}

pub(crate) async fn pause_and_resume_may_be_sent_again(f: Fixture) {
    for paused in [true, false] {
        for _ in 0..2 {
            match paused {
                true => f.pause().await,
                false => f.resume().await,
            }
            assert_eq!(f.stats().await.paused, paused);
        }
    }
}

pub(crate) async fn a_pause_holds_for_one_queue(f: Fixture) {
    let other = f.on("other");
    f.pause().await;
    other.enqueue(&["a"]).await;
    assert!(!other.stats().await.paused);
    assert_eq!(other.member().await.claim(1).await.names(), ["a"]);
}

pub(crate) async fn a_page_of_large_jobs_has_fewer(f: Fixture) {
    const JOBS: usize = 16;
    let large = "x".repeat(1024 * 1024);
    f.enqueue(&[&large[..]; JOBS]).await;
    let mut seen = 0;
    loop {
        let page = f.page(JobState::Ready, seen, 1000).await;
        if page.is_empty() {
            break;
        }
        assert!(page.len() < JOBS, "{}", page.len());
        seen += page.len() as u64;
    }
    assert_eq!(seen, JOBS as u64);
}
