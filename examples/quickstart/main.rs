//! Real work with no server and no configuration: SHA-256 and word count of every file below a
//! folder, a job a file, eight at a time. One path does not exist: its job fails, is retried with
//! growing delays, and ends in the dead list.
//!
//! ```sh
//! cargo run --example quickstart                   # this repository's docs/ and examples/
//! cargo run --example quickstart -- ~/notes        # another folder
//! cargo run --example quickstart -- --help
//! JOBQ_URL=redis://127.0.0.1:6379 cargo run --example quickstart
//! ```

mod files;
mod report;

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::Context as _;
use jobq::{Client, Context, DeadJob, JobHandle, State, job};
use jobq_worker::Worker;

use crate::report::{Facts, Report, say};

const USAGE: &str =
    "usage: quickstart [FOLDER]    JOBQ_URL: memory:// (the default) or redis://host";

/// Reads a file and reports what is in it.
#[job(
    queue = "quickstart",
    blocking,
    retries = 3,
    backoff = "exponential",
    base_delay = "500ms"
)]
fn digest(ctx: Context, report: State<Report>, path: PathBuf) -> io::Result<()> {
    let _running = report.running();
    match fs::read(&path) {
        Ok(content) => {
            report.done(&path, &Facts::of(&content));
            Ok(())
        }
        Err(error) => {
            report.failed(&path, ctx.attempt(), &error);
            Err(error)
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = env::args_os().nth(1);
    if folder
        .as_ref()
        .is_some_and(|arg| arg == "--help" || arg == "-h")
    {
        say(USAGE);
        return Ok(());
    }
    let (root, folders) = folders(folder.map(PathBuf::from))?;
    let mut paths = files::below(&folders)?;
    paths.push(root.join("this-file-does-not-exist.txt"));

    let url = env::var("JOBQ_URL").unwrap_or_else(|_| "memory://".to_owned());
    let client = jobq::connect(&url).await?;
    let report = Report::new(root, paths.len());

    let handles = client
        .enqueue_all(paths.into_iter().map(digest::new))
        .await?;
    let stats = Worker::builder(client.clone())
        .queues(["quickstart"])
        .concurrency(8)
        .state(report.clone())
        .build()?
        .run_until_idle()
        .await?;

    report.summary(stats);
    for job in dead(&client, &handles).await? {
        say(format_args!("\ndead: job {} ({})", job.id(), job.reason()));
        say(format_args!("  error     {}", job.error()));
        let (attempts, last) = (job.attempts(), job.died_at());
        say(format_args!("  attempts  {attempts}, the last at {last}"));
        for earlier in job.history() {
            say(format_args!("            {} {}", earlier.at, earlier.error));
        }
    }
    Ok(())
}

/// The folder that paths are shown relative to, and the folders to walk.
fn folders(folder: Option<PathBuf>) -> anyhow::Result<(PathBuf, Vec<PathBuf>)> {
    if let Some(folder) = folder {
        let folder = fs::canonicalize(&folder).with_context(|| folder.display().to_string())?;
        return Ok((folder.clone(), vec![folder]));
    }
    let root = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))?;
    let folders = vec![root.join("docs"), root.join("examples")];
    Ok((root, folders))
}

/// What the dead list holds of this run; in Redis there may be more, of earlier ones.
async fn dead(client: &Client, handles: &[JobHandle]) -> anyhow::Result<Vec<DeadJob>> {
    let mut dead = client.queue("quickstart")?.dead().list(0, 1000).await?;
    dead.retain(|job| handles.iter().any(|handle| handle.id() == job.id()));
    Ok(dead)
}
