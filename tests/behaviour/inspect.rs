//! Looking into queues while they work: figures, pages, the dead list, and the pause.

use std::time::Duration;

use jobq::{Context, JobId, JobState, Reason, State, job};

use crate::fixture::{Fixture, Ledger};

/// Writes its number down.
#[job(name = "inspect.count")]
async fn count(ledger: State<Ledger>, number: u32) {
    ledger.write(number.to_string());
}

/// Runs until the ledger says `go`.
#[job(name = "inspect.hold")]
async fn hold(ledger: State<Ledger>) {
    ledger.write("held");
    ledger.wait_for("go", 1).await;
}

/// Fails until the ledger says `mended`.
#[job(
    name = "inspect.fail",
    retries = 1,
    backoff = "fixed",
    base_delay = "1ms"
)]
async fn fail(ctx: Context, ledger: State<Ledger>, number: u32) -> Result<(), String> {
    ledger.write(format!("{number}: {}", ctx.attempt()));
    match ledger.count("mended") {
        0 => Err(format!("{number} is broken")),
        _ => Ok(()),
    }
}

async fn ids(fixture: &Fixture, state: JobState, offset: u64, limit: u32) -> Vec<JobId> {
    let jobs = fixture.queue("default").jobs(state, offset, limit).await;
    let ids = jobs.unwrap().into_iter().map(|job| job.id());
    ids.map(|id| id.expect("it is an envelope")).collect()
}

async fn jobs_are_shown_page_by_page(fixture: Fixture) {
    let jobs = (0..25).map(count::new);
    let handles = fixture.client.enqueue_all(jobs).await.unwrap();
    let expected: Vec<JobId> = handles.iter().map(jobq::JobHandle::id).collect();
    let mut seen = Vec::new();
    for offset in [0, 10, 20] {
        seen.extend(ids(&fixture, JobState::Ready, offset, 10).await);
    }
    assert_eq!(seen, expected);
    assert!(ids(&fixture, JobState::Ready, 25, 10).await.is_empty());
    assert!(
        ids(&fixture, JobState::Ready, u64::MAX, 10)
            .await
            .is_empty()
    );
    let page = fixture
        .queue("default")
        .jobs(JobState::Ready, 7, 1)
        .await
        .unwrap();
    assert_eq!(page[0].name(), Some("inspect.count"));
    assert_eq!((page[0].failures(), page[0].last_error()), (Some(0), None));
    assert!(page[0].enqueued_at().is_some());
    assert!(page[0].due().is_none() && page[0].worker().is_none());
}

async fn delayed_jobs_are_shown_by_their_time(fixture: Fixture) {
    let mut expected = Vec::new();
    for hours in [3, 1, 2] {
        let call = count::new(0).delay(Duration::from_secs(hours * 3600));
        expected.push((hours, call.enqueue(&fixture.client).await.unwrap().id()));
    }
    expected.sort_unstable();
    let expected: Vec<JobId> = expected.into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids(&fixture, JobState::Delayed, 0, 10).await, expected);
    assert_eq!(ids(&fixture, JobState::Delayed, 1, 1).await, expected[1..2]);
    let queue = fixture.queue("default");
    let stats = queue.stats().await.unwrap();
    assert_eq!((stats.delayed, stats.ready), (3, 0));
    let first = queue.jobs(JobState::Delayed, 0, 1).await.unwrap().remove(0);
    assert_eq!(first.due(), stats.next_due);
}

async fn a_running_job_is_shown_with_its_worker(fixture: Fixture) {
    let handle = hold::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().build().unwrap().spawn();
    fixture.ledger.wait_for("held", 1).await;
    let queue = fixture.queue("default");
    let jobs = queue.jobs(JobState::InFlight, 0, 10).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].id(), Some(handle.id()));
    assert!(jobs[0].worker().is_some());
    let stats = queue.stats().await.unwrap();
    assert_eq!((stats.in_flight, stats.ready), (1, 0));
    assert_eq!(worker.stats().running, 1);
    fixture.ledger.write("go");
    worker.shutdown().await;
    assert_eq!(queue.stats().await.unwrap().in_flight, 0);
}

/// Three dead jobs, the last one first.
async fn three_dead(fixture: &Fixture) -> Vec<jobq::DeadJob> {
    for number in 0..3 {
        fail::enqueue(&fixture.client, number).await.unwrap();
        fixture.run_until_idle().await;
    }
    let dead = fixture.dead().await;
    let errors: Vec<_> = dead.iter().map(jobq::DeadJob::error).collect();
    assert_eq!(errors, ["2 is broken", "1 is broken", "0 is broken"]);
    dead
}

async fn the_dead_are_listed_newest_first_and_page_by_page(fixture: Fixture) {
    let dead = three_dead(&fixture).await;
    assert_eq!(fixture.queue("default").stats().await.unwrap().dead, 3);
    let list = fixture.queue("default").dead();
    for (offset, expected) in (0..).zip(&dead) {
        let page = list.list(offset, 1).await.unwrap();
        assert_eq!(page[0].id(), expected.id());
        assert_eq!(
            (page[0].reason(), page[0].attempts()),
            (Reason::Exhausted, 2)
        );
    }
    assert!(list.list(3, 10).await.unwrap().is_empty());
    let expected: Vec<JobId> = dead.iter().map(jobq::DeadJob::id).collect();
    assert_eq!(ids(&fixture, JobState::Dead, 0, 10).await, expected);
}

