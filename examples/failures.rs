//! What a job may answer, and what becomes of it: the retry policy by attribute and by call, fatal,
//! retry after, snooze and discard, from functions that return std errors, `anyhow`, `eyre` and
//! `String`. Prints what became of each.
//!
//! ```sh
//! cargo run --example failures
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobq::{Backoff, Context, JobError, JobId, State, job};
use jobq_worker::Worker;

/// The attempts of every job, in the order of its runs.
type Runs = Arc<Mutex<HashMap<JobId, Vec<u32>>>>;

fn note(runs: &State<Runs>, ctx: &Context) {
    let mut runs = runs.lock().expect("nobody panics with it");
    runs.entry(ctx.id()).or_default().push(ctx.attempt());
}

/// Any error is a failed attempt; how often and when to try again stands in the attribute.
#[job(
    retries = 2,
    backoff = "linear",
    base_delay = "20ms",
    max_delay = "1s",
    jitter = "none"
)]
async fn save(ctx: Context, runs: State<Runs>) -> io::Result<()> {
    note(&runs, &ctx);
    Err(io::Error::new(io::ErrorKind::StorageFull, "disk full"))
}

/// A panic is a failed attempt too.
#[job(retries = 1, backoff = "fixed", base_delay = "20ms")]
async fn divide(ctx: Context, runs: State<Runs>, by: u64) {
    note(&runs, &ctx);
    println!("1000 / {by} = {}", 1000 / by);
}

/// `String` is an error as well.
#[job(retries = 0)]
async fn parse(ctx: Context, runs: State<Runs>, text: String) -> Result<u64, String> {
    note(&runs, &ctx);
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

/// `JobError` says more than "failed".
#[job(retries = 1)]
async fn charge(ctx: Context, runs: State<Runs>, answer: String) -> Result<(), JobError> {
    note(&runs, &ctx);
    let first = runs.lock().expect("nobody panics with it")[&ctx.id()].len() == 1;
    let soon = Duration::from_millis(40);
    match answer.as_str() {
        "account closed" => Err(JobError::fatal(answer)),
        "order withdrawn" => Err(JobError::discard(answer)),
        "rate limited" if first => Err(JobError::retry_after(answer, soon)),
        "bank is closed" if first => Err(JobError::snooze(soon)),
        _ => Ok(()),
    }
}

/// What is deep down in an application: it knows that trying again is of no use.
fn look_up(account: u64) -> Result<(), JobError> {
    Err(JobError::fatal(format!("no account {account}")))
}

/// The decision survives `anyhow`, without context and with.
#[job]
async fn via_anyhow(ctx: Context, runs: State<Runs>, explain: bool) -> anyhow::Result<()> {
    use anyhow::Context as _;
    note(&runs, &ctx);
    match explain {
        false => look_up(7)?,
        true => look_up(7).context("cannot close the month")?,
    }
    Ok(())
}

/// And `eyre`.
#[job]
async fn via_eyre(ctx: Context, runs: State<Runs>) -> eyre::Result<()> {
    use eyre::WrapErr as _;
    note(&runs, &ctx);
    look_up(7).wrap_err("cannot close the month")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = &jobq::connect("memory://").await?;
    let brief = Backoff::fixed(Duration::from_millis(20));
    let jobs = [
        ("policy by attribute", save::enqueue(client).await?),
        (
            "policy by call",
            save::new()
                .retries(1)
                .backoff(brief)
                .enqueue(client)
                .await?,
        ),
        ("panic", divide::enqueue(client, 0).await?),
        ("Result<_, String>", parse::enqueue(client, "many").await?),
        ("fatal", charge::enqueue(client, "account closed").await?),
        (
            "retry_after",
            charge::enqueue(client, "rate limited").await?,
        ),
        ("snooze", charge::enqueue(client, "bank is closed").await?),
        ("discard", charge::enqueue(client, "order withdrawn").await?),
        (
            "fatal through anyhow",
            via_anyhow::enqueue(client, false).await?,
        ),
        (
            "fatal through .context()",
            via_anyhow::enqueue(client, true).await?,
        ),
        ("fatal through eyre", via_eyre::enqueue(client).await?),
    ];

    let runs = Runs::default();
    let worker = Worker::builder(client.clone())
        .state(runs.clone())
        .build()?;
    worker.run_until_idle().await?;

    let dead = client.queue("default")?.dead().list(0, 100).await?;
    println!("{:26}{:10}became of it", "job", "attempts");
    for (what, handle) in jobs {
        let attempts = runs.lock().expect("nobody panics with it")[&handle.id()].clone();
        let attempts: Vec<_> = attempts.iter().map(u32::to_string).collect();
        let fate = match dead.iter().find(|job| job.id() == handle.id()) {
            Some(job) => format!("dead, {}: {}", job.reason(), job.error()),
            None => "gone: done or discarded".to_owned(),
        };
        println!("{what:26}{:10}{fate}", attempts.join(" "));
    }
    Ok(())
}
