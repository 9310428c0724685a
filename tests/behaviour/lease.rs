//! Each worker has a lease of its own, for which the others wait. One that is not answered knows that
//! it may be gone: its jobs can ask, it claims nothing, and it goes on by itself once it is answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jobq::broker::Renewed;
use jobq::{BrokerError, BrokerErrorKind, Context, State, job};
use support::hooked::{Answer, Call, Hook};
use support::jobs::{self, hold};
use support::{DEADLINE, Record, RedisServer};
use tokio::time::Instant;

use crate::fixture::{Fixture, Ledger};
use crate::foreign::{Foreign, only_member};
use crate::program::Program;

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
    // A test that fails is to end all the same.
    let began = std::time::Instant::now();
    let wait = |what: &dyn Fn() -> bool| {
        while !what() && began.elapsed() < 2 * DEADLINE {
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

/// Goes on for longer than any lease here.
#[job(name = "lease.long", queue = "lease", timeout = "none")]
async fn long(ledger: State<Ledger>) {
    ledger.write("long begins");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    ledger.write("long ends");
}

#[tokio::test(start_paused = true)]
async fn workers_of_one_queue_may_have_different_leases() {
    let fixture = Fixture::memory().await;
    let worker = |lease: u64, renew_every| {
        let worker = fixture.worker().queues([QUEUE]).concurrency(1);
        let worker = worker
            .lease(Duration::from_secs(lease))
            .renew_every(renew_every);
        worker.build().unwrap().spawn()
    };
    // Slow to renew for the other, and not for itself.
    let patient = worker(10, Duration::from_secs(4));
    let hasty = worker(1, Duration::from_millis(300));
    fixture
        .client
        .enqueue_all([long::new(), long::new()])
        .await
        .unwrap();
    while fixture.ledger.count("long ends") < 2 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert_eq!(fixture.ledger.count("long begins"), 2);
    for worker in [patient, hasty] {
        let stats = worker.stats();
        assert_eq!((stats.adopted, stats.stale), (0, 0));
        worker.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dead_are_waited_for_as_long_as_their_own_lease() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let quick = ["--lease", "1s", "--renew-every", "300ms"];
    let mut program = Program::start(&fixture.url, &quick).await;
    hold::enqueue(&fixture.client, record.path(), "held")
        .await
        .unwrap();
    record.wait_for("begin held", 1).await;
    let watcher = fixture.worker().queues([jobs::QUEUE]);
    let watcher = watcher
        .lease(Duration::from_secs(20))
        .renew_every(Duration::from_secs(6));
    let watcher = watcher.build().unwrap().spawn();
    // It is a member, and so is judged by nobody else's silence.
    support::eventually("both to be members", async || {
        let queue = jobs::QUEUE.parse().unwrap();
        let members = fixture.runner.broker().members(&queue).await.unwrap();
        (members.len() == 2).then_some(())
    })
    .await;
    let killed = Instant::now();
    program.kill();
    record.write("go");
    record.wait_for("begin held", 2).await;
    let took = killed.elapsed();
    assert!(took > Duration::from_millis(600), "{took:?}");
    assert!(took < Duration::from_secs(12), "{took:?}");
    record.wait_for("end held", 1).await;
    assert_eq!(watcher.stats().adopted, 1);
    watcher.shutdown().await;
}

/// A worker whose renewals fail while it is cut off; it notes when the worker was told that it was
/// reaped.
#[derive(Debug, Default)]
struct Line {
    cut: AtomicBool,
    told: Mutex<Option<Instant>>,
}

#[async_trait]
impl Hook for Line {
    async fn around(&self, call: Call) -> Answer {
        if call.step().is("renew") && self.cut.load(Ordering::Relaxed) {
            return call.fail(|| BrokerError::new(BrokerErrorKind::Timeout, "no answer"));
        }
        let answer = call.run().await;
        if let Answer::Renewed(Ok(Renewed::Reaped)) = answer {
            let mut told = self.told.lock().unwrap();
            told.get_or_insert_with(Instant::now);
        }
        answer
    }
}

async fn on_a_line() -> (Fixture, Arc<Line>) {
    let (mut fixture, line) = (Fixture::memory().await, Arc::new(Line::default()));
    fixture.hook(&line);
    (fixture, line)
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_answers_claims_nothing_and_goes_on_with_the_next() {
    let (fixture, line) = on_a_line().await;
    watch::enqueue(&fixture.client).await.unwrap();
    let worker = fixture
        .calm_worker()
        .queues([QUEUE])
        .build()
        .unwrap()
        .spawn();
    fixture.ledger.wait_for("certain", 1).await;
    line.cut.store(true, Ordering::Relaxed);
    let cut = Instant::now();
    fixture.ledger.wait_for("uncertain", 1).await;
    let trusted = cut.elapsed();
    assert!(trusted > Duration::from_secs(4), "{trusted:?}");
    assert!(trusted < Duration::from_secs(7), "{trusted:?}");
    mark::enqueue(&fixture.client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fixture.ledger.count("mark"), 0);
    line.cut.store(false, Ordering::Relaxed);
    fixture.ledger.wait_for("certain", 2).await;
    fixture.ledger.wait_for("mark", 1).await;
    fixture.ledger.write("stop");
    fixture.ledger.wait_for("cancelled: false", 1).await;
    assert_eq!((worker.stats().adopted, worker.stats().stale), (0, 0));
    worker.shutdown().await;
}

#[job(name = "lease.heed", queue = "lease")]
async fn heed(ctx: Context, ledger: State<Ledger>) {
    ledger.write("heed begins");
    ctx.cancelled().await;
    ledger.write("told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_jobs_on_a_busy_runtime_are_told_at_once_that_they_were_taken_over() {
    const JOBS: usize = 3000;
    let (fixture, line) = on_a_line().await;
    let jobs = (0..JOBS).map(|_| heed::new());
    fixture.client.enqueue_all(jobs).await.unwrap();
    let worker = fixture
        .calm_worker()
        .queues([QUEUE])
        .concurrency(JOBS as u32);
    let worker = worker.renew_every(Duration::from_millis(300));
    let worker = worker.build().unwrap().spawn();
    fixture.ledger.wait_for("heed begins", JOBS).await;
    let busy = tokio::spawn(async {
        loop {
            std::thread::sleep(Duration::from_millis(2));
            tokio::task::yield_now().await;
        }
    });
    let mut stranger = Foreign::new(&fixture, QUEUE);
    stranger.claim(0).await;
    stranger.adopt(&only_member(&fixture, QUEUE).await.0).await;
    // Those that are not told within a second are aborted, and never write.
    fixture.ledger.wait_for("told", JOBS).await;
    let told = line.told.lock().unwrap().expect("by a renewal");
    assert!(
        told.elapsed() < Duration::from_secs(5),
        "{:?}",
        told.elapsed()
    );
    busy.abort();
    worker.shutdown().await;
}