async fn a_dead_job_runs_again_as_if_it_had_never_failed(fixture: Fixture) {
    let dead = three_dead(&fixture).await;
    let list = fixture.queue("default").dead();
    assert!(list.retry(dead[1].id()).await.unwrap());
    assert!(!list.retry(dead[1].id()).await.unwrap(), "it is taken");
    let before = fixture.ledger.lines().len();
    fixture.ledger.write("mended");
    assert_eq!(fixture.run_until_idle().await.done, 1);
    assert_eq!(fixture.ledger.lines()[before + 1..], ["1: 1"]);
    assert_eq!(fixture.dead().await.len(), 2);
}

async fn a_dead_job_that_fails_again_has_its_attempts_anew(fixture: Fixture) {
    let dead = three_dead(&fixture).await;
    let list = fixture.queue("default").dead();
    assert!(list.retry(dead[2].id()).await.unwrap());
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.retried, stats.dead), (1, 1));
    let again = fixture.dead().await.remove(0);
    assert_eq!((again.id(), again.attempts()), (dead[2].id(), 2));
    assert_eq!(
        again.history().len(),
        1,
        "the failures before are forgotten"
    );
}

async fn a_dead_job_is_removed_for_good(fixture: Fixture) {
    let dead = three_dead(&fixture).await;
    let list = fixture.queue("default").dead();
    assert!(list.remove(dead[0].id()).await.unwrap());
    assert!(!list.remove(dead[0].id()).await.unwrap());
    assert!(!list.remove(JobId::new()).await.unwrap());
    let stats = fixture.queue("default").stats().await.unwrap();
    assert_eq!((stats.dead, stats.ready), (2, 0));
}

/// Another queue of the same worker, by which a test knows that it goes on claiming.
#[job(name = "inspect.beat")]
async fn beat(ledger: State<Ledger>) {
    ledger.write("beat");
}

/// Runs a job on another queue, several times one after the other.
async fn several_claims(fixture: &Fixture) {
    let before = fixture.ledger.count("beat");
    for n in 1..=20 {
        let call = beat::new().queue("other");
        call.enqueue(&fixture.client).await.unwrap();
        fixture.ledger.wait_for("beat", before + n).await;
    }
}

/// Runs and beats apart.
fn runs(fixture: &Fixture) -> usize {
    fixture.ledger.lines().len() - fixture.ledger.count("beat")
}

async fn nothing_starts_on_a_paused_queue(fixture: Fixture) {
    let worker = fixture.calm_worker().queues(["default", "other"]);
    let worker = worker.build().unwrap().spawn();
    several_claims(&fixture).await;
    let queue = fixture.queue("default");
    queue.pause().await.unwrap();
    assert!(queue.stats().await.unwrap().paused);
    let jobs = (0..10).map(count::new);
    fixture.client.enqueue_all(jobs).await.unwrap();
    several_claims(&fixture).await;
    assert_eq!(runs(&fixture), 0);
    let stats = queue.stats().await.unwrap();
    // One may have been handed to the worker's wait, but not started.
    assert_eq!(stats.ready + stats.in_flight, 10);
    queue.resume().await.unwrap();
    for number in 0..10_u32 {
        fixture.ledger.wait_for(&number.to_string(), 1).await;
    }
    assert!(!queue.stats().await.unwrap().paused);
    worker.shutdown().await;
}

async fn a_pause_under_load_stops_all_but_what_was_claimed(fixture: Fixture) {
    const JOBS: u32 = 5000;
    let jobs = (0..JOBS).map(count::new);
    fixture.client.enqueue_all(jobs).await.unwrap();
    let worker = fixture.calm_worker().queues(["default", "other"]);
    let worker = worker.concurrency(8).build().unwrap().spawn();
    fixture.ledger.wait_for("0", 1).await;
    let queue = fixture.queue("default");
    queue.pause().await.unwrap();
    support::eventually("what was claimed to end", async || {
        (queue.stats().await.unwrap().in_flight == 0).then_some(())
    })
    .await;
    let ran = runs(&fixture);
    several_claims(&fixture).await;
    assert_eq!(runs(&fixture), ran, "something started while it was paused");
    let ready = queue.stats().await.unwrap().ready;
    assert_eq!(ran as u64 + ready, u64::from(JOBS));
    queue.resume().await.unwrap();
    support::eventually("all jobs to have run", async || {
        (runs(&fixture) == JOBS as usize).then_some(())
    })
    .await;
    worker.shutdown().await;
}

crate::on_every_broker! {
    jobs_are_shown_page_by_page
    delayed_jobs_are_shown_by_their_time
    a_running_job_is_shown_with_its_worker
    the_dead_are_listed_newest_first_and_page_by_page
    a_dead_job_runs_again_as_if_it_had_never_failed
    a_dead_job_that_fails_again_has_its_attempts_anew
    a_dead_job_is_removed_for_good
    nothing_starts_on_a_paused_queue
    a_pause_under_load_stops_all_but_what_was_claimed
}
