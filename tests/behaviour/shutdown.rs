//! A worker ends in order: what may end ends, the rest is given back, nothing is left behind.

mod unanswered;

use std::collections::BTreeSet;
use std::time::Duration;

use jobq::{Context, State, job};
use support::jobs::{QUEUE, hold, hold_blocking};
use support::{Record, RedisServer};

use crate::fixture::{Fixture, Ledger};
use crate::plain::Plain;
use crate::program::{Program, command};

const SHORT: Duration = Duration::from_millis(50);

#[job(name = "shutdown.mark", queue = "ending")]
async fn mark(ledger: State<Ledger>) {
    ledger.write("mark");
}

/// Ends once the ledger says `go`.
#[job(name = "shutdown.wait", queue = "ending")]
async fn wait(ctx: Context, ledger: State<Ledger>) {
    let _dropped = Dropped(&ctx, &ledger);
    ledger.write(format!("begin {}", ctx.attempt()));
    ledger.wait_for("go", 1).await;
    ledger.write("end");
}

struct Dropped<'a>(&'a Context, &'a Ledger);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        // Whoever could run the job meanwhile would write before.
        std::thread::sleep(SHORT);
        let cancelled = self.0.is_cancelled();
        self.1.write(format!("dropped, cancelled: {cancelled}"));
    }
}

#[job(name = "shutdown.block", queue = "ending", blocking)]
fn block(ctx: Context, ledger: State<Ledger>) {
    ledger.write(format!("begin {}", ctx.attempt()));
    while ledger.count("go") == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    ledger.write("end");
}

#[job(name = "shutdown.heed", queue = "ending", blocking)]
fn heed(ctx: Context, ledger: State<Ledger>) {
    ledger.write("begin");
    while !ctx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    ledger.write("cancelled");
}

#[job(
    name = "shutdown.stumble",
    queue = "ending",
    retries = 1,
    backoff = "fixed",
    base_delay = "1ms"
)]
async fn stumble(ctx: Context, ledger: State<Ledger>) -> Result<(), &'static str> {
    ledger.write("stumble");
    if ctx.attempt() == 1 {
        Err("the first time")
    } else {
        Ok(())
    }
}

async fn left(fixture: &Fixture) -> (u64, u64, u64, u64) {
    let stats = fixture.queue("ending").stats().await.unwrap();
    (stats.ready, stats.delayed, stats.in_flight, stats.dead)
}

async fn running_jobs_may_end_and_are_not_run_again(fixture: Fixture) {
    fixture
        .client
        .enqueue_all((0..10).map(|_| wait::new()))
        .await
        .unwrap();
    let handle = fixture.worker().queues(["ending"]).build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 10).await;
    let go = async { fixture.ledger.write("go") };
    let (report, ()) = tokio::join!(handle.shutdown(), go);
    assert_eq!(report.abandoned, 0);
    assert_eq!(fixture.ledger.count("end"), 10);
    assert_eq!(left(&fixture).await, (0, 0, 0, 0));
}

/// Their outcomes are settled, however close to the end of the worker they come.
async fn blocking_jobs_may_end_too(fixture: Fixture) {
    for round in 0..20 {
        block::enqueue(&fixture.client).await.unwrap();
        let worker = fixture.worker().queues(["ending"]).build().unwrap();
        let handle = worker.spawn();
        fixture.ledger.wait_for("begin 1", round + 1).await;
        let go = async { fixture.ledger.write("go") };
        let (report, ()) = tokio::join!(handle.shutdown(), go);
        assert_eq!(report.abandoned, 0);
        assert_eq!(left(&fixture).await, (0, 0, 0, 0), "round {round}");
        assert_eq!(fixture.ledger.count("end"), round + 1);
    }
}

async fn jobs_over_the_timeout_are_given_back_after_their_drops(fixture: Fixture) {
    wait::enqueue(&fixture.client).await.unwrap();
    let first = fixture.worker().queues(["ending"]).shutdown_timeout(SHORT);
    let first = first.build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 1).await;
    let second = fixture.worker().queues(["ending"]).build().unwrap().spawn();
    assert_eq!(first.shutdown().await.abandoned, 0);
    fixture.ledger.wait_for("begin 1", 2).await;
    assert_eq!(
        fixture.ledger.lines(),
        ["begin 1", "dropped, cancelled: true", "begin 1"]
    );
    fixture.ledger.write("go");
    second.shutdown().await;
    assert_eq!(fixture.ledger.count("end"), 1);
    assert_eq!(left(&fixture).await, (0, 0, 0, 0));
}

async fn a_blocking_job_sees_that_it_should_end(fixture: Fixture) {
    heed::enqueue(&fixture.client).await.unwrap();
    let handle = fixture.worker().queues(["ending"]).shutdown_timeout(SHORT);
    let handle = handle.build().unwrap().spawn();
    fixture.ledger.wait_for("begin", 1).await;
    assert_eq!(handle.shutdown().await.abandoned, 0);
    assert_eq!(fixture.ledger.lines(), ["begin", "cancelled"]);
    assert_eq!(left(&fixture).await, (0, 0, 0, 0));
}

