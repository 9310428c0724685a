//! Redis goes away, or forgets, and comes back: nothing accepted is lost, and work goes on.

use std::collections::BTreeSet;
use std::time::Duration;

use jobq::{Client, State, job};
use support::jobs::{QUEUE, note};
use support::{Record, RedisServer, Role};

use crate::fixture::{Fixture, Ledger};
use crate::plain::Plain;
use crate::program::Program;

const JOBS: usize = 3000;

#[job(name = "outage.mark", queue = "outage")]
async fn mark(ledger: State<Ledger>, key: u32) {
    // Long enough for faults to fall between.
    tokio::time::sleep(Duration::from_millis(5)).await;
    ledger.write(format!("{key}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_redis_work_goes_on_and_nothing_is_lost() {
    let mut server = RedisServer::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let record = Record::new();
    let patient = Fixture::on(&server).await;
    let hasty =
        Client::builder(Role::Producer.log_in(&server.url())).timeout(Duration::from_millis(200));
    let hasty = support::connected(hasty).await;
    let program =
        Program::start(&Role::Worker.log_in(&server.url()), &["--concurrency", "4"]).await;
    let jobs = (0..500).map(|n| note::new(record.path(), format!("a{n}")));
    patient.client.enqueue_all(jobs).await.unwrap();
    record.wait_for("end a", 20).await;
    server.kill();
    program.wait_for_log("the broker failed").await;
    let refused = support::within(
        "a producer to be told",
        note::enqueue(&hasty, record.path(), "x"),
    );
    assert!(refused.await.is_err());
    server.restart();
    program.wait_for_log("the broker answers again").await;
    support::eventually("a producer to be heard again", async || {
        note::enqueue(&patient.client, record.path(), "b")
            .await
            .ok()
    })
    .await;
    record.wait_for("end b", 1).await;
    support::eventually("every job to be done", async || {
        let stats = patient.queue(QUEUE).stats().await.unwrap();
        (stats.ready + stats.delayed + stats.in_flight == 0).then_some(())
    })
    .await;
    let done: BTreeSet<_> = record.after("end a").into_iter().collect();
    assert_eq!(done.len(), 500);
    assert_eq!(patient.queue(QUEUE).stats().await.unwrap().dead, 0);
    for once in ["the broker failed", "the broker answers again"] {
        let log = program.log();
        assert_eq!(log.matches(once).count(), 1, "{once}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_no_worker_says_that_it_is_back() {
    let mut server = RedisServer::start();
    let client = Fixture::on(&server).await;
    let mut plain = Plain::connect(&client).await;
    let args = ["--queues", "a,b,c", "--log", "debug"];
    let program = Program::start(&Role::Worker.log_in(&server.url()), &args).await;
    plain.wait_for_idler().await;
    server.kill();
    // Every component has noticed, and the idlers more than once.
    support::eventually("many failures", async || {
        (program.log().matches("the broker failed again").count() > 20).then_some(())
    })
    .await;
    let log = program.log();
    assert_eq!(log.matches("the broker failed; ").count(), 1, "{log}");
    assert!(!log.contains("the broker answers again"), "{log}");
    // It forgot everything: nobody took anything over.
    server.restart();
    program.wait_for_log("the broker answers again").await;
    program.wait_for_log("the server lost its data").await;
}

/// Drains while `harm` is done again and again; then everything has run, and new jobs do.
async fn drain_under(harm: &str) {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let jobs = (0..JOBS).map(|n| mark::new(n as u32));
    fixture.client.enqueue_all(jobs).await.unwrap();
    let handle = fixture.worker().queues(["outage"]).build().unwrap().spawn();
    let mut times = 0;
    support::eventually("every job to have run", async || {
        // A connection each time: the harm may end this one too.
        let mut plain = Plain::connect(&fixture).await;
        plain.try_say(harm).await;
        times += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let ran: BTreeSet<_> = fixture.ledger.lines().into_iter().collect();
        (ran.len() == JOBS).then_some(())
    })
    .await;
    assert!(times > 3, "{times}");
    fixture.ledger.write("harm is over");
    support::eventually("a producer to be heard", async || {
        mark::enqueue(&fixture.client, 1_000_000u32).await.ok()
    })
    .await;
    fixture.ledger.wait_for("1000000", 1).await;
    support::eventually("nothing to be left", async || {
        let stats = fixture.queue("outage").stats().await.unwrap();
        (stats.ready + stats.delayed + stats.in_flight + stats.dead == 0).then_some(())
    })
    .await;
    assert_eq!(handle.stats().adopted, 0);
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_are_flushed_are_sent_again() {
    drain_under("SCRIPT FLUSH").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_no_job() {
    drain_under("CLIENT KILL TYPE normal").await;
}
