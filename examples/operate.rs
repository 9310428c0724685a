//! What an operator does: sees the figures of all queues, reads why jobs died and has them tried
//! again, pauses and resumes a queue, cancels a job. To copy into a tool of your own.
//!
//! ```sh
//! cargo run --example operate                      # the figures of every queue
//! cargo run --example operate -- dead mail         # what died on the queue mail, and why
//! cargo run --example operate -- retry-all mail    # all of it runs again
//! cargo run --example operate -- pause mail        # nothing of it starts until: resume mail
//! cargo run --example operate -- cancel mail 01a1f8fe-a6b4-7364-b886-705e1c133891
//! ```
//!
//! `JOBQ_URL`, `JOBQ_USERNAME` and so on say which Redis, as for a worker process. Where Redis has a
//! user for each role, this one is an operator.

use std::env;

use jobq::{Client, ClientBuilder, Queue};

const USAGE: &str = "usage: operate [dead|retry-all|pause|resume QUEUE | cancel QUEUE ID]";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let client = ClientBuilder::from_env().connect().await?;
    match args[..] {
        [] => figures(&client).await?,
        ["dead", queue] => dead(&client.queue(queue)?).await?,
        ["retry-all", queue] => {
            let jobs = client.queue(queue)?.dead().retry_all().await?;
            println!("dead jobs of {queue} that run again: {jobs}");
        }
        ["pause", queue] => known(&client, queue).await?.pause().await?,
        ["resume", queue] => known(&client, queue).await?.resume().await?,
        ["cancel", queue, id] => known(&client, queue).await?.cancel(id.parse()?).await?,
        _ => anyhow::bail!(USAGE),
    }
    Ok(())
}

/// A queue that exists: to pause one that is misspelt would stop nothing, and say nothing.
async fn known(client: &Client, name: &str) -> anyhow::Result<Queue> {
    let queues = client.queues().await?;
    let is_known = queues.iter().any(|queue| queue.as_str() == name);
    anyhow::ensure!(is_known, "no queue {name:?}; `operate` lists all");
    Ok(client.queue(name)?)
}

async fn figures(client: &Client) -> anyhow::Result<()> {
    println!("   ready  delayed  running     dead  oldest  queue");
    for name in client.queues().await? {
        let stats = client.queue(&name)?.stats().await?;
        println!(
            "{:8} {:8} {:8} {:8} {:6}s  {name}{}",
            stats.ready,
            stats.delayed,
            stats.in_flight,
            stats.dead,
            stats.oldest_ready_age.unwrap_or_default().as_secs(),
            if stats.paused { " (paused)" } else { "" },
        );
    }
    Ok(())
}

/// Page by page: there may be thousands, and each keeps its arguments and its errors.
async fn dead(queue: &Queue) -> anyhow::Result<()> {
    for offset in (0..).step_by(100) {
        let page = queue.dead().list(offset, 100).await?;
        if page.is_empty() {
            break;
        }
        for job in page {
            let (id, died, name) = (job.id(), job.died_at(), job.name().unwrap_or("no job"));
            // An error may quote anything, a terminal's control characters too.
            let error = job.error().escape_debug();
            println!("{died:.0}  {id}  {name} ({}): {error}", job.reason());
        }
    }
    Ok(())
}
