//! What jobs cost in memory: a pending, a delayed and a dead one in Redis, running ones in a worker.

use std::time::Duration;

use jobq::JobState;

use crate::jobs::{TEXT, hopeless, lasting, noop};
use crate::load::{client, fill};
use crate::round::{Plan, QUEUE};
use crate::sheet::{Row, Sheet};
use crate::store::Store;
use crate::worker::{Process, Setup, until_done};

/// Later than the measurement ends.
const LATER: Duration = Duration::from_secs(3600);

/// Dead records that a queue keeps.
const MAX_DEAD: u64 = 10_000;

pub(super) async fn memory(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    let jobs = plan.jobs(1_000_000);
    let dead = plan.jobs(MAX_DEAD);
    let mut row = Row::new().with("jobs", jobs);
    for _ in 0..plan.rounds {
        store.flush().await;
        let empty = store.bytes().await;
        fill(&store.url(), jobs, |number| noop::new(number, TEXT)).await;
        let pending = (store.bytes().await - empty) / jobs as f64;
        let client = client(&store.url()).await;
        let queue = client.queue(QUEUE).expect("the name is sound");
        let first = queue
            .jobs(JobState::Ready, 0, 1)
            .await
            .expect("Redis answers");
        let envelope = first[0].envelope().expect("it is one").bytes().len();
        row.note("envelope_bytes", envelope as f64);
        row.note("pending_bytes", pending);

        store.flush().await;
        fill(&store.url(), jobs, |number| {
            noop::new(number, TEXT).delay(LATER)
        })
        .await;
        row.note("delayed_bytes", (store.bytes().await - empty) / jobs as f64);

        store.flush().await;
        fill(&store.url(), dead, |number| hopeless::new(number, TEXT)).await;
        {
            let mut workers = [Process::start(&Setup::new(&store, 1000, 1))];
            until_done(&mut workers, dead).await;
            while queue.stats().await.expect("Redis answers").dead < dead {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        row.note("dead_bytes", (store.bytes().await - empty) / dead as f64);

        store.flush().await;
        fill(&store.url(), MAX_DEAD, |number| lasting::new(number, TEXT)).await;
        let mut workers = [Process::start(&Setup::new(&store, 10_000, 1))];
        until_done(&mut workers, MAX_DEAD).await;
        row.note("rss_mib_at_10000_in_flight", workers[0].report().peak_mib);
    }
    sheet.print(&row);
}
