//! What a handler's `JobError` decides: when the job runs again, if ever, and what that costs.

use std::time::Duration;

use jobq::{Context, JobError, Reason, State, job};

use crate::fixture::{Fixture, Ledger};

/// How much later than due a run may start in virtual time: the grain of the timer.
const GRAIN: Duration = Duration::from_millis(3);

/// Once decides as it is told, then is done. Writes down attempt and time.
#[job(
    name = "decisions.once",
    retries = 1,
    backoff = "fixed",
    base_delay = "1ms",
    max_delay = "1ms"
)]
async fn once(
    ctx: Context,
    ledger: State<Ledger>,
    decision: String,
    ms: u64,
) -> Result<(), JobError> {
    let now = ctx.client().broker().now().as_ms();
    ledger.write(format!("{} {now}", ctx.attempt()));
    if ledger.lines().len() > 1 {
        return Ok(());
    }
    let delay = Duration::from_millis(ms);
    Err(match &*decision {
        "retry" => JobError::retry("once"),
        "retry_after" => JobError::retry_after("once", delay),
        "snooze" => JobError::snooze(delay),
        "fatal" => JobError::fatal("once"),
        _ => JobError::discard("once"),
    })
}

/// Snoozes so many times, then fails for good.
#[job(name = "decisions.snooze", retries = 0)]
async fn snooze(ctx: Context, ledger: State<Ledger>, times: usize) -> Result<(), JobError> {
    ledger.write(ctx.attempt().to_string());
    match ledger.lines().len() {
        runs if runs <= times => Err(JobError::snooze(Duration::from_millis(1))),
        _ => Err(JobError::retry("awake")),
    }
}

/// Attempts, and the time between the first two runs.
fn runs(ledger: &Ledger) -> (Vec<u32>, Duration) {
    let lines = ledger.lines();
    let runs = lines.iter().map(|line| line.split_once(' ').unwrap());
    let (attempts, times): (Vec<_>, Vec<_>) = runs
        .map(|(a, t)| (a.parse::<u32>().unwrap(), t.parse::<u64>().unwrap()))
        .unzip();
    (attempts, Duration::from_millis(times[1] - times[0]))
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_exact_and_knows_no_cap_and_no_jitter() {
    let fixture = Fixture::memory().await;
    let hour = Duration::from_secs(3600);
    let call = once::new("retry_after", 3_600_000);
    call.enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_for_months().await;
    assert_eq!((stats.retried, stats.done), (1, 1));
    let (attempts, gap) = runs(&fixture.ledger);
    assert_eq!(attempts, [1, 2]);
    assert!((hour..=hour + GRAIN).contains(&gap), "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn a_snooze_uses_no_attempt() {
    let fixture = Fixture::memory().await;
    let call = once::new("snooze", 600_000).retries(0);
    call.enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_for_months().await;
    assert_eq!((stats.snoozed, stats.retried, stats.done), (1, 0, 1));
    let (attempts, gap) = runs(&fixture.ledger);
    assert_eq!(attempts, [1, 1]);
    let asked = Duration::from_secs(600);
    assert!((asked..=asked + GRAIN).contains(&gap), "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_may_snooze_for_ever() {
    let fixture = Fixture::memory().await;
    snooze::enqueue(&fixture.client, 2000).await.unwrap();
    let stats = fixture.run_for_months().await;
    assert_eq!((stats.snoozed, stats.dead), (2000, 1));
    assert!(fixture.ledger.lines().iter().all(|attempt| attempt == "1"));
    let dead = fixture.only_dead().await;
    assert_eq!((dead.attempts(), dead.error()), (1, "awake"));
    assert!(dead.history().is_empty());
    // Nothing may grow from snooze to snooze.
    assert!(dead.bytes().len() < 200, "{} bytes", dead.bytes().len());
}

async fn a_fatal_error_is_dead_at_once(fixture: Fixture) {
    once::enqueue(&fixture.client, "fatal", 0).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.dead, stats.retried, stats.done), (1, 0, 0));
    let dead = fixture.only_dead().await;
    assert_eq!((dead.reason(), dead.error()), (Reason::Fatal, "once"));
    assert_eq!(dead.attempts(), 1);
}

async fn a_discarded_job_is_neither_done_nor_dead(fixture: Fixture) {
    once::enqueue(&fixture.client, "discard", 0).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.discarded, stats.done, stats.dead), (1, 0, 0));
    assert_eq!(fixture.ledger.lines().len(), 1);
    assert!(fixture.dead().await.is_empty());
}

async fn a_retry_is_a_failed_attempt_like_any_other(fixture: Fixture) {
    once::enqueue(&fixture.client, "retry", 0).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.retried, stats.done), (1, 1));
    assert_eq!(runs(&fixture.ledger).0, [1, 2]);
}

async fn retry_after_without_retries_is_dead(fixture: Fixture) {
    let call = once::new("retry_after", 1).retries(0);
    call.enqueue(&fixture.client).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.dead, 1);
    assert_eq!(fixture.only_dead().await.reason(), Reason::Exhausted);
}

async fn a_snoozed_job_is_seen_as_delayed(fixture: Fixture) {
    once::enqueue(&fixture.client, "snooze", 3_600_000)
        .await
        .unwrap();
    let handle = fixture.calm_worker().build().unwrap().spawn();
    let queue = fixture.queue("default");
    support::eventually("the job to be delayed", async || {
        let stats = queue.stats().await.unwrap();
        (stats.delayed == 1 && stats.in_flight == 0).then_some(())
    })
    .await;
    handle.shutdown().await;
    assert_eq!(fixture.ledger.lines().len(), 1);
}

crate::on_every_broker! {
    a_fatal_error_is_dead_at_once
    a_discarded_job_is_neither_done_nor_dead
    a_retry_is_a_failed_attempt_like_any_other
    retry_after_without_retries_is_dead
    a_snoozed_job_is_seen_as_delayed
}
