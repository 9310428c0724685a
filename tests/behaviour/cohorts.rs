//! Jobs that were over at once let others begin in one task with them: no job waits for another that
//! goes on, and all end as jobs in tasks of their own do.

use std::future::pending;
use std::time::{Duration, Instant};

use jobq::{State, job};
use jobq_worker::WorkerHandle;
use support::{DEADLINE, eventually};

use crate::fixture::{Fixture, Ledger};
use crate::on_every_broker;

const QUEUE: &str = "cohorts";

/// Enough that cohorts are as large as they get.
const BEFORE: u64 = 2_000;

const SLOTS: u32 = 256;

/// Writes a word down. `block` then blocks its thread, as no async function should, until a `go` was
/// written; `last` lasts for ever.
#[job(name = "cohorts.act", queue = "cohorts")]
async fn act(ledger: State<Ledger>, what: String) {
    ledger.write(&*what);
    if what == "block" {
        // A test that fails is to end all the same.
        let began = Instant::now();
        while ledger.count("go") == 0 && began.elapsed() < 2 * DEADLINE {
            std::thread::sleep(Duration::from_millis(1));
        }
        ledger.write("went on");
    }
    if what == "last" {
        pending::<()>().await;
    }
}

on_every_broker! {
    a_handler_that_blocks_its_thread_holds_up_none_behind_it
    what_ended_before_a_handler_that_blocks_is_settled
    what_goes_on_is_given_back_at_the_end
}

/// A worker that has seen many jobs that were over at once.
async fn warm(fixture: &Fixture) -> WorkerHandle {
    let worker = fixture.calm_worker().queues([QUEUE]).concurrency(SLOTS);
    let worker = worker.shutdown_timeout(Duration::ZERO).build();
    let worker = worker.unwrap().spawn();
    enqueue(fixture, &["before"; BEFORE as usize]).await;
    done(&worker, BEFORE).await;
    worker
}

/// At once, so that one claim takes them.
async fn enqueue(fixture: &Fixture, what: &[&str]) {
    let jobs = what.iter().map(|what| act::new(*what));
    fixture.client.enqueue_all(jobs).await.unwrap();
}

async fn done(worker: &WorkerHandle, jobs: u64) {
    eventually("the outcomes", async || {
        (worker.stats().done == jobs).then_some(())
    })
    .await;
}

async fn a_handler_that_blocks_its_thread_holds_up_none_behind_it(fixture: Fixture) {
    let worker = warm(&fixture).await;
    enqueue(&fixture, &["block", "go", "a", "b", "c", "d", "e", "f"]).await;
    fixture.ledger.wait_for("went on", 1).await;
    done(&worker, BEFORE + 8).await;
    worker.shutdown().await;
}

async fn what_ended_before_a_handler_that_blocks_is_settled(fixture: Fixture) {
    let worker = warm(&fixture).await;
    enqueue(&fixture, &["a", "block", "b", "c", "d", "e", "f", "g"]).await;
    done(&worker, BEFORE + 7).await;
    assert_eq!(fixture.ledger.count("went on"), 0);
    enqueue(&fixture, &["go"]).await;
    done(&worker, BEFORE + 9).await;
    worker.shutdown().await;
}

async fn what_goes_on_is_given_back_at_the_end(fixture: Fixture) {
    let worker = warm(&fixture).await;
    enqueue(&fixture, &["last"; 20]).await;
    fixture.ledger.wait_for("last", 20).await;
    let report = worker.shutdown().await;
    assert_eq!(report.abandoned, 0);
    let left = fixture.queue(QUEUE).stats().await.unwrap();
    assert_eq!((left.ready, left.in_flight), (20, 0));
}
