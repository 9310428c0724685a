//! A worker that is not answered knows that its lease may be gone: its jobs can ask, it claims
//! nothing, and it goes on by itself once it is answered.

use std::time::Duration;

use jobq::{Context, State, job};
use support::RedisServer;

use crate::fixture::{Fixture, Ledger};
use crate::foreign::{Foreign, only_member};

const QUEUE: &str = "lease";

/// Writes down whether its lease is certain, whenever that changes, until the ledger says `stop`.
#[job(name = "lease.watch", queue = "lease", timeout = "none")]
async fn watch(ctx: Context, ledger: State<Ledger>) {
    let mut was = None;
    while ledger.count("stop") == 0 {
        let is = ctx.lease_uncertain();
        if was.replace(is) != Some(is) {
            ledger.write(if is { "uncertain" } else { "certain" });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ledger.write(format!("cancelled: {}", ctx.is_cancelled()));
}

#[job(name = "lease.mark", queue = "lease")]
async fn mark(ledger: State<Ledger>) {
    ledger.write("mark");
}

/// Tells what it knows of its lease when it is asked to end, and after its worker has gone on.
#[job(name = "lease.last_words", queue = "lease", blocking)]
fn last_words(ctx: Context, ledger: State<Ledger>) {
    ledger.write(format!("uncertain: {}", ctx.lease_uncertain()));
    let wait = |what: &dyn Fn() -> bool| {
        while !what() {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait(&|| ctx.is_cancelled());
    ledger.write(format!("uncertain: {}", ctx.lease_uncertain()));
    wait(&|| ledger.count("mark") > 0);
    ledger.write(format!("uncertain: {}", ctx.lease_uncertain()));
}

async fn a_run_that_was_taken_over_knows_for_good(fixture: Fixture) {
    last_words::enqueue(&fixture.client).await.unwrap();
    let worker = fixture
        .calm_worker()
        .queues([QUEUE])
        .renew_every(Duration::from_millis(300));
    let worker = worker.build().unwrap().spawn();
    fixture.ledger.wait_for("uncertain: false", 1).await;
    let mut stranger = Foreign::new(&fixture, QUEUE);
    stranger.claim(0).await;
    stranger.adopt(&only_member(&fixture, QUEUE).await.0).await;
    fixture.ledger.wait_for("uncertain: true", 1).await;
    // It runs under the worker's new id, whose lease is sound.
    mark::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("uncertain: true", 2).await;
    worker.shutdown().await;
}

crate::on_every_broker! {
    a_run_that_was_taken_over_knows_for_good
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_the_lease_is_uncertain_and_nothing_is_lost() {
    let mut server = RedisServer::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let fixture = Fixture::on(&server).await;
    watch::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    fixture.ledger.wait_for("certain", 1).await;
    server.kill();
    fixture.ledger.wait_for("uncertain", 1).await;
    server.restart();
    fixture.ledger.wait_for("certain", 2).await;
    support::eventually("a producer to be heard again", async || {
        mark::enqueue(&fixture.client).await.ok()
    })
    .await;
    fixture.ledger.wait_for("mark", 1).await;
    fixture.ledger.write("stop");
    fixture.ledger.wait_for("cancelled: false", 1).await;
    support::eventually("both to be done", async || {
        (worker.stats().done >= 2).then_some(())
    })
    .await;
    assert_eq!((worker.stats().adopted, worker.stats().stale), (0, 0));
    worker.shutdown().await;
}
