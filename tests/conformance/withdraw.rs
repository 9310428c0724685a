//! A job that is taken out of its queue before it runs.

use bytes::Bytes;
use jobq::JobState;
use jobq::broker::Due;

use crate::fixture::{Fixture, HOURS, bytes, entry, numbered, strs};

async fn withdraw(f: &Fixture, state: JobState, element: &str, place: u64) -> bool {
    let element = bytes(element);
    let taken = f.broker.withdraw(&f.queue, state, &element, place).await;
    taken.expect("withdraw")
}

pub(crate) async fn a_ready_job_goes_and_the_others_keep_their_order(f: Fixture) {
    f.enqueue(&["a", "b", "c", "d", "e"]).await;
    assert!(withdraw(&f, JobState::Ready, "b", 1).await);
    assert_eq!(f.ready().await, ["a", "c", "d", "e"]);
    assert!(withdraw(&f, JobState::Ready, "d", 2).await);
    assert!(withdraw(&f, JobState::Ready, "e", 2).await);
    assert!(withdraw(&f, JobState::Ready, "a", 0).await);
    assert_eq!(f.ready().await, ["c"]);
}

pub(crate) async fn a_suspect_goes_as_one_of_ready_does(f: Fixture) {
    f.suspect(&["s", "t", "u"]).await;
    f.enqueue(&["t"]).await;
    for (element, place) in [("t", 0), ("t", 2), ("x", 1), ("t", 3)] {
        let taken = withdraw(&f, JobState::Suspect, element, place).await;
        assert!(!taken, "{element} {place}");
    }
    assert!(withdraw(&f, JobState::Suspect, "t", 1).await);
    assert!(!withdraw(&f, JobState::Suspect, "t", 1).await);
    assert_eq!(f.names(JobState::Suspect).await, ["s", "u"]);
    assert_eq!(f.ready().await, ["t"]);
}

pub(crate) async fn only_the_job_at_its_place_goes(f: Fixture) {
    f.enqueue(&["a", "b", "c"]).await;
    for (element, place) in [("b", 0), ("b", 2), ("b", 3), ("x", 1), ("b", u64::MAX >> 1)] {
        assert!(
            !withdraw(&f, JobState::Ready, element, place).await,
            "{place}"
        );
    }
    assert_eq!(f.ready().await, ["a", "b", "c"]);
}

pub(crate) async fn of_equal_jobs_one_goes(f: Fixture) {
    f.enqueue(&["a", "b", "a", "a"]).await;
    assert!(withdraw(&f, JobState::Ready, "a", 2).await);
    assert_eq!(f.ready().await, ["a", "b", "a"]);
    f.enqueue(&["a", "c"]).await;
    assert!(withdraw(&f, JobState::Ready, "a", 0).await);
    assert_eq!(f.ready().await, ["b", "a", "a", "c"]);
}

pub(crate) async fn a_delayed_job_goes_wherever_it_stands(f: Fixture) {
    f.enqueue_due(&["x", "y", "z"], Due::After(HOURS)).await;
    assert!(withdraw(&f, JobState::Delayed, "y", 7).await);
    assert_eq!(f.names(JobState::Delayed).await, ["x", "z"]);
}

pub(crate) async fn sent_again_it_takes_nothing_twice(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    f.enqueue_due(&["x"], Due::After(HOURS)).await;
    assert!(withdraw(&f, JobState::Ready, "a", 0).await);
    assert!(!withdraw(&f, JobState::Ready, "a", 0).await);
    assert!(withdraw(&f, JobState::Delayed, "x", 0).await);
    assert!(!withdraw(&f, JobState::Delayed, "x", 0).await);
    assert_eq!(f.ready().await, ["b"]);
}

pub(crate) async fn only_what_waits_can_be_withdrawn(f: Fixture) {
    f.with_dead(&["dead"]).await;
    f.suspect(&["suspect"]).await;
    let mut worker = f.member().await;
    f.enqueue(&["claimed", "ready"]).await;
    worker.claim(1).await;
    let before = f.stats().await;
    for state in [JobState::InFlight, JobState::Dead, JobState::Delayed] {
        for name in ["dead", "suspect", "claimed", "ready", ""] {
            assert!(!withdraw(&f, state, name, 0).await, "{state:?} {name}");
        }
    }
    for name in ["dead", "suspect", "claimed", ""] {
        assert!(!withdraw(&f, JobState::Ready, name, 0).await, "{name}");
    }
    assert_eq!(f.stats().await, before);
}

pub(crate) async fn carries_any_bytes(f: Fixture) {
    let odd: Bytes = (0..=255).collect();
    f.enqueue_entries(&[entry(&odd, Due::Now)]).await;
    let taken = f.broker.withdraw(&f.queue, JobState::Ready, &odd, 0).await;
    assert!(taken.expect("withdraw"));
    assert!(f.ready().await.is_empty());
}

pub(crate) async fn one_in_the_depth_of_a_long_queue_goes(f: Fixture) {
    let jobs = numbered(100_500);
    for chunk in jobs.chunks(1000) {
        f.enqueue(&strs(chunk)).await;
    }
    for place in [100_200, 50_200, 200] {
        let before = f.stats().await.ready;
        let job = &jobs[place as usize];
        assert!(withdraw(&f, JobState::Ready, job, place).await, "{place}");
        assert_eq!(f.stats().await.ready, before - 1, "{place}");
        let at_its_place = f.page(JobState::Ready, place, 1).await;
        assert_ne!(at_its_place[0].bytes, bytes(job), "{place}");
        // Near an end the others keep their order, however long the queue is.
        let next = bytes(&jobs[place as usize + 1]);
        assert!(place == 50_200 || at_its_place[0].bytes == next, "{place}");
    }
    // Nothing else is lost or doubled.
    let mut left = Vec::new();
    for offset in (0..100_500).step_by(1000) {
        left.extend(f.page(JobState::Ready, offset, 1000).await);
    }
    let mut left: Vec<_> = left.into_iter().map(|element| element.bytes).collect();
    left.sort();
    left.dedup();
    assert_eq!(left.len(), 100_497);
}
