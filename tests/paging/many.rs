//! A thousand workers, one of them with very many jobs, and a hundred thousand queues.

use jobq::JobState;

use crate::store::{Store, To};

const WORKERS: u32 = 1000;

const BUSY: u64 = 20_000;

const QUEUES: usize = 100_000;

async fn nothing() {}

#[tokio::test]
async fn many_workers_hold_nobody() {
    let store = Store::start().await;
    let queue = store.queue();
    store.join(1..=WORKERS).await;
    store.fill(To::InFlight(1), 1..=BUSY, 40).await;
    for worker in 2..=WORKERS {
        store.fill(To::InFlight(worker), 1..=2, 40).await;
    }
    let jobs = BUSY + 2 * u64::from(WORKERS - 1);
    let look = async || queue.stats().await.unwrap();
    let stats = store.expect_fast("stats", nothing, look).await;
    assert_eq!(stats.in_flight, jobs);
    let mut seen = 0;
    for offset in (0..jobs).step_by(1000) {
        let look = async || queue.jobs(JobState::InFlight, offset, 1000).await.unwrap();
        let page = store.expect_fast("a page in flight", nothing, look).await;
        seen += page.len() as u64;
    }
    assert_eq!(seen, jobs);
}

#[tokio::test]
async fn many_queues_hold_nobody() {
    let store = Store::start().await;
    for chunk in (0..QUEUES).collect::<Vec<_>>().chunks(10_000) {
        let mut add = redis::cmd("SADD");
        add.arg("jobq:queues");
        for number in chunk {
            add.arg(format!("queue{number}"));
        }
        store.tell(&add).await;
    }
    let look = async || store.client.queues().await.unwrap();
    let queues = store.expect_fast("queues", nothing, look).await;
    assert_eq!(queues.len(), QUEUES);
}