async fn a_blocking_job_that_goes_on_is_abandoned_and_adopted(fixture: Fixture) {
    block::enqueue(&fixture.client).await.unwrap();
    let handle = fixture.worker().queues(["ending"]).shutdown_timeout(SHORT);
    let handle = handle.build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 1).await;
    assert_eq!(handle.shutdown().await.abandoned, 1);
    assert_eq!(left(&fixture).await, (0, 0, 1, 0));
    let second = fixture.worker().queues(["ending"]).build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 2).await;
    assert_eq!(second.stats().adopted, 1);
    fixture.ledger.write("go");
    fixture.ledger.wait_for("end", 2).await;
    second.shutdown().await;
    assert_eq!(left(&fixture).await, (0, 0, 0, 0));
}

async fn a_shutdown_amid_new_jobs_leaves_none_in_flight(fixture: Fixture) {
    for round in 0..20 {
        let handle = fixture
            .worker()
            .queues(["ending"])
            .concurrency(2)
            .build()
            .unwrap()
            .spawn();
        mark::enqueue(&fixture.client).await.unwrap();
        fixture.ledger.wait_for("mark", 3 * round + 1).await;
        let client = fixture.client.clone();
        let producer = async {
            for _ in 0..2 {
                mark::enqueue(&client).await.unwrap();
            }
        };
        tokio::join!(producer, handle.shutdown());
        let ran = fixture.ledger.count("mark") as u64;
        let total = 3 * (round as u64 + 1);
        assert_eq!(left(&fixture).await, (total - ran, 0, 0, 0));
        let worker = fixture.worker().queues(["ending"]).build().unwrap();
        worker.run_until_idle().await.unwrap();
    }
}

async fn a_dropped_handle_leaves_the_worker_running(fixture: Fixture) {
    drop(fixture.worker().queues(["ending"]).build().unwrap().spawn());
    mark::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("mark", 1).await;
    mark::new()
        .delay(SHORT)
        .enqueue(&fixture.client)
        .await
        .unwrap();
    fixture.ledger.wait_for("mark", 2).await;
}

crate::on_every_broker! {
    running_jobs_may_end_and_are_not_run_again
    blocking_jobs_may_end_too
    jobs_over_the_timeout_are_given_back_after_their_drops
    a_blocking_job_sees_that_it_should_end
    a_blocking_job_that_goes_on_is_abandoned_and_adopted
    a_shutdown_amid_new_jobs_leaves_none_in_flight
    a_dropped_handle_leaves_the_worker_running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_behind_in_redis() {
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    let handle = fixture
        .worker()
        .queues(["ending", "other", "third"])
        .build()
        .unwrap()
        .spawn();
    fixture
        .client
        .enqueue_all((0..200).map(|_| mark::new()))
        .await
        .unwrap();
    mark::new()
        .delay(SHORT)
        .enqueue(&fixture.client)
        .await
        .unwrap();
    stumble::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("mark", 201).await;
    fixture.ledger.wait_for("stumble", 2).await;
    plain.wait_for_idler().await;
    handle.shutdown().await;
    assert_eq!(plain.leftovers().await, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_ends_although_redis_is_dead() {
    let mut server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    wait::enqueue(&fixture.client).await.unwrap();
    let handle = fixture.worker().queues(["ending"]).shutdown_timeout(SHORT);
    let handle = handle.build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 1).await;
    server.kill();
    support::within("a worker without Redis to stop", handle.shutdown()).await;
    assert_eq!(fixture.ledger.count("dropped, cancelled: true"), 1);
}

#[tokio::test]
async fn a_second_signal_gives_running_jobs_back_at_once() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut program = Program::start(&fixture.url, &["--shutdown-timeout", "1h"]).await;
    hold::enqueue(&fixture.client, record.path(), "a")
        .await
        .unwrap();
    hold_blocking::enqueue(&fixture.client, record.path(), "b")
        .await
        .unwrap();
    record.wait_for("begin ", 2).await;
    program.signal("TERM");
    program.wait_for_log("shutting down").await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));
    assert_eq!(record.after("dropped "), ["a"]);
    let log = program.log();
    let told = log.contains("released=2 ") && log.contains("abandoned=0");
    assert!(told, "{log}");
    let stats = fixture.queue(QUEUE).stats().await.unwrap();
    assert_eq!((stats.ready, stats.in_flight), (2, 0));
    record.write("go");
    let worker = fixture.worker().queues([QUEUE]).build().unwrap();
    worker.run_until_idle().await.unwrap();
    let begun = record.after("begin ");
    assert!(
        begun.len() == 4 && begun.iter().all(|line| line.ends_with(" 1")),
        "{begun:?}"
    );
}

#[tokio::test]
async fn a_worker_that_ran_until_a_signal_has_given_back_what_it_cannot_abort() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    hold_blocking::enqueue(&fixture.client, record.path(), "a")
        .await
        .unwrap();
    let mut program = Program::launch(command().env("TEST_RUN", &fixture.url));
    record.wait_for("begin a", 1).await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0), "{}", program.log());
    let stats = fixture.queue(QUEUE).stats().await.unwrap();
    assert_eq!((stats.ready, stats.in_flight), (1, 0));
}

#[tokio::test]
async fn a_third_signal_exits_at_once() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let record = Record::new();
    let mut program = Program::start(&fixture.url, &["--shutdown-timeout", "1h"]).await;
    hold_blocking::enqueue(&fixture.client, record.path(), "a")
        .await
        .unwrap();
    record.wait_for("begin a", 1).await;
    // A server that does not answer keeps the second signal busy for seconds.
    server.signal("STOP");
    program.signal("INT");
    program.wait_for_log("shutting down").await;
    program.signal("TERM");
    program.wait_for_log("giving running jobs back").await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(130));
    server.signal("CONT");
}
