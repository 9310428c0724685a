//! A dead list as full as its caps let it be: 10,000 records, 64 MiB.

use std::time::Duration;

use jobq::{DeadJob, JobState};

use crate::store::{Store, To, id};

const RECORDS: u64 = 10_000;

const SIZE: usize = 6_500;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The full list and nothing else.
async fn refill(store: &Store) {
    for state in [JobState::Dead, JobState::Ready] {
        store.queue().purge(state).await.unwrap();
    }
    store.fill(To::Dead, 1..=RECORDS, SIZE).await;
}

#[tokio::test]
async fn a_full_dead_list_holds_nobody() {
    let store = Store::start().await;
    refill(&store).await;
    let (queue, refill) = (store.queue(), async || refill(&store).await);
    let dead = queue.dead();
    for offset in (0..RECORDS).step_by(1000) {
        let look = async || dead.list(offset, 1000).await.unwrap();
        let page = store.expect_fast("a page", refill, look).await;
        assert_eq!(page[0].id(), id(RECORDS - offset));
    }
    for wanted in [1, RECORDS / 2, RECORDS - 1] {
        let again = async || store.fill(To::Dead, wanted..=wanted, SIZE).await;
        let retry = async || dead.retry(id(wanted)).await.unwrap();
        assert!(store.expect_fast("retry", again, retry).await);
    }
    let remove = async || dead.remove(id(RECORDS)).await.unwrap();
    let again = async || store.fill(To::Dead, RECORDS..=RECORDS, SIZE).await;
    assert!(store.expect_fast("remove", again, remove).await);

    refill().await;
    let purge = async || dead.purge_older_than(DAY * 100_000).await.unwrap();
    assert_eq!(store.expect_fast("purge of none", refill, purge).await, 0);
    let retry = async || dead.retry_all().await.unwrap();
    let retried = store.expect_fast("retry_all", refill, retry).await;
    assert_eq!(retried, RECORDS);
    assert_eq!(queue.stats().await.unwrap().ready, RECORDS);

    refill().await;
    let purge = async || dead.purge_older_than(DAY).await.unwrap();
    let purged = store.expect_fast("purge_older_than", refill, purge).await;
    assert_eq!(purged, RECORDS);

    refill().await;
    let purge = async || queue.purge(JobState::Dead).await.unwrap();
    assert_eq!(store.expect_fast("purge", refill, purge).await, RECORDS);
}

/// However far from the old end they are: the newest, those in the middle, and some of everywhere.
#[tokio::test]
async fn a_walk_that_takes_from_anywhere_holds_nobody() {
    let store = Store::start().await;
    for size in [200, SIZE] {
        let refill = async || {
            store.queue().purge(JobState::Dead).await.unwrap();
            store.fill(To::Dead, 1..=RECORDS, size).await;
        };
        for (what, among, step) in [
            ("the newest", RECORDS - 49..=RECORDS, 1),
            ("the middle", RECORDS / 2..=RECORDS / 2 + 99, 1),
            ("everywhere", 1..=RECORDS, 7),
        ] {
            refill().await;
            let is_meant = |number: u64| among.contains(&number) && number.is_multiple_of(step);
            let take = async || {
                let mut walk = store.queue().dead().walk().await.unwrap();
                let mut removed = 0;
                loop {
                    let mut page = walk.next_page().await.unwrap();
                    if page.is_empty() {
                        return removed;
                    }
                    page.retain(|job| is_meant(number_of(job)));
                    removed += walk.remove(&page).await.unwrap();
                }
            };
            let removed = store.expect_fast(what, refill, take).await;
            let meant = (1..=RECORDS).filter(|number| is_meant(*number));
            assert_eq!(removed, meant.count() as u64, "{what}, {size} bytes");
        }
    }
}

/// The number that a job was filled in with.
fn number_of(job: &DeadJob) -> u64 {
    let id = job.id();
    std::str::from_utf8(id.as_bytes()).unwrap().parse().unwrap()
}
