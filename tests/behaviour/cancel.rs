//! What is cancelled before it starts does not start, wherever it waits; nothing else is lost by it.

mod moved;
mod unanswered;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::{Due, Entry};
use jobq::{Context, JobId, JobState, Reason, State, job};

use crate::fixture::{Fixture, Ledger};
use crate::foreign::{Foreign, make_suspects};

const QUEUE: &str = "default";

/// Writes its number down.
#[job(name = "cancel.mark")]
async fn mark(ledger: State<Ledger>, number: u32) {
    ledger.write(number.to_string());
}

/// Fails until the ledger says `mended`; then it runs until the ledger says `go`.
#[job(
    name = "cancel.fail",
    retries = 3,
    backoff = "fixed",
    base_delay = "1s",
    jitter = "none"
)]
async fn fail(ctx: Context, ledger: State<Ledger>) -> Result<(), String> {
    ledger.write(format!("begin {}", ctx.attempt()));
    ledger.wait_for("go", 1).await;
    match ledger.count("mended") {
        0 => Err("broken".to_owned()),
        _ => Ok(()),
    }
}

/// Gives up at once.
#[job(name = "cancel.die", retries = 0)]
async fn die(ledger: State<Ledger>) -> Result<(), String> {
    ledger.write("died");
    Err("always".to_owned())
}

async fn cancel(fixture: &Fixture, id: JobId) {
    fixture.queue(QUEUE).cancel(id).await.unwrap();
}

async fn enqueue(fixture: &Fixture, number: u32) -> JobId {
    mark::enqueue(&fixture.client, number).await.unwrap().id()
}

async fn a_ready_job_is_dropped_and_no_other(fixture: Fixture) {
    let cancelled = enqueue(&fixture, 1).await;
    enqueue(&fixture, 2).await;
    cancel(&fixture, cancelled).await;
    cancel(&fixture, cancelled).await;
    let stats = fixture.queue(QUEUE).stats().await.unwrap();
    assert_eq!(stats.ready, 2, "until a worker comes it stays in its place");
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.done, stats.released), (1, 1, 0));
    assert_eq!(fixture.ledger.lines(), ["2"]);
}

async fn a_delayed_job_is_dropped_when_it_is_due(fixture: Fixture) {
    let call = mark::new(1u32).delay(Duration::from_millis(200));
    let job = call.enqueue(&fixture.client).await.unwrap();
    cancel(&fixture, job.id()).await;
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.done), (1, 0));
    assert_eq!(fixture.ledger.lines(), [""; 0]);
}

async fn a_job_that_waits_for_its_retry_is_dropped(fixture: Fixture) {
    let job = fail::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.write("go");
    let worker = fixture.calm_worker().build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 1).await;
    // So that nobody retries it before it is cancelled.
    worker.shutdown().await;
    cancel(&fixture, job.id()).await;
    assert_eq!(fixture.run_until_idle().await.cancelled, 1);
    assert_eq!(fixture.ledger.lines(), ["go", "begin 1"]);
}

async fn a_running_job_goes_on_and_its_retry_is_dropped(fixture: Fixture) {
    let job = fail::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 1).await;
    cancel(&fixture, job.id()).await;
    fixture.ledger.write("go");
    support::eventually("the retry to be dropped", async || {
        (worker.stats().cancelled == 1).then_some(())
    })
    .await;
    assert_eq!(worker.stats().retried, 1);
    worker.shutdown().await;
    assert_eq!(fixture.ledger.lines(), ["begin 1", "go"]);
}

async fn a_running_job_that_succeeds_is_done(fixture: Fixture) {
    fixture.ledger.write("mended");
    let job = fail::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 1).await;
    cancel(&fixture, job.id()).await;
    fixture.ledger.write("go");
    support::eventually("its end", async || (worker.stats().done == 1).then_some(())).await;
    assert_eq!(worker.stats().cancelled, 0);
    worker.shutdown().await;
}

