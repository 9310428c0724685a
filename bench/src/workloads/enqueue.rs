//! Enqueueing, next to a bare LPUSH of the same bytes: one after the other, several at once, in bulk.

use std::time::Instant;

use jobq::{Client, JobState};
use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;

use crate::jobs::{TEXT, noop};
use crate::load::client;
use crate::round::{Plan, QUEUE};
use crate::sheet::{Row, Sheet};
use crate::store::Store;

/// Calls at once, jobs a call, jobs.
const SHAPES: &[(u64, u64, u64)] = &[
    (1, 1, 30_000),
    (64, 1, 300_000),
    (512, 1, 500_000),
    (1, 1000, 1_000_000),
];

pub(super) async fn enqueue(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    for &(at_once, bulk, jobs) in SHAPES {
        let calls = (plan.jobs(jobs) / at_once / bulk).max(1);
        let mut row = Row::new()
            .with("at_once", at_once)
            .with("jobs_per_call", bulk);
        for _ in 0..plan.rounds {
            store.flush().await;
            let client = client(&store.url()).await;
            let took = by_client(&client, at_once, bulk, calls).await;
            let bytes = one_envelope(&client).await;
            store.flush().await;
            let bare_took = by_lpush(&store, at_once, bulk, calls, &bytes).await;
            let jobs = (at_once * bulk * calls) as f64;
            row.note("jobs_per_s", jobs / took);
            row.note("limit_jobs_per_s", jobs / bare_took);
            row.note("ratio_to_limit", bare_took / took);
        }
        sheet.print(&row);
    }
}

/// Seconds that so many tasks need for so many calls each.
pub(super) async fn by_client(client: &Client, at_once: u64, bulk: u64, calls: u64) -> f64 {
    // The first call tells Redis of the queue.
    noop::enqueue(client, 0, TEXT)
        .await
        .expect("Redis takes the job");
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..at_once {
        let client = client.clone();
        tasks.spawn(async move {
            for call in 0..calls {
                if bulk == 1 {
                    noop::enqueue(&client, call, TEXT)
                        .await
                        .expect("Redis takes the job");
                } else {
                    let jobs = (0..bulk).map(|number| noop::new(number, TEXT));
                    client
                        .enqueue_all(jobs)
                        .await
                        .expect("Redis takes the jobs");
                }
            }
        });
    }
    tasks.join_all().await;
    began.elapsed().as_secs_f64()
}

async fn by_lpush(store: &Store, at_once: u64, bulk: u64, calls: u64, bytes: &[u8]) -> f64 {
    let connection = store.connect().await;
    push(&mut connection.clone(), bulk, bytes).await;
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..at_once {
        let (mut connection, bytes) = (connection.clone(), bytes.to_vec());
        tasks.spawn(async move {
            for _ in 0..calls {
                push(&mut connection, bulk, &bytes).await;
            }
        });
    }
    tasks.join_all().await;
    began.elapsed().as_secs_f64()
}

async fn push(connection: &mut MultiplexedConnection, bulk: u64, bytes: &[u8]) {
    let mut command = redis::cmd("LPUSH");
    command.arg(format!("jobq:{{{QUEUE}}}:ready"));
    for _ in 0..bulk {
        command.arg(bytes);
    }
    command
        .query_async::<()>(connection)
        .await
        .expect("Redis takes it");
}

async fn one_envelope(client: &Client) -> Vec<u8> {
    let queue = client.queue(QUEUE).expect("the name is sound");
    let jobs = queue
        .jobs(JobState::Ready, 0, 1)
        .await
        .expect("Redis answers");
    let envelope = jobs[0].envelope().expect("it is one");
    envelope.bytes().to_vec()
}
