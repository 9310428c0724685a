//! What jobs came to is counted by queue and name, once, and outlives the workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jobq::broker::{Broker, Report, Reported};
use jobq::{BrokerError, JobError, State, Tally, Totals, job};
use support::hooked::{Answer, Call, Hook};
use tokio::sync::Notify;

use crate::fixture::{Fixture, Ledger, RENEW_EVERY};
use crate::on_every_broker;

const QUEUE: &str = "totals";

#[job(name = "totals.good", queue = "totals")]
async fn good() {}

#[job(
    name = "totals.bad",
    queue = "totals",
    retries = 2,
    backoff = "fixed",
    base_delay = "1ms"
)]
async fn bad() -> Result<(), &'static str> {
    Err("as always")
}

#[job(name = "totals.fatal", queue = "totals")]
async fn fatal() -> Result<(), JobError> {
    Err(JobError::fatal("at once"))
}

#[job(name = "totals.slow", queue = "totals")]
async fn slow() {
    tokio::time::sleep(Duration::from_millis(30)).await;
}

#[job(name = "totals.block", queue = "totals", blocking)]
fn block() {
    std::thread::sleep(Duration::from_millis(30));
}

#[job(name = "totals.wait", queue = "totals")]
async fn wait(ledger: State<Ledger>) {
    ledger.write("begin");
    ledger.wait_for("go", 1).await;
}

async fn of(fixture: &Fixture, name: &str) -> Totals {
    let tallies = fixture.queue(QUEUE).totals().await.unwrap();
    let found = tallies.into_iter().find(|tally| tally.name == name);
    found.map(|tally| tally.totals).unwrap_or_default()
}

fn figures(totals: Totals) -> [u64; 4] {
    [totals.done, totals.failed, totals.retried, totals.dead]
}

async fn every_end_of_a_run_counts_for_its_name(fixture: Fixture) {
    let client = &fixture.client;
    client
        .enqueue_all((0..7).map(|_| good::new()))
        .await
        .unwrap();
    client
        .enqueue_all((0..2).map(|_| bad::new()))
        .await
        .unwrap();
    fatal::enqueue(client).await.unwrap();
    let junk = jobq::broker::Entry {
        envelope: "junk".into(),
        due: jobq::broker::Due::Now,
    };
    let queue = fixture.queue(QUEUE);
    client
        .broker()
        .enqueue(queue.name(), &[junk])
        .await
        .unwrap();
    let worker = fixture.calm_worker().queues([QUEUE]).build().unwrap();
    support::within("the end of all", async { worker.run_until_idle().await })
        .await
        .unwrap();
    let tallies = queue.totals().await.unwrap();
    let tallies: Vec<_> = tallies
        .iter()
        .map(|Tally { name, totals, .. }| (name.as_str(), figures(*totals)))
        .collect();
    let expected = [
        ("other", [0, 0, 0, 1]),
        ("totals.bad", [0, 6, 4, 2]),
        ("totals.fatal", [0, 1, 0, 1]),
        ("totals.good", [7, 0, 0, 0]),
    ];
    assert_eq!(tallies, expected);
    assert_eq!(figures(queue.stats().await.unwrap().totals), [7, 7, 4, 4]);
}

async fn the_time_that_runs_took_is_added_up(fixture: Fixture) {
    let client = &fixture.client;
    client
        .enqueue_all((0..3).map(|_| slow::new()))
        .await
        .unwrap();
    client
        .enqueue_all((0..3).map(|_| block::new()))
        .await
        .unwrap();
    let worker = fixture.calm_worker().queues([QUEUE]).build().unwrap();
    support::within("the end of all", async { worker.run_until_idle().await })
        .await
        .unwrap();
    for name in ["totals.slow", "totals.block"] {
        let spent = of(&fixture, name).await.spent;
        assert!(spent >= Duration::from_millis(90), "{name}: {spent:?}");
    }
}

async fn workers_report_while_they_run_and_add_to_what_others_reported(fixture: Fixture) {
    let worker = || {
        fixture
            .calm_worker()
            .renew_every(RENEW_EVERY)
            .queues([QUEUE])
    };
    for round in 1..=2 {
        let handle = worker().build().unwrap().spawn();
        good::enqueue(&fixture.client).await.unwrap();
        let reported = async || (of(&fixture, "totals.good").await.done == round).then_some(());
        support::eventually("the report", reported).await;
        handle.shutdown().await;
    }
    assert_eq!(of(&fixture, "totals.good").await.done, 2);
}

/// With a heartbeat once in an hour nothing but the end of the worker can have told.
async fn a_worker_that_ends_reports_all_it_did(fixture: Fixture) {
    let worker = fixture.calm_worker().lease(Duration::from_secs(3600));
    let worker = worker
        .renew_every(Duration::from_secs(1700))
        .queues([QUEUE]);
    let handle = worker.build().unwrap().spawn();
    let jobs = (0..500).map(|_| good::new());
    fixture.client.enqueue_all(jobs).await.unwrap();
    wait::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("begin", 1).await;
    let go = async { fixture.ledger.write("go") };
    let (report, ()) = tokio::join!(handle.shutdown(), go);
    assert_eq!(report.abandoned, 0);
    assert_eq!(of(&fixture, "totals.wait").await.done, 1);
    assert_eq!(of(&fixture, "totals.good").await.done, 500);
}

/// Counts the first report, and never says so.
#[derive(Default)]
struct Unanswered {
    was_told: AtomicBool,
    told: Notify,
}

#[async_trait]
impl Hook for Unanswered {
    async fn around(&self, call: Call) -> Answer {
        call.run().await
    }

    async fn report(&self, report: &Report, broker: &dyn Broker) -> Result<Reported, BrokerError> {
        let answer = broker.report(report).await;
        if !self.was_told.swap(true, Ordering::Relaxed) {
            self.told.notify_one();
            std::future::pending::<()>().await;
        }
        answer
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_ends_reports_what_came_since_a_report_without_an_answer() {
    let mut fixture = Fixture::memory().await;
    let hook = Arc::new(Unanswered::default());
    fixture.hook(&hook);
    let worker = fixture.calm_worker().queues([QUEUE]).build().unwrap();
    let handle = worker.spawn();
    good::enqueue(&fixture.client).await.unwrap();
    support::within("the first report", hook.told.notified()).await;
    wait::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("begin", 1).await;
    fixture.ledger.write("go");
    handle.shutdown().await;
    assert_eq!(of(&fixture, "totals.good").await.done, 1);
    assert_eq!(of(&fixture, "totals.wait").await.done, 1);
}

on_every_broker! {
    every_end_of_a_run_counts_for_its_name
    the_time_that_runs_took_is_added_up
    workers_report_while_they_run_and_add_to_what_others_reported
    a_worker_that_ends_reports_all_it_did
}
