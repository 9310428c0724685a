//! Interventions of people while workers are at work: a delayed job now, a state purged, the whole
//! dead list once more.

use std::time::Duration;

use jobq::{Context, JobId, JobState, State, job};
use tokio::task::yield_now;

use crate::fixture::{Fixture, Ledger};

const HOUR: Duration = Duration::from_secs(3600);

/// Writes its number and its attempt down.
#[job(name = "intervene.note")]
async fn note(ctx: Context, ledger: State<Ledger>, number: u32) {
    ledger.write(format!("{number}: {}", ctx.attempt()));
}

/// Runs until the ledger says `go`.
#[job(name = "intervene.hold")]
async fn hold(ledger: State<Ledger>) {
    ledger.write("held");
    ledger.wait_for("go", 1).await;
}

/// Fails once and for all, until the ledger says `mended`.
#[job(name = "intervene.break", retries = 0)]
async fn break_down(ledger: State<Ledger>, number: u32) -> Result<(), String> {
    match ledger.count("mended") {
        0 => Err(format!("{number} is broken")),
        _ => {
            ledger.write(format!("{number} is mended"));
            Ok(())
        }
    }
}

/// Fails with a long delay before its retry.
#[job(
    name = "intervene.wait",
    backoff = "fixed",
    base_delay = "1h",
    jitter = "none"
)]
async fn wait_long(ctx: Context, ledger: State<Ledger>) -> Result<(), String> {
    ledger.write(format!("attempt {}", ctx.attempt()));
    match ctx.attempt() {
        1 => Err("not yet".into()),
        _ => Ok(()),
    }
}

/// So many dead jobs, number 0 the oldest.
async fn with_dead(fixture: &Fixture, count: u32) {
    let jobs = (0..count).map(break_down::new);
    fixture.client.enqueue_all(jobs).await.unwrap();
    fixture.run_until_idle().await;
    let stats = fixture.queue("default").stats().await.unwrap();
    assert_eq!(stats.dead, u64::from(count));
}

async fn a_delayed_job_that_is_run_now_wakes_an_idle_worker(fixture: Fixture) {
    let worker = fixture.calm_worker().build().unwrap().spawn();
    note::enqueue(&fixture.client, 0).await.unwrap();
    fixture.ledger.wait_for("0: 1", 1).await;
    let call = note::new(1).delay(HOUR);
    let job = call.enqueue(&fixture.client).await.unwrap();
    let queue = fixture.queue("default");
    assert!(queue.run_now(job.id()).await.unwrap());
    fixture.ledger.wait_for("1: 1", 1).await;
    worker.shutdown().await;
    assert!(!queue.run_now(job.id()).await.unwrap(), "it is done");
}

async fn a_job_that_waits_for_its_retry_is_run_now_as_the_retry_it_is(fixture: Fixture) {
    let job = wait_long::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().build().unwrap().spawn();
    let queue = fixture.queue("default");
    support::eventually("the retry to be delayed", async || {
        (queue.stats().await.unwrap().delayed == 1).then_some(())
    })
    .await;
    assert!(queue.run_now(job.id()).await.unwrap());
    fixture.ledger.wait_for("attempt 2", 1).await;
    worker.shutdown().await;
    assert_eq!(fixture.ledger.lines(), ["attempt 1", "attempt 2"]);
}

async fn only_a_delayed_job_can_be_run_now(fixture: Fixture) {
    with_dead(&fixture, 1).await;
    let dead = fixture.only_dead().await.id();
    let ready = note::enqueue(&fixture.client, 1).await.unwrap().id();
    let queue = fixture.queue("default");
    let before = queue.stats().await.unwrap();
    for id in [dead, ready, JobId::new(), JobId::from_bytes([b'*'; 16])] {
        assert!(!queue.run_now(id).await.unwrap(), "{id}");
    }
    let after = queue.stats().await.unwrap();
    assert_eq!((after.ready, after.dead), (before.ready, before.dead));
}

async fn a_job_that_was_cancelled_and_is_then_run_now_runs(fixture: Fixture) {
    let call = note::new(1).delay(HOUR);
    let job = call.enqueue(&fixture.client).await.unwrap();
    let queue = fixture.queue("default");
    queue.cancel(job.id()).await.unwrap();
    assert!(queue.run_now(job.id()).await.unwrap());
    assert_eq!(fixture.run_until_idle().await.done, 1);
    assert_eq!(fixture.ledger.lines(), ["1: 1"]);
}

async fn jobs_that_were_cancelled_and_retried_with_all_the_dead_run(fixture: Fixture) {
    with_dead(&fixture, 3).await;
    let queue = fixture.queue("default");
    for job in fixture.dead().await {
        queue.cancel(job.id()).await.unwrap();
    }
    fixture.ledger.write("mended");
    assert_eq!(queue.dead().retry_all().await.unwrap(), 3);
    assert_eq!(fixture.run_until_idle().await.done, 3);
}

async fn a_purge_leaves_what_runs_to_its_worker(fixture: Fixture) {
    hold::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().concurrency(1).build().unwrap();
    let worker = worker.spawn();
    fixture.ledger.wait_for("held", 1).await;
    let queue = fixture.queue("default");
    let jobs = (0..10).map(note::new);
    fixture.client.enqueue_all(jobs).await.unwrap();
    let later = (10..15).map(|number| note::new(number).delay(HOUR));
    fixture.client.enqueue_all(later).await.unwrap();
    assert_eq!(queue.purge(JobState::Delayed).await.unwrap(), 5);
    let purged = queue.purge(JobState::Ready).await.unwrap();
    let stats = queue.stats().await.unwrap();
    // A worker without a free slot takes nothing.
    assert_eq!((purged, stats.ready, stats.delayed), (10, 0, 0));
    fixture.ledger.write("go");
    note::enqueue(&fixture.client, 99).await.unwrap();
    fixture.ledger.wait_for("99: 1", 1).await;
    worker.shutdown().await;
    assert_eq!(fixture.ledger.lines(), ["held", "go", "99: 1"]);
}

