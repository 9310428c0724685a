//! The jobs that are measured, and what their runs leave behind.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jobq::{Context, job};

/// The second argument: with it an envelope has about 100 bytes.
pub(crate) const TEXT: &str = "ada@example.org, 07";

/// Runs that are over.
static DONE: AtomicU64 = AtomicU64::new(0);

/// µs from when it was meant to be to when it was.
static LATE: Mutex<Vec<f64>> = Mutex::new(Vec::new());

pub(crate) fn done() -> u64 {
    DONE.load(Ordering::Relaxed)
}

/// What was late since this was asked last.
pub(crate) fn take_late() -> Vec<f64> {
    std::mem::take(&mut LATE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// µs since the Unix epoch.
pub(crate) fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let us = now.unwrap_or_default().as_micros();
    u64::try_from(us).unwrap_or(u64::MAX)
}

/// Does nothing.
#[job]
pub(crate) async fn noop(number: u64, text: String) {
    std::hint::black_box((number, text));
    DONE.fetch_add(1, Ordering::Relaxed);
}

/// Fails on the first run of every second number.
#[job(retries = 3, backoff = "fixed", base_delay = "1ms", jitter = "none")]
pub(crate) async fn flaky(ctx: Context, number: u64, text: String) -> Result<(), &'static str> {
    std::hint::black_box(text);
    if ctx.attempt() == 1 && number % 2 == 1 {
        return Err("the first run of each second job fails");
    }
    DONE.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Fails for good.
#[job(retries = 0)]
pub(crate) async fn hopeless(number: u64, text: String) -> Result<(), &'static str> {
    std::hint::black_box((number, text));
    DONE.fetch_add(1, Ordering::Relaxed);
    Err("it never succeeds")
}

/// Notes how long after `meant`, in µs since the Unix epoch, it started.
#[job]
pub(crate) async fn timed(meant: u64, text: String) {
    let late = now_us() as f64 - meant as f64;
    std::hint::black_box(text);
    LATE.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(late);
    DONE.fetch_add(1, Ordering::Relaxed);
}

/// Stays in flight for a while.
#[job]
pub(crate) async fn lasting(number: u64, text: String) {
    std::hint::black_box((number, text));
    DONE.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(3)).await;
}
