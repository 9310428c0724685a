//! A job whose workers die is run alone after the second, and dead after the third; jobs that were
//! there by chance are done.

mod brief;
mod starving;

use std::time::Duration;

use jobq::{Context, JobState, Reason, State, job};
use support::Record;
use support::jobs::{QUEUE, note, pill};
use tokio::time::Instant;

use crate::fixture::{Fixture, Ledger};
use crate::foreign::{Foreign, make_suspects};
use crate::plain::Plain;
use crate::program::Program;

/// Keeps its queue full until the ledger says `stop`.
#[job(name = "suspects.crowd", queue = "crowd")]
async fn crowd(ctx: Context, ledger: State<Ledger>) -> Result<(), jobq::EnqueueError> {
    ledger.write("crowd begins");
    tokio::time::sleep(Duration::from_millis(20)).await;
    ledger.write("crowd ends");
    if ledger.count("stop") == 0 {
        crowd::enqueue(ctx.client()).await?;
    }
    Ok(())
}

#[job(name = "suspects.alone", queue = "crowd")]
async fn alone(ledger: State<Ledger>) {
    ledger.write("suspect begins");
    tokio::time::sleep(Duration::from_millis(200)).await;
    ledger.write("suspect ends");
}

/// Runs on until the ledger says `let go`, and is never over at once.
#[job(name = "suspects.held", queue = "crowd", timeout = "none")]
async fn held(ledger: State<Ledger>) {
    ledger.write("suspect begins");
    ledger.wait_for("let go", 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    ledger.write("suspect ends");
}

#[job(name = "suspects.long", queue = "crowd", timeout = "none")]
async fn long(ledger: State<Ledger>) {
    ledger.write("long begins");
    while ledger.count("stop") == 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[job(
    name = "suspects.fail",
    queue = "crowd",
    retries = 1,
    backoff = "fixed",
    base_delay = "1h"
)]
async fn fail() -> Result<(), &'static str> {
    Err("no")
}

async fn a_suspect_runs_alone(fixture: Fixture) {
    alone::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    runs_alone_among_a_crowd(&fixture, 1).await;
}

async fn a_suspect_that_a_shutdown_gave_back_runs_alone_again(fixture: Fixture) {
    held::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    let worker = fixture.worker().queues(["crowd"]);
    let worker = worker.shutdown_timeout(Duration::ZERO).build().unwrap();
    let handle = worker.spawn();
    fixture.ledger.wait_for("suspect begins", 1).await;
    handle.shutdown().await;
    assert_eq!(fixture.ledger.count("suspect ends"), 0, "it was cut short");
    fixture.ledger.write("let go");
    runs_alone_among_a_crowd(&fixture, 2).await;
}

/// Runs a worker until the suspect, which begins for the `begin`th time, has ended and others have
/// run after it.
async fn runs_alone_among_a_crowd(fixture: &Fixture, begin: usize) {
    fixture
        .client
        .enqueue_all((0..20).map(|_| crowd::new()))
        .await
        .unwrap();
    let handle = fixture
        .worker()
        .queues(["crowd"])
        .concurrency(8)
        .build()
        .unwrap()
        .spawn();
    fixture.ledger.wait_for("suspect ends", 1).await;
    let after = fixture.ledger.count("crowd begins") + 20;
    fixture.ledger.wait_for("crowd begins", after).await;
    fixture.ledger.write("stop");
    handle.shutdown().await;
    let lines = fixture.ledger.lines();
    let begins = lines.iter().enumerate();
    let (begin, _) = begins
        .filter(|(_, line)| *line == "suspect begins")
        .nth(begin - 1)
        .unwrap();
    assert_eq!(lines[begin + 1], "suspect ends");
    let count = |what: &str| lines[..begin].iter().filter(|line| *line == what).count();
    assert_eq!(
        count("crowd begins"),
        count("crowd ends"),
        "someone ran beside it"
    );
}

async fn suspects_run_one_by_one(fixture: Fixture) {
    fixture
        .client
        .enqueue_all((0..3).map(|_| alone::new()))
        .await
        .unwrap();
    make_suspects(&fixture, "crowd").await;
    let handle = fixture.worker().queues(["crowd"]).build().unwrap().spawn();
    fixture.ledger.wait_for("suspect ends", 3).await;
    handle.shutdown().await;
    assert_eq!(
        fixture.ledger.lines(),
        ["suspect begins", "suspect ends"].repeat(3)
    );
    let stats = fixture.queue("crowd").stats().await.unwrap();
    assert_eq!((stats.ready, stats.in_flight, stats.dead), (0, 0, 0));
}

async fn a_third_crash_is_death_and_counts_for_the_suspect_only(fixture: Fixture) {
    alone::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    fixture
        .client
        .enqueue_all((0..3).map(|_| crowd::new()))
        .await
        .unwrap();
    let mut stranger = Foreign::new(&fixture, "crowd");
    assert_eq!(stranger.claim(3).await.len(), 3);
    let suspect = stranger.claim_suspect().await;
    // So that nothing runs meanwhile and all can be looked at.
    fixture.queue("crowd").pause().await.unwrap();
    let handle = fixture.worker().queues(["crowd"]).build().unwrap().spawn();
    let queue = fixture.queue("crowd");
    support::eventually("the suspect to be dead", async || {
        let stats = queue.stats().await.unwrap();
        (stats.dead == 1 && stats.in_flight == 0).then_some(())
    })
    .await;
    let dead = queue.dead().list(0, 10).await.unwrap();
    assert_eq!(dead[0].id(), suspect.envelope.id());
    assert_eq!(dead[0].reason(), Reason::Crashed);
    assert_eq!(dead[0].envelope().unwrap().crashes(), 3);
    let ready = queue.jobs(JobState::Ready, 0, 10).await.unwrap();
    let crashes: Vec<_> = ready
        .iter()
        .map(|job| job.envelope().unwrap().crashes())
        .collect();
    assert_eq!(crashes, [0, 0, 0]);
    assert_eq!(fixture.ledger.lines(), [""; 0]);
    handle.shutdown().await;
}

async fn a_worker_that_dies_counts_for_each_job_if_none_is_a_suspect(fixture: Fixture) {
    fixture
        .client
        .enqueue_all((0..3).map(|_| crowd::new()))
        .await
        .unwrap();
    let queue = fixture.queue("crowd");
    let crashes = async || {
        let ready = queue.jobs(JobState::Ready, 0, 10).await.unwrap();
        ready
            .iter()
            .map(|job| job.envelope().unwrap().crashes())
            .collect::<Vec<_>>()
    };
    let mut stranger = Foreign::new(&fixture, "crowd");
    assert_eq!(stranger.claim(3).await.len(), 3);
    queue.pause().await.unwrap();
    let handle = fixture.worker().queues(["crowd"]).build().unwrap().spawn();
    support::eventually("the jobs to be ready again", async || {
        (crashes().await == [1, 1, 1]).then_some(())
    })
    .await;
    handle.shutdown().await;
}

async fn a_clean_end_clears_crashes(fixture: Fixture) {
    fail::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    let handle = fixture.worker().queues(["crowd"]).build().unwrap().spawn();
    let queue = fixture.queue("crowd");
    let delayed = support::eventually("the job to wait for its retry", async || {
        queue.jobs(JobState::Delayed, 0, 1).await.unwrap().pop()
    })
    .await;
    let envelope = delayed.envelope().unwrap();
    assert_eq!((envelope.failures(), envelope.crashes()), (1, 0));
    handle.shutdown().await;
}

#[job(name = "suspects.other", queue = "other")]
async fn other(ledger: State<Ledger>) {
    ledger.write("other");
}

async fn suspects_of_a_paused_queue_stop_nobody(fixture: Fixture) {
    alone::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    fixture.queue("crowd").pause().await.unwrap();
    long::new()
        .queue("other")
        .enqueue(&fixture.client)
        .await
        .unwrap();
    let worker = fixture.worker().queues(["crowd", "other"]);
    let handle = worker.concurrency(2).build().unwrap().spawn();
    fixture.ledger.wait_for("long begins", 1).await;
    // Once a second for a while: a worker that made room would wait for the long job to end.
    for n in 1..=5 {
        other::new()
            .delay(Duration::from_secs(1))
            .enqueue(&fixture.client)
            .await
            .unwrap();
        fixture.ledger.wait_for("other", n).await;
    }
    fixture.ledger.write("stop");
    fixture.queue("crowd").resume().await.unwrap();
    fixture.ledger.wait_for("suspect ends", 1).await;
    handle.shutdown().await;
}

crate::on_every_broker! {
    a_suspect_runs_alone
    a_suspect_that_a_shutdown_gave_back_runs_alone_again
    suspects_run_one_by_one
    a_third_crash_is_death_and_counts_for_the_suspect_only
    a_worker_that_dies_counts_for_each_job_if_none_is_a_suspect
    a_clean_end_clears_crashes
    suspects_of_a_paused_queue_stop_nobody
}

#[tokio::test]
async fn a_damaged_queue_keeps_no_suspect_of_another_from_running_alone() {
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    let other_suspects = plain.key("other", "suspects");
    alone::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    fixture.queue("crowd").pause().await.unwrap();
    other::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.worker().queues(["other", "crowd"]);
    let handle = worker.build().unwrap().spawn();
    fixture.ledger.wait_for("other", 1).await;
    let _: () = plain.say(&format!("SET {other_suspects} text")).await;
    fixture.queue("crowd").resume().await.unwrap();
    fixture.ledger.wait_for("suspect ends", 1).await;
    let _: () = plain.say(&format!("DEL {other_suspects}")).await;
    other::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("other", 2).await;
    handle.shutdown().await;
}

/// Waits for hours if need be, in virtual time.
async fn appears(fixture: &Fixture, line: &str) {
    let begun = Instant::now();
    while fixture.ledger.count(line) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(10 * 3600), "{line}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspect_that_finds_no_empty_worker_runs_beside_others_in_the_end() {
    let fixture = Fixture::memory().await;
    alone::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    long::enqueue(&fixture.client).await.unwrap();
    let handle = fixture.worker().queues(["crowd"]).build().unwrap().spawn();
    appears(&fixture, "long begins").await;
    let begun = Instant::now();
    // While the worker waits to be empty nobody else runs; between two offers they do.
    crowd::enqueue(&fixture.client).await.unwrap();
    appears(&fixture, "crowd ends").await;
    assert!(
        begun.elapsed() < Duration::from_secs(70),
        "{:?}",
        begun.elapsed()
    );
    appears(&fixture, "suspect ends").await;
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(590), "{waited:?}");
    assert!(waited < Duration::from_secs(15 * 60), "{waited:?}");
    fixture.ledger.write("stop");
    handle.shutdown().await;
}