async fn purges_of_a_queue_at_work_and_its_runs_are_all_there_is(fixture: Fixture) {
    const JOBS: u32 = 3000;
    let worker = fixture.calm_worker().concurrency(8).build().unwrap();
    let worker = worker.spawn();
    let queue = fixture.queue("default");
    let mut purged = 0;
    for chunk in 0..JOBS / 300 {
        let jobs = (0..300).map(|number| note::new(300 * chunk + number));
        fixture.client.enqueue_all(jobs).await.unwrap();
        purged += queue.purge(JobState::Ready).await.unwrap();
    }
    support::eventually("the queue to be empty", async || {
        let stats = queue.stats().await.unwrap();
        (stats.ready + stats.in_flight == 0).then_some(())
    })
    .await;
    worker.shutdown().await;
    let ran = fixture.ledger.lines().len() as u64;
    assert_eq!(ran + purged, u64::from(JOBS));
}

async fn all_the_dead_run_again_while_a_worker_is_at_work(fixture: Fixture) {
    const DEAD: u32 = 300;
    with_dead(&fixture, DEAD).await;
    let worker = fixture.calm_worker().build().unwrap().spawn();
    fixture.ledger.write("mended");
    let retried = fixture.queue("default").dead().retry_all().await.unwrap();
    assert_eq!(retried, u64::from(DEAD));
    for number in 0..DEAD {
        let line = format!("{number} is mended");
        fixture.ledger.wait_for(&line, 1).await;
    }
    worker.shutdown().await;
    assert_eq!(fixture.ledger.lines().len(), 1 + DEAD as usize);
}

async fn jobs_that_die_at_once_again_do_not_keep_a_retry_of_all_going(fixture: Fixture) {
    const DEAD: u32 = 200;
    with_dead(&fixture, DEAD).await;
    let worker = fixture.calm_worker().build().unwrap().spawn();
    let queue = fixture.queue("default");
    let dead = queue.dead();
    let retried = support::within("the end of a retry of all", dead.retry_all()).await;
    assert_eq!(retried.unwrap(), u64::from(DEAD));
    support::eventually("all to be dead again", async || {
        (queue.stats().await.unwrap().dead == u64::from(DEAD)).then_some(())
    })
    .await;
    worker.shutdown().await;
}

async fn two_who_retry_all_the_dead_retry_each_once(fixture: Fixture) {
    with_dead(&fixture, 200).await;
    let (one, other) = (
        fixture.queue("default").dead(),
        fixture.queue("default").dead(),
    );
    let (one, other) = tokio::join!(one.retry_all(), other.retry_all());
    assert_eq!(one.unwrap() + other.unwrap(), 200);
    let stats = fixture.queue("default").stats().await.unwrap();
    assert_eq!((stats.ready, stats.dead), (200, 0));
}

/// Every number of jobs in the queue and in the dead list.
async fn numbers(fixture: &Fixture) -> Vec<u32> {
    let queue = fixture.queue("default");
    let mut numbers = Vec::new();
    for state in [JobState::Ready, JobState::Dead] {
        let jobs = queue.jobs(state, 0, 1000).await.unwrap();
        let of = |job: &jobq::JobInfo| job.arguments::<break_down>().unwrap().number;
        numbers.extend(jobs.iter().map(of));
    }
    numbers.sort_unstable();
    numbers
}

async fn a_retry_of_all_that_is_dropped_half_way_loses_and_doubles_nothing(fixture: Fixture) {
    const DEAD: u32 = 200;
    with_dead(&fixture, DEAD).await;
    let queue = fixture.queue("default");
    let dead = queue.dead();
    let begun = async {
        while queue.stats().await.unwrap().ready == 0 {
            yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = begun => {}
        // In one process nothing waits for anything: it may be done before anyone looks.
        retried = dead.retry_all() => assert_eq!(retried.unwrap(), u64::from(DEAD)),
    }
    assert_eq!(numbers(&fixture).await, (0..DEAD).collect::<Vec<_>>());
    dead.retry_all().await.unwrap();
    assert_eq!(numbers(&fixture).await, (0..DEAD).collect::<Vec<_>>());
    assert_eq!(queue.stats().await.unwrap().dead, 0);
}

async fn the_dead_are_purged_by_their_age(fixture: Fixture) {
    with_dead(&fixture, 60).await;
    let dead = fixture.queue("default").dead();
    assert_eq!(dead.purge_older_than(HOUR).await.unwrap(), 0);
    assert_eq!(dead.purge_older_than(Duration::ZERO).await.unwrap(), 60);
    assert!(fixture.dead().await.is_empty());
}

crate::on_every_broker! {
    a_delayed_job_that_is_run_now_wakes_an_idle_worker
    a_job_that_waits_for_its_retry_is_run_now_as_the_retry_it_is
    only_a_delayed_job_can_be_run_now
    a_job_that_was_cancelled_and_is_then_run_now_runs
    jobs_that_were_cancelled_and_retried_with_all_the_dead_run
    a_purge_leaves_what_runs_to_its_worker
    purges_of_a_queue_at_work_and_its_runs_are_all_there_is
    all_the_dead_run_again_while_a_worker_is_at_work
    jobs_that_die_at_once_again_do_not_keep_a_retry_of_all_going
    two_who_retry_all_the_dead_retry_each_once
    a_retry_of_all_that_is_dropped_half_way_loses_and_doubles_nothing
    the_dead_are_purged_by_their_age
}
