//! A failed run is followed by another, as late as the policy says, until the retries are used up.
//!
//! Delays are looked at in virtual time, where they are exact but for the grain of the timer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jobq::broker::{Due, Entry};
use jobq::{At, Backoff, Context, Envelope, Jitter, JobId, Options, Reason, State, job};

use crate::fixture::{Fixture, Ledger, run_for_months};

/// How much later than due a run may start in virtual time: the grain of the timer.
const GRAIN: Duration = Duration::from_millis(3);

/// Fails `failures` times.
#[job(
    name = "retries.fail",
    retries = 3,
    backoff = "fixed",
    base_delay = "20ms",
    jitter = "none"
)]
async fn fail(ctx: Context, ledger: State<Ledger>, failures: u32) -> Result<(), String> {
    note(&ctx, &ledger);
    match ctx.attempt() {
        attempt if attempt <= failures => Err(format!("failure {attempt}")),
        _ => Ok(()),
    }
}

#[job(name = "retries.default")]
async fn fail_by_default(ctx: Context, ledger: State<Ledger>) -> Result<(), String> {
    note(&ctx, &ledger);
    Err("always".to_owned())
}

#[job(
    name = "retries.linear",
    retries = 4,
    backoff = "linear",
    base_delay = "10s",
    max_delay = "25s",
    jitter = "none"
)]
async fn fail_linear(ctx: Context, ledger: State<Ledger>) -> Result<(), String> {
    note(&ctx, &ledger);
    Err("always".to_owned())
}

#[job(
    name = "retries.exponential",
    retries = 5,
    backoff = "exponential",
    base_delay = "2s",
    factor = 3,
    max_delay = "1m",
    jitter = "none"
)]
async fn fail_exponential(ctx: Context, ledger: State<Ledger>) -> Result<(), String> {
    note(&ctx, &ledger);
    Err("always".to_owned())
}

/// Writes down which run of which job this is, and when.
fn note(ctx: &Context, ledger: &Ledger) {
    let now = ctx.client().broker().now().as_ms();
    ledger.write(format!("{} {} {now}", ctx.id(), ctx.attempt()));
}

/// Attempts of all runs, in order.
fn attempts(ledger: &Ledger) -> Vec<u32> {
    let field = |line: &String| line.split(' ').nth(1).unwrap().parse().unwrap();
    ledger.lines().iter().map(field).collect()
}

/// How long after the run before each run started.
fn gaps(ledger: &Ledger) -> Vec<Duration> {
    let field = |line: &String| line.split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    let times: Vec<u64> = ledger.lines().iter().map(field).collect();
    let pairs = times.windows(2);
    pairs.map(|w| Duration::from_millis(w[1] - w[0])).collect()
}

