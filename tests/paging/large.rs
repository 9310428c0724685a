//! Envelopes as large as they may be: a page has few of them, and is read a few at a time.

use jobq::JobState;

use crate::store::{Store, To, id};

const JOBS: u64 = 30;

const SIZE: usize = 1_000_000;

async fn nothing() {}

#[tokio::test]
async fn large_envelopes_hold_nobody() {
    let store = Store::start().await;
    let queue = store.queue();
    store.join(1..=1).await;
    let places = [
        (JobState::Ready, To::Ready),
        (JobState::Delayed, To::Delayed),
        (JobState::InFlight, To::InFlight(1)),
        (JobState::Dead, To::Dead),
    ];
    for (state, to) in places {
        store.fill(to, 1..=JOBS, SIZE).await;
        let what = format!("a page of {state:?}");
        let mut seen = 0;
        while seen < JOBS {
            let look = async || queue.jobs(state, seen, 1000).await.unwrap();
            let page = store.expect_fast(&what, nothing, look).await;
            // As many as have 8 MiB, and what the last read of a few brings beyond.
            assert!((1..=12).contains(&page.len()), "{what}: {}", page.len());
            seen += page.len() as u64;
        }
        assert_eq!(seen, JOBS, "{what}");
    }
    let search = async || queue.run_now(id(1000)).await.unwrap();
    assert!(!store.expect_fast("run_now of none", nothing, search).await);
    // Small ones first, by which the size of the others is not to be judged.
    queue.purge(JobState::Delayed).await.unwrap();
    store.fill(To::Delayed, 1..=9, 40).await;
    store.fill(To::Delayed, 10..=90, SIZE).await;
    assert!(!store.expect_fast("run_now of none", nothing, search).await);
    let again = async || store.fill(To::Delayed, 50..=50, SIZE).await;
    let run = async || queue.run_now(id(50)).await.unwrap();
    assert!(store.expect_fast("run_now", again, run).await);
    let again = async || {
        queue.purge(JobState::Dead).await.unwrap();
        store.fill(To::Dead, 1..=JOBS, SIZE / 8).await;
    };
    again().await;
    let retry = async || queue.dead().retry_all().await.unwrap();
    assert_eq!(store.expect_fast("retry_all", again, retry).await, JOBS);
}
