//! A run that takes longer than its timeout has failed, whatever its handler does about it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jobq::{Context, Reason, State, job};
use jobq_worker::WorkerHandle;

use crate::fixture::{Fixture, Ledger};

/// Says when it ends: dropped at a timeout, or at its own end.
struct Guard(State<Ledger>, Context);

impl Drop for Guard {
    fn drop(&mut self) {
        let cancelled = self.1.is_cancelled();
        self.0.write(format!("dropped, cancelled: {cancelled}"));
    }
}

#[job(name = "timeouts.sleep", retries = 0, timeout = "10m")]
async fn sleep(ctx: Context, ledger: State<Ledger>, seconds: u64) {
    ledger.write("started");
    let _guard = Guard(ledger.clone(), ctx);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    ledger.write("ended");
}

#[job(name = "timeouts.default", retries = 0)]
async fn sleep_by_default(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[job(name = "timeouts.none", retries = 0, timeout = "none")]
async fn sleep_without_timeout(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// A run in virtual time: the error of the job, if it is dead.
async fn run(fixture: &Fixture) -> Option<String> {
    fixture.run_for_months().await;
    let dead = fixture.dead().await.pop()?;
    assert_eq!((dead.reason(), dead.attempts()), (Reason::Exhausted, 1));
    Some(dead.error().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_run_over_its_timeout_is_dropped_and_has_failed() {
    let fixture = Fixture::memory().await;
    sleep::enqueue(&fixture.client, 601).await.unwrap();
    assert_eq!(run(&fixture).await.unwrap(), "timed out after 10m");
    let lines = fixture.ledger.lines();
    assert_eq!(lines, ["started", "dropped, cancelled: true"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_within_its_timeout_is_done() {
    let fixture = Fixture::memory().await;
    sleep::enqueue(&fixture.client, 599).await.unwrap();
    assert_eq!(run(&fixture).await, None);
    let lines = fixture.ledger.lines();
    assert_eq!(lines, ["started", "ended", "dropped, cancelled: false"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_says_nothing_may_take_half_an_hour() {
    let fixture = Fixture::memory().await;
    sleep_by_default::enqueue(&fixture.client, 1799)
        .await
        .unwrap();
    assert_eq!(run(&fixture).await, None);
    sleep_by_default::enqueue(&fixture.client, 1801)
        .await
        .unwrap();
    assert_eq!(run(&fixture).await.unwrap(), "timed out after 30m");
}

#[tokio::test(start_paused = true)]
async fn a_job_without_timeout_may_take_as_long_as_it_likes() {
    let fixture = Fixture::memory().await;
    sleep_without_timeout::enqueue(&fixture.client, 3600)
        .await
        .unwrap();
    assert_eq!(run(&fixture).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_sets_and_lifts_the_timeout() {
    let fixture = Fixture::memory().await;
    let call = sleep_without_timeout::new(60).timeout(Duration::from_millis(2500));
    call.enqueue(&fixture.client).await.unwrap();
    assert_eq!(run(&fixture).await.unwrap(), "timed out after 2500ms");
    let fixture = Fixture::memory().await;
    let call = sleep_by_default::new(3600).timeout(None);
    call.enqueue(&fixture.client).await.unwrap();
    assert_eq!(run(&fixture).await, None);
}

/// Times out once, then is done.
#[job(
    name = "timeouts.once",
    retries = 1,
    timeout = "50ms",
    backoff = "fixed",
    base_delay = "1ms"
)]
async fn time_out_once(ctx: Context, ledger: State<Ledger>) {
    ledger.write(ctx.attempt().to_string());
    if ctx.attempt() == 1 {
        std::future::pending::<()>().await;
    }
}

async fn a_timed_out_run_is_retried_like_any_other_failure(fixture: Fixture) {
    time_out_once::enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.retried, stats.done), (1, 1));
    assert_eq!(fixture.ledger.lines(), ["1", "2"]);
}

/// Blocks until it is let go, deaf to its cancellation; says whether it saw it.
#[job(name = "timeouts.deaf", retries = 0, timeout = "50ms", blocking)]
fn deaf(ctx: Context, ledger: State<Ledger>) {
    ledger.write("started");
    while !RELEASED.load(Ordering::Acquire) || !ctx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    ledger.write("cancelled");
}

/// One test alone uses it.
static RELEASED: AtomicBool = AtomicBool::new(false);

#[job(name = "timeouts.polite", retries = 0, timeout = "50ms", blocking)]
fn polite(ctx: Context, ledger: State<Ledger>) -> Result<(), String> {
    while !ctx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    ledger.write("cancelled");
    Err("the timeout counts, not this".to_owned())
}

#[job(name = "timeouts.quick")]
async fn quick(ledger: State<Ledger>) {
    ledger.write("quick");
}

async fn running(handle: &WorkerHandle, expected: u64) {
    support::eventually(&format!("{expected} running jobs"), async || {
        (handle.stats().running == expected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_run_over_its_timeout_keeps_its_slot_until_it_ends() {
    let fixture = Fixture::memory().await;
    deaf::enqueue(&fixture.client).await.unwrap();
    let handle = fixture
        .calm_worker()
        .concurrency(2)
        .build()
        .unwrap()
        .spawn();
    support::eventually("the job to be dead", async || {
        (handle.stats().dead == 1).then_some(())
    })
    .await;
    assert_eq!(fixture.only_dead().await.error(), "timed out after 50ms");
    assert_eq!(handle.stats().running, 1, "the thread is still busy");
    // The other slot is free.
    let jobs = (0..10).map(|_| quick::new());
    fixture.client.enqueue_all(jobs).await.unwrap();
    fixture.ledger.wait_for("quick", 10).await;
    running(&handle, 1).await;
    RELEASED.store(true, Ordering::Release);
    running(&handle, 0).await;
    fixture.ledger.wait_for("cancelled", 1).await;
    let stats = handle.stats();
    assert_eq!((stats.dead, stats.done, stats.retried), (1, 10, 0));
    assert_eq!(handle.shutdown().await.abandoned, 0);
}

/// Blocks until the ledger says `go`, long over its timeout.
#[job(name = "timeouts.stubborn", retries = 0, timeout = "50ms", blocking)]
fn stubborn(ledger: State<Ledger>) {
    while ledger.count("go") == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

async fn a_worker_works_on_when_the_last_blocked_slot_is_free(fixture: Fixture) {
    stubborn::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().queues(["default"]).concurrency(1);
    let worker = worker.build().unwrap();
    let handle = worker.spawn();
    support::eventually("the job to be dead", async || {
        (handle.stats().dead == 1).then_some(())
    })
    .await;
    quick::enqueue(&fixture.client).await.unwrap();
    // Time for the worker to find that it has no slot: until another has run something later.
    let other = fixture.calm_worker().queues(["other"]).build().unwrap();
    let other = other.spawn();
    let later = quick::new()
        .queue("other")
        .delay(Duration::from_millis(300));
    later.enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("quick", 1).await;
    fixture.ledger.write("go");
    fixture.ledger.wait_for("quick", 2).await;
    handle.shutdown().await;
    other.shutdown().await;
}

async fn a_blocking_run_that_minds_its_cancellation_ends(fixture: Fixture) {
    polite::enqueue(&fixture.client).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.dead, 1);
    assert_eq!(fixture.only_dead().await.error(), "timed out after 50ms");
    assert_eq!(fixture.ledger.lines(), ["cancelled"]);
}

/// Panics when the timeout drops it.
struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[job(name = "timeouts.explosive", retries = 0, timeout = "20ms")]
async fn explosive() {
    let _explosive = Explosive;
    std::future::pending::<()>().await;
}

async fn a_handler_that_panics_when_it_is_dropped_timed_out(fixture: Fixture) {
    explosive::enqueue(&fixture.client).await.unwrap();
    quick::enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.dead, stats.done), (1, 1));
    assert_eq!(fixture.only_dead().await.error(), "timed out after 20ms");
}

/// Never lets go of its thread, and sleeps longer than its timeout.
#[job(name = "timeouts.hog", retries = 0, timeout = "10ms")]
async fn hog(ledger: State<Ledger>) {
    std::thread::sleep(Duration::from_millis(50));
    ledger.write("ended");
}

async fn a_run_that_ends_in_the_moment_it_is_looked_at_is_done(fixture: Fixture) {
    hog::enqueue(&fixture.client).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.done, 1);
    assert_eq!(fixture.ledger.lines(), ["ended"]);
}

/// Keeps its thread until the ledger says so, or for a while after it was asked to end.
#[job(name = "timeouts.thread", blocking, retries = 0, timeout = "none")]
fn thread(ctx: Context, ledger: State<Ledger>) {
    ledger.write("thread");
    while ledger.count("go") == 0 && !ctx.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
}

#[job(name = "timeouts.waiting", blocking, retries = 0, timeout = "20ms")]
fn waiting(ledger: State<Ledger>) {
    ledger.write("waiting");
}

#[job(name = "timeouts.beside", retries = 0)]
async fn beside(ledger: State<Ledger>) {
    // Longer than the timeout of the one that waits.
    tokio::time::sleep(Duration::from_millis(50)).await;
    ledger.write("beside");
}

/// A runtime whose blocking pool has one thread.
fn with_one_thread(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let builder = builder.worker_threads(2).max_blocking_threads(1);
    builder.enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_blocking_run_has_its_time_from_when_it_has_a_thread() {
    with_one_thread(async {
        let fixture = Fixture::memory().await;
        let handle = fixture.worker().build().unwrap().spawn();
        thread::enqueue(&fixture.client).await.unwrap();
        fixture.ledger.wait_for("thread", 1).await;
        waiting::enqueue(&fixture.client).await.unwrap();
        beside::enqueue(&fixture.client).await.unwrap();
        fixture.ledger.wait_for("beside", 1).await;
        fixture.ledger.write("go");
        fixture.ledger.wait_for("waiting", 1).await;
        handle.shutdown().await;
        assert!(fixture.dead().await.is_empty());
    });
}

#[test]
fn a_blocking_run_that_was_given_back_before_it_had_a_thread_never_starts() {
    with_one_thread(async {
        let fixture = Fixture::memory().await;
        let worker = fixture.worker().shutdown_timeout(Duration::from_millis(1));
        let handle = worker.build().unwrap().spawn();
        thread::enqueue(&fixture.client).await.unwrap();
        fixture.ledger.wait_for("thread", 1).await;
        waiting::enqueue(&fixture.client).await.unwrap();
        running(&handle, 2).await;
        let shutdown = handle.shutdown().await;
        assert_eq!(shutdown.abandoned, 0);
        assert_eq!(fixture.ledger.count("waiting"), 0);
        assert_eq!(fixture.queue("default").stats().await.unwrap().ready, 1);
    });
}

crate::on_every_broker! {
    a_timed_out_run_is_retried_like_any_other_failure
    a_worker_works_on_when_the_last_blocked_slot_is_free
    a_blocking_run_that_minds_its_cancellation_ends
    a_handler_that_panics_when_it_is_dropped_timed_out
    a_run_that_ends_in_the_moment_it_is_looked_at_is_done
}
