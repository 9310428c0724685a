//! Eight idle worker processes on one queue, one job at a time: that one of them wakes, and not all.

use std::time::Duration;

use tokio::time::sleep;

use crate::jobs::{TEXT, noop};
use crate::load::client;
use crate::round::Plan;
use crate::sheet::{Row, Sheet};
use crate::store::{Calls, Store};
use crate::worker::{Process, Setup, until_done};

const WORKERS: u32 = 8;

/// Until the start of all workers is over.
const SETTLES: Duration = Duration::from_secs(3);

/// Between two jobs.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn fanin(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    let jobs = plan.jobs(1000);
    let mut row = Row::new().with("processes", WORKERS).with("jobs", jobs);
    for _ in 0..plan.rounds {
        store.flush().await;
        let setup = Setup::new(&store, 100, 1);
        let mut workers: Vec<Process> = (0..WORKERS).map(|_| Process::start(&setup)).collect();
        let client = client(&store.url()).await;
        sleep(SETTLES).await;
        let idle = Calls::watch(&store);
        let began = tokio::time::Instant::now();
        sleep(PAUSE * 300).await;
        let (idle, idle_for) = (idle.seen(), began.elapsed());
        let calls = Calls::watch(&store);
        let began = tokio::time::Instant::now();
        for number in 0..jobs {
            noop::enqueue(&client, number, TEXT)
                .await
                .expect("Redis takes the job");
            sleep(PAUSE).await;
        }
        until_done(&mut workers, jobs).await;
        let made = calls.seen();
        // What they would have called with nothing to do.
        let part = began.elapsed().as_secs_f64() / idle_for.as_secs_f64();
        row.note("calls_per_job", made.all as f64 / jobs as f64);
        let waits = made.waits as f64 - idle.waits as f64 * part;
        row.note("wakes_per_job", waits / jobs as f64);
    }
    sheet.print(&row);
}