#[tokio::test]
async fn a_pill_is_dead_after_three_starts_and_the_innocent_are_done() {
    const INNOCENT: usize = 3;
    let (fixture, record) = (Fixture::redis().await, Record::new());
    pill::enqueue(&fixture.client, record.path(), "pill")
        .await
        .unwrap();
    let innocent = (0..INNOCENT).map(|n| note::new(record.path(), format!("innocent {n}")));
    fixture.client.enqueue_all(innocent).await.unwrap();
    let queue = fixture.queue(QUEUE);
    let arguments = ["--concurrency", "16"];
    let mut program = Program::start(&fixture.url, &arguments).await;
    support::eventually("the pill to be dead", async || {
        if program.is_over() {
            program = Program::start(&fixture.url, &arguments).await;
        }
        (queue.stats().await.unwrap().dead > 0).then_some(())
    })
    .await;
    record.wait_for("end innocent", INNOCENT).await;
    let dead = queue.dead().list(0, 10).await.unwrap();
    let reasons: Vec<_> = dead
        .iter()
        .map(|job| (job.name().unwrap(), job.reason()))
        .collect();
    assert_eq!(reasons, [("test.pill", Reason::Crashed)]);
    assert_eq!(record.after("begin pill").len(), 3);
    assert!(!program.is_over());
}
