//! The jobs that workers run. Each writes down its start before anything else, and its end last.

use std::fmt;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use jobq::{BoxError, Context, JobError, job};

use crate::death::{self, Side};
use crate::ledger::{Event, Ledger};

/// The queue of all of them, unless they are sent to another.
pub const QUEUE: &str = "faults";

static LEDGER: OnceLock<Ledger> = OnceLock::new();

/// Sets where the jobs of this process write.
///
/// # Panics
///
/// When it was set before.
pub fn write_to(ledger: Ledger) -> &'static Ledger {
    assert!(LEDGER.set(ledger).is_ok(), "a process has one ledger");
    ledger_of_process()
}

fn ledger_of_process() -> &'static Ledger {
    LEDGER.get().expect("only actors run jobs")
}

/// Does nothing for so many ms; asked to end, it fails.
///
/// # Errors
///
/// When it was asked to end.
#[job(
    name = "fault.work",
    queue = "faults",
    backoff = "fixed",
    base_delay = "50ms",
    jitter = 0
)]
pub async fn work(ctx: Context, ms: u64) -> Result<(), BoxError> {
    start(&ctx);
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(ms)) => end(&ctx),
        () = ctx.cancelled() => {
            write(&Event::Cancelled { id: ctx.id() });
            return Err("asked to end".into());
        }
    }
    Ok(())
}

/// The same with arguments of a size.
///
/// # Errors
///
/// When it was asked to end.
///
/// # Panics
///
/// When they were not enqueued with it.
#[job(name = "fault.heavy", queue = "faults")]
pub async fn heavy(ctx: Context, ms: u64, load: String) -> Result<(), BoxError> {
    assert!(!load.is_empty(), "arguments come as they were sent");
    work(ctx, ms).await
}

/// Blocks the thread of the runtime for so many ms.
#[job(name = "fault.busy", queue = "faults")]
pub async fn busy(ctx: Context, ms: u64) {
    start(&ctx);
    thread::sleep(Duration::from_millis(ms));
    end(&ctx);
}

/// Blocks a thread of the pool for it for so many ms.
#[job(name = "fault.block", queue = "faults", blocking)]
pub fn block(ctx: Context, ms: u64) {
    start(&ctx);
    thread::sleep(Duration::from_millis(ms));
    end(&ctx);
}

/// Goes on for so many ms whatever it is asked.
#[job(name = "fault.deaf", queue = "faults")]
pub async fn deaf(ctx: Context, ms: u64) {
    start(&ctx);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    end(&ctx);
}

/// Fails so many times, then succeeds.
///
/// # Errors
///
/// So many times.
#[job(
    name = "fault.fail",
    queue = "faults",
    backoff = "fixed",
    base_delay = "50ms",
    jitter = 0
)]
pub async fn fail(ctx: Context, times: u32) -> Result<(), BoxError> {
    start(&ctx);
    if ctx.attempt() <= times {
        failed(&ctx);
        return Err("not yet".into());
    }
    end(&ctx);
    Ok(())
}

/// Is given up at its first run.
///
/// # Errors
///
/// Always.
#[job(name = "fault.fatal", queue = "faults")]
pub async fn fatal(ctx: Context) -> Result<(), JobError> {
    start(&ctx);
    failed(&ctx);
    Err(JobError::fatal("never"))
}

/// Panics, in one of several ways, at the first of two attempts.
///
/// # Panics
///
/// As it is told.
#[job(
    name = "fault.panics",
    queue = "faults",
    retries = 1,
    backoff = "fixed",
    base_delay = "50ms",
    jitter = 0
)]
pub async fn panics(ctx: Context, how: String) {
    start(&ctx);
    if ctx.attempt() > 1 {
        return end(&ctx);
    }
    failed(&ctx);
    match how.as_str() {
        "payload" => std::panic::panic_any(17_u8),
        "payload that drops" => std::panic::panic_any(Bomb),
        "drop" => drop(Bomb),
        "drop at its timeout" => {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }
        _ => panic!("{how}"),
    }
}

/// Panics on a thread of the pool for blocking, at the first of two attempts.
///
/// # Panics
///
/// As it is told.
#[job(
    name = "fault.panics_blocking",
    queue = "faults",
    retries = 1,
    backoff = "fixed",
    base_delay = "50ms",
    jitter = 0,
    blocking
)]
pub fn panics_blocking(ctx: Context, how: String) {
    start(&ctx);
    if ctx.attempt() > 1 {
        return end(&ctx);
    }
    failed(&ctx);
    panic!("{how}");
}

/// Returns, at the first of two attempts, an error that panics when it is looked at.
///
/// # Errors
///
/// That one.
#[job(
    name = "fault.mute",
    queue = "faults",
    retries = 1,
    backoff = "fixed",
    base_delay = "50ms",
    jitter = 0
)]
pub async fn mute(ctx: Context) -> Result<(), Unspeakable> {
    start(&ctx);
    if ctx.attempt() > 1 {
        end(&ctx);
        return Ok(());
    }
    failed(&ctx);
    Err(Unspeakable)
}

/// An error without words.
#[derive(Debug)]
pub struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in Display");
    }
}

impl std::error::Error for Unspeakable {}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

/// Ends its process: `abort`, `overflow` (its stack), `memory` (asks for more than there is), `kill`
/// (what the kernel does when there is no more) or `exit`.
#[job(name = "fault.pill", queue = "faults")]
pub async fn pill(ctx: Context, how: String) {
    start(&ctx);
    failed(&ctx);
    match how.as_str() {
        "overflow" => drop(overflow(0)),
        "memory" => drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 60))),
        "kill" => {
            support::signal(std::process::id(), "KILL");
            std::future::pending::<()>().await;
        }
        "exit" => std::process::exit(3),
        _ => std::process::abort(),
    }
}

#[expect(unconditional_recursion, reason = "that is its purpose")]
fn overflow(depth: u64) -> [u64; 64] {
    let mut deeper = overflow(std::hint::black_box(depth + 1));
    deeper[0] += depth;
    deeper
}

/// Enqueues as many children of its kind, each once, then ends.
///
/// # Errors
///
/// When one could not be enqueued.
#[job(name = "fault.spawns", queue = "faults")]
pub async fn spawns(ctx: Context, children: u32) -> Result<(), BoxError> {
    start(&ctx);
    for _ in 0..children {
        let id = jobq::JobId::new();
        write(&Event::Intent { id, due: 0 });
        work::new(1).id(id).enqueue(ctx.client()).await?;
        write(&Event::Accepted { id });
    }
    end(&ctx);
    Ok(())
}

/// A handler begins.
pub fn start(ctx: &Context) {
    let (id, attempt) = (ctx.id(), ctx.attempt());
    write(&Event::Start { id, attempt });
    death::pass(Side::Before, |step| step == "run");
}

/// A handler is about to succeed.
pub fn end(ctx: &Context) {
    let (id, attempt) = (ctx.id(), ctx.attempt());
    write(&Event::End { id, attempt });
    death::pass(Side::After, |step| step == "run");
}

/// A handler is about to fail.
pub fn failed(ctx: &Context) {
    let (id, attempt) = (ctx.id(), ctx.attempt());
    write(&Event::Failed { id, attempt });
}

fn write(event: &Event) {
    ledger_of_process().write(event);
}
