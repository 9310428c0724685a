//! Filling queues.

use jobq::{Client, Job};

use crate::jobs::{TEXT, noop};

/// Jobs enqueued in one call: their values are in memory at once.
const CHUNK: u64 = 100_000;

/// A client of the Redis that is measured.
pub(crate) async fn client(url: &str) -> Client {
    jobq::connect(url).await.expect("Redis answers")
}

/// Enqueues so many jobs, made from their number.
pub(crate) async fn fill<J: Job>(url: &str, jobs: u64, job: impl Fn(u64) -> jobq::JobBuilder<J>) {
    let client = client(url).await;
    let mut from = 0;
    while from < jobs {
        let upto = jobs.min(from + CHUNK);
        let enqueued = client.enqueue_all((from..upto).map(&job)).await;
        enqueued.expect("Redis takes the jobs");
        from = upto;
    }
}

/// Enqueues so many jobs that do nothing.
pub(crate) async fn fill_noop(url: &str, jobs: u64) {
    fill(url, jobs, |number| noop::new(number, TEXT)).await;
}