#[track_caller]
fn assert_gaps(ledger: &Ledger, expected: impl IntoIterator<Item = u64>) {
    let expected: Vec<_> = expected.into_iter().map(Duration::from_secs).collect();
    let gaps = gaps(ledger);
    assert_eq!(gaps.len(), expected.len(), "{gaps:?}");
    for (gap, expected) in gaps.iter().zip(&expected) {
        let range = *expected..=*expected + GRAIN;
        assert!(range.contains(gap), "{gaps:?} are not {expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_policy_tries_for_about_an_hour() {
    let fixture = Fixture::memory().await;
    fail_by_default::enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_for_months().await;
    assert_eq!((stats.retried, stats.dead), (20, 1));
    assert_eq!(attempts(&fixture.ledger), (1..=21).collect::<Vec<_>>());
    for (k, gap) in (0..).zip(gaps(&fixture.ledger)) {
        let nominal = f64::from(1 << k).min(300.0);
        let range = nominal * 0.8..=(nominal * 1.2).min(300.0) + GRAIN.as_secs_f64();
        assert!(
            range.contains(&gap.as_secs_f64()),
            "retry {}: {gap:?}",
            k + 1
        );
    }
    let total: Duration = gaps(&fixture.ledger).iter().sum();
    let minutes = total.as_secs() / 60;
    assert!((48..=64).contains(&minutes), "{minutes} minutes");
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_days_is_tested_in_seconds() {
    let fixture = Fixture::memory().await;
    let day = Duration::from_secs(24 * 3600);
    let policy = Backoff::fixed(day).jitter(Jitter::None);
    let call = fail_by_default::new().retries(1).backoff(policy);
    call.enqueue(&fixture.client).await.unwrap();
    // Of what a worker does every second or two there is much in a day.
    let hour = Duration::from_secs(3600);
    let worker = fixture.worker().lease(hour).renew_every(hour / 3);
    run_for_months(&worker.queues(["default"]).build().unwrap()).await;
    assert_gaps(&fixture.ledger, [86_400]);
}

#[tokio::test(start_paused = true)]
async fn a_linear_policy_grows_by_its_base_up_to_its_cap() {
    let fixture = Fixture::memory().await;
    fail_linear::enqueue(&fixture.client).await.unwrap();
    fixture.run_for_months().await;
    assert_gaps(&fixture.ledger, [10, 20, 25, 25]);
}

#[tokio::test(start_paused = true)]
async fn an_exponential_policy_grows_by_its_factor_up_to_its_cap() {
    let fixture = Fixture::memory().await;
    fail_exponential::enqueue(&fixture.client).await.unwrap();
    fixture.run_for_months().await;
    assert_gaps(&fixture.ledger, [2, 6, 18, 54, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_call_overrides_the_policy_of_the_attribute() {
    let fixture = Fixture::memory().await;
    let policy = Backoff::fixed(Duration::from_secs(7)).jitter(Jitter::None);
    let call = fail_linear::new().retries(2).backoff(policy);
    call.enqueue(&fixture.client).await.unwrap();
    fixture.run_for_months().await;
    assert_gaps(&fixture.ledger, [7, 7]);
}

#[tokio::test(start_paused = true)]
async fn full_jitter_spreads_retries_over_the_whole_delay() {
    let fixture = Fixture::memory().await;
    let policy = Backoff::fixed(Duration::from_secs(60)).jitter(Jitter::Full);
    let call = fail_by_default::new().retries(100).backoff(policy);
    call.enqueue(&fixture.client).await.unwrap();
    fixture.run_for_months().await;
    let gaps = gaps(&fixture.ledger);
    assert!(
        gaps.iter()
            .all(|gap| *gap <= Duration::from_secs(60) + GRAIN)
    );
    let short = gaps.iter().filter(|gap| gap.as_secs() < 30).count();
    // 2⁻¹⁰⁰ times the number of ways to be this lopsided: about once in 10¹⁰ runs.
    assert!(
        (18..=82).contains(&short),
        "{short} of 100 below the middle"
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_is_not_early_however_long_its_delay() {
    let fixture = Fixture::memory().await;
    let before = fixture.client.broker().now();
    let delay = Duration::from_millis(600_007);
    let call = fail::new(0).delay(delay);
    call.enqueue(&fixture.client).await.unwrap();
    assert_eq!(fixture.run_for_months().await.done, 1);
    let line = fixture.ledger.lines().remove(0);
    let started = At::from_ms(line.rsplit(' ').next().unwrap().parse().unwrap());
    let waited = started.since(before);
    assert!((delay..=delay + GRAIN).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn counts_at_the_end_of_their_range_do_not_overflow() {
    let fixture = Fixture::memory().await;
    let broker = fixture.client.broker();
    let new = Envelope::encode(
        JobId::new(),
        "retries.default",
        &[0x80],
        broker.now(),
        &Options::default(),
    );
    let envelope = Envelope::decode(new).unwrap();
    let envelope = envelope.rewrite(u32::MAX, u32::MAX, &Options::default());
    let entry = Entry {
        envelope,
        due: Due::Now,
    };
    let queue = fixture.queue("default");
    broker.enqueue(queue.name(), &[entry]).await.unwrap();
    fixture.run_for_months().await;
    assert_eq!(attempts(&fixture.ledger), [u32::MAX]);
    let dead = fixture.only_dead().await;
    assert_eq!(
        (dead.reason(), dead.attempts()),
        (Reason::Exhausted, u32::MAX)
    );
}

#[tokio::test(start_paused = true)]
async fn a_worker_of_another_policy_honours_what_the_call_said() {
    let fixture = Fixture::memory().await;
    let policy = Backoff::linear(Duration::from_secs(1)).jitter(Jitter::None);
    let call = fail_exponential::new().retries(3).backoff(policy);
    call.enqueue(&fixture.client).await.unwrap();
    // Each retry is rewritten by whoever ran it: the options must stay with the job.
    let worker = fixture.calm_worker().concurrency(1).build().unwrap();
    run_for_months(&worker).await;
    assert_gaps(&fixture.ledger, [1, 2, 3]);
}

async fn a_job_that_used_up_its_retries_is_dead(fixture: Fixture) {
    let handle = fail::enqueue(&fixture.client, u32::MAX).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.done, stats.retried, stats.dead), (0, 3, 1));
    let dead = fixture.only_dead().await;
    assert_eq!(dead.id(), handle.id());
    assert_eq!(dead.name(), Some("retries.fail"));
    assert_eq!(
        (dead.reason(), dead.error()),
        (Reason::Exhausted, "failure 4")
    );
    assert_eq!(dead.attempts(), 4);
    let history: Vec<_> = dead.history().iter().map(|f| f.error.as_str()).collect();
    assert_eq!(history, ["failure 1", "failure 2", "failure 3"]);
    assert!(dead.history().is_sorted_by_key(|failure| failure.at));
}

async fn each_failed_run_is_one_attempt(fixture: Fixture) {
    fail::new(u32::MAX)
        .retries(9)
        .enqueue(&fixture.client)
        .await
        .unwrap();
    fixture.run_until_idle().await;
    assert_eq!(attempts(&fixture.ledger), (1..=10).collect::<Vec<_>>());
    assert_eq!(fixture.only_dead().await.attempts(), 10);
}

async fn a_job_that_recovers_is_done(fixture: Fixture) {
    fail::enqueue(&fixture.client, 2).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.done, stats.retried, stats.dead), (1, 2, 0));
    assert_eq!(attempts(&fixture.ledger), [1, 2, 3]);
}

async fn a_job_without_retries_is_dead_after_its_first_run(fixture: Fixture) {
    fail::new(9)
        .retries(0)
        .enqueue(&fixture.client)
        .await
        .unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.retried, stats.dead), (0, 1));
    let dead = fixture.only_dead().await;
    assert_eq!((dead.attempts(), dead.error()), (1, "failure 1"));
    assert!(dead.history().is_empty());
}

async fn a_job_keeps_its_id_from_run_to_run(fixture: Fixture) {
    let id = JobId::new();
    fail::new(3).id(id).enqueue(&fixture.client).await.unwrap();
    fixture.run_until_idle().await;
    let lines = fixture.ledger.lines();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.starts_with(&id.to_string())));
}

#[job(
    name = "retries.wall",
    retries = 5,
    backoff = "fixed",
    base_delay = "30ms",
    jitter = "none"
)]
async fn fail_by_the_wall(ledger: State<Ledger>) -> Result<(), String> {
    ledger.write(format!("{}", wall_ms()));
    Err("always".to_owned())
}

/// The clock that a Redis on this machine has too.
fn wall_ms() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_millis()
}

async fn no_retry_is_early(fixture: Fixture) {
    let jobs = (0..20).map(|_| fail_by_the_wall::new());
    fixture.client.enqueue_all(jobs).await.unwrap();
    let worker = fixture.calm_worker().concurrency(1).build().unwrap();
    worker.run_until_idle().await.unwrap();
    let times = fixture.ledger.lines();
    let times: Vec<u128> = times.iter().map(|line| line.parse().unwrap()).collect();
    assert_eq!(times.len(), 120);
    // With one slot the first twenty runs are first runs, and none of the rest can be within a
    // delay of the first.
    let first_retry = times[20..].iter().min().unwrap();
    assert!(*first_retry >= times[0] + 30, "{times:?}");
}

crate::on_every_broker! {
    a_job_that_used_up_its_retries_is_dead
    each_failed_run_is_one_attempt
    a_job_that_recovers_is_done
    a_job_without_retries_is_dead_after_its_first_run
    a_job_keeps_its_id_from_run_to_run
    no_retry_is_early
}
