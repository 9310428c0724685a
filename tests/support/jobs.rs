//! Jobs that several processes run, and what they write into a [`crate::Record`]: `begin KEY PID
//! ATTEMPT` before anything else, `end KEY` at their end, `dropped KEY` when they were aborted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jobq::{Context, job};

use crate::record::append;

/// The queue of these jobs, so that no other worker of a test binary runs them by default.
pub const QUEUE: &str = "programs";

/// Between two looks at the record.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Is done at once.
#[job(name = "test.note", queue = "programs")]
pub async fn note(ctx: Context, record: PathBuf, key: String) {
    begin(&ctx, &record, &key);
    append(&record, &format!("end {key}"));
}

/// Ends once the record has the line `go`.
#[job(name = "test.hold", queue = "programs")]
pub async fn hold(ctx: Context, record: PathBuf, key: String) {
    let dropped = Dropped(Some((record.clone(), key.clone())));
    begin(&ctx, &record, &key);
    while !may_go(&record) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    dropped.disarm();
    append(&record, &format!("end {key}"));
}

/// As [`hold()`], on a thread of the blocking pool.
#[job(name = "test.hold_blocking", queue = "programs", blocking)]
pub fn hold_blocking(ctx: Context, record: PathBuf, key: String) {
    begin(&ctx, &record, &key);
    while !may_go(&record) {
        std::thread::sleep(LOOK_EVERY);
    }
    append(&record, &format!("end {key}"));
}

/// Ends its process.
#[job(name = "test.pill", queue = "programs")]
pub async fn pill(ctx: Context, record: PathBuf, key: String) {
    begin(&ctx, &record, &key);
    std::process::abort();
}

/// Blocks the thread it runs on.
#[job(name = "test.hog", queue = "programs")]
pub async fn hog(ctx: Context, record: PathBuf, key: String, time: Duration) {
    begin(&ctx, &record, &key);
    std::thread::sleep(time);
    append(&record, &format!("end {key}"));
}

/// Logs, in a span of its own.
#[job(name = "test.speak", queue = "programs")]
pub async fn speak(line: String) {
    let _span = tracing::info_span!("speech", loud = true).entered();
    tracing::info!(length = line.len(), pi = 3.5, "{line}");
}

/// Is dead after one run.
///
/// # Panics
///
/// Always.
#[job(name = "test.panic", queue = "programs", retries = 0)]
pub async fn panic(message: String) {
    panic!("{message}");
}

fn begin(ctx: &Context, record: &Path, key: &str) {
    let (pid, attempt) = (std::process::id(), ctx.attempt());
    append(record, &format!("begin {key} {pid} {attempt}"));
}

fn may_go(record: &Path) -> bool {
    // A record that is gone is the end of a test.
    std::fs::read_to_string(record).map_or(true, |text| text.lines().any(|line| line == "go"))
}

/// Writes down that a run was dropped before its end.
struct Dropped(Option<(PathBuf, String)>);

impl Dropped {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some((record, key)) = self.0.take() {
            append(&record, &format!("dropped {key}"));
        }
    }
}