async fn a_suspect_is_dropped(fixture: Fixture) {
    let cancelled = enqueue(&fixture, 1).await;
    enqueue(&fixture, 2).await;
    make_suspects(&fixture, QUEUE).await;
    cancel(&fixture, cancelled).await;
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.done), (1, 1));
    assert_eq!(fixture.ledger.lines(), ["2"]);
}

async fn a_job_on_a_paused_queue_is_dropped_after_the_pause(fixture: Fixture) {
    let queue = fixture.queue(QUEUE);
    let worker = fixture.calm_worker().build().unwrap().spawn();
    queue.pause().await.unwrap();
    let job = enqueue(&fixture, 1).await;
    cancel(&fixture, job).await;
    queue.resume().await.unwrap();
    enqueue(&fixture, 2).await;
    fixture.ledger.wait_for("2", 1).await;
    support::eventually("the job to be dropped", async || {
        (worker.stats().cancelled == 1).then_some(())
    })
    .await;
    worker.shutdown().await;
    assert_eq!(fixture.ledger.lines(), ["2"]);
}

/// An idle worker, which waits for a job, is woken by it and starts it all the same by a claim.
async fn a_job_may_be_cancelled_before_it_is_enqueued(fixture: Fixture) {
    let worker = fixture.calm_worker().build().unwrap().spawn();
    let id = JobId::new();
    cancel(&fixture, id).await;
    // Twice, as by a producer that does not know what became of the first.
    for dropped in 1..=2 {
        let call = mark::new(1u32).id(id);
        call.enqueue(&fixture.client).await.unwrap();
        support::eventually("the job to be dropped", async || {
            (worker.stats().cancelled == dropped).then_some(())
        })
        .await;
    }
    worker.shutdown().await;
    assert_eq!(fixture.ledger.lines(), [""; 0]);
}

async fn a_job_of_a_worker_that_died_is_dropped(fixture: Fixture) {
    let job = enqueue(&fixture, 1).await;
    let mut stranger = Foreign::new(&fixture, QUEUE);
    assert_eq!(stranger.claim(1).await.len(), 1);
    cancel(&fixture, job).await;
    let worker = fixture.worker().build().unwrap().spawn();
    support::eventually("the job to be dropped", async || {
        (worker.stats().cancelled == 1).then_some(())
    })
    .await;
    assert_eq!(worker.stats().adopted, 1);
    worker.shutdown().await;
    assert_eq!(fixture.ledger.lines(), [""; 0]);
}

async fn a_cancelled_id_is_of_one_queue(fixture: Fixture) {
    let other = mark::new(1u32).queue("other");
    let other = other.enqueue(&fixture.client).await.unwrap();
    cancel(&fixture, other.id()).await;
    let worker = fixture.calm_worker().queues(["other"]).build().unwrap();
    let stats = worker.run_until_idle().await.unwrap();
    assert_eq!((stats.cancelled, stats.done), (0, 1));
}

/// Batches in which some are cancelled, and something that is no envelope lies between them.
async fn of_many_exactly_the_cancelled_are_dropped(fixture: Fixture) {
    const JOBS: u32 = 300;
    let jobs = (0..JOBS).map(mark::new);
    let handles = fixture.client.enqueue_all(jobs).await.unwrap();
    let junk = Entry {
        envelope: Bytes::from_static(b"\x98\xc4\x10 no envelope"),
        due: Due::Now,
    };
    let queue = fixture.queue(QUEUE);
    let broker = fixture.client.broker();
    broker.enqueue(queue.name(), &[junk]).await.unwrap();
    for handle in handles.iter().step_by(3) {
        cancel(&fixture, handle.id()).await;
    }
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.done, stats.dead), (100, 200, 1));
    let ran: BTreeSet<u32> = fixture
        .ledger
        .lines()
        .iter()
        .map(|line| line.parse().unwrap())
        .collect();
    assert!(
        ran.into_iter()
            .eq((0..JOBS).filter(|number| number % 3 != 0))
    );
    assert_eq!(fixture.only_dead().await.reason(), Reason::Undecodable);
}

