//! `jobq queues drain`: waits until nothing is left. It changes nothing.

use std::time::{Duration, Instant};

use jobq::{Queue, QueueStats};
use serde_json::json;

use crate::failure::{EXIT_JOB, Failure};
use crate::output::{age, counted};
use crate::progress::Progress;
use crate::session::Session;
use crate::values::duration;

/// Between two looks at the queue.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Wait until a queue is empty: nothing ready, delayed or in flight
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue
    #[arg(value_name = "QUEUE")]
    queue: String,

    /// Give up after this time, with exit code 1
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,

    /// Do not wait for jobs that are delayed
    #[arg(long)]
    ignore_delayed: bool,
}

/// Why the waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Empty,
    TimedOut,
    Interrupted,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TimedOut => "timed out",
            Self::Interrupted => "interrupted",
        }
    }
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let queue = session.known_queue(&args.queue).await?;
    let begun = Instant::now();
    let (end, stats) = wait(session, args, &queue, begun).await?;
    let (name, left, took) = (queue.name(), left(&stats, args), begun.elapsed());
    let document = json!({
        "queue": name.as_str(),
        "end": end.as_str(),
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "ready": stats.ready,
        "delayed": stats.delayed,
        "in_flight": stats.in_flight,
    });
    let took = age(took);
    let line = match end {
        End::Empty => format!("{name} is empty after {took}"),
        _ => format!(
            "{name} is not empty: {} after {took}, {} left",
            end.as_str(),
            counted(left, "job")
        ),
    };
    session.out.outcome(&line, &document)?;
    match end {
        End::Empty => Ok(()),
        _ => Err(Failure::quiet(EXIT_JOB)),
    }
}

async fn wait(
    session: &Session,
    args: &Args,
    queue: &Queue,
    begun: Instant,
) -> Result<(End, QueueStats), Failure> {
    let progress = Progress::new("drained", 0);
    let mut most = 0;
    let mut warned = false;
    loop {
        let stats = queue.stats().await?;
        let left = left(&stats, args);
        if left == 0 {
            return Ok((End::Empty, stats));
        }
        most = left.max(most);
        progress.set_size(most);
        progress.set(most - left);
        if stats.paused && !std::mem::replace(&mut warned, true) {
            progress.warn("the queue is paused: nothing of it starts until somebody resumes it");
        }
        let over = args.timeout.map(|timeout| begun + timeout);
        let wait = over.map_or(LOOK_EVERY, |over| {
            over.saturating_duration_since(Instant::now())
                .min(LOOK_EVERY)
        });
        if wait.is_zero() {
            return Ok((End::TimedOut, stats));
        }
        tokio::select! {
            biased;
            () = session.interrupt.reached() => return Ok((End::Interrupted, stats)),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn left(stats: &QueueStats, args: &Args) -> u64 {
    let delayed = if args.ignore_delayed {
        0
    } else {
        stats.delayed
    };
    stats.ready + stats.in_flight + delayed
}