async fn a_dead_job_that_was_cancelled_is_listed_and_runs_when_it_is_told_to(fixture: Fixture) {
    let job = die::enqueue(&fixture.client).await.unwrap();
    fixture.run_until_idle().await;
    cancel(&fixture, job.id()).await;
    assert_eq!(fixture.only_dead().await.id(), job.id());
    let queue = fixture.queue(QUEUE);
    assert!(queue.dead().retry(job.id()).await.unwrap());
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.dead), (0, 1));
    assert_eq!(fixture.ledger.lines(), ["died", "died"]);
    let ready = queue.jobs(JobState::Ready, 0, 1).await.unwrap();
    assert!(ready.is_empty());
}

async fn a_delayed_job_that_was_cancelled_runs_when_it_is_told_to(fixture: Fixture) {
    let call = mark::new(1u32).delay(Duration::from_secs(3600));
    let job = call.enqueue(&fixture.client).await.unwrap();
    cancel(&fixture, job.id()).await;
    assert!(fixture.queue(QUEUE).run_now(job.id()).await.unwrap());
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.done), (0, 1));
}

async fn all_dead_jobs_run_when_they_are_told_to_cancelled_ones_too(fixture: Fixture) {
    let jobs = fixture.client.enqueue_all([die::new(), die::new()]).await;
    fixture.run_until_idle().await;
    cancel(&fixture, jobs.unwrap()[0].id()).await;
    let dead = fixture.queue(QUEUE).dead();
    assert_eq!(dead.retry_all().await.unwrap(), 2);
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.dead), (0, 2));
}

crate::on_every_broker! {
    a_delayed_job_that_was_cancelled_runs_when_it_is_told_to
    all_dead_jobs_run_when_they_are_told_to_cancelled_ones_too
    a_ready_job_is_dropped_and_no_other
    a_delayed_job_is_dropped_when_it_is_due
    a_job_that_waits_for_its_retry_is_dropped
    a_running_job_goes_on_and_its_retry_is_dropped
    a_running_job_that_succeeds_is_done
    a_suspect_is_dropped
    a_job_on_a_paused_queue_is_dropped_after_the_pause
    a_job_may_be_cancelled_before_it_is_enqueued
    a_job_of_a_worker_that_died_is_dropped
    a_cancelled_id_is_of_one_queue
    of_many_exactly_the_cancelled_are_dropped
    a_dead_job_that_was_cancelled_is_listed_and_runs_when_it_is_told_to
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// In virtual time: on Redis the same is a matter of the numbers that it keeps.
#[tokio::test(start_paused = true)]
async fn after_seven_days_a_cancellation_is_forgotten() {
    let fixture = Fixture::memory().await;
    let ids = [JobId::new(), JobId::new()];
    for id in ids {
        cancel(&fixture, id).await;
        tokio::time::advance(DAY * 5).await;
    }
    for (number, id) in (1u32..).zip(ids) {
        let call = mark::new(number).id(id);
        call.enqueue(&fixture.client).await.unwrap();
    }
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.done), (1, 1));
    assert_eq!(fixture.ledger.lines(), ["1"]);
}

/// For itself, and for what was cancelled with it.
#[tokio::test(start_paused = true)]
async fn a_job_that_is_due_in_a_month_is_dropped_then() {
    let fixture = Fixture::memory().await;
    let late = mark::new(1u32).delay(DAY * 30);
    let late = late.enqueue(&fixture.client).await.unwrap().id();
    let early = JobId::new();
    for id in [early, late] {
        cancel(&fixture, id).await;
    }
    tokio::time::advance(DAY * 30).await;
    let call = mark::new(2u32).id(early);
    call.enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.cancelled, stats.done), (2, 0));
    tokio::time::advance(DAY * 8).await;
    let call = mark::new(3u32).id(early);
    call.enqueue(&fixture.client).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.done, 1);
    assert_eq!(fixture.ledger.lines(), ["3"]);
}
