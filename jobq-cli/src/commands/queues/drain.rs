//! `jobq queues drain`: waits until nothing is left. It changes nothing.

use std::time::{Duration, Instant};

use jobq::{Queue, QueueStats};
use serde_json::json;

use crate::failure::Failure;
use crate::output::{age, counted_done};
use crate::patience::Patience;
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

/// How the waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Empty,
    TimedOut,
    Interrupted,
    Failed,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TimedOut => "timed out",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let queue = session.known_queue(&args.queue).await?;
    let begun = Instant::now();
    let mut last = None;
    let ended = wait(session, args, &queue, begun, &mut last).await;
    let took = begun.elapsed();
    let so_far = last.as_ref().map(|stats| {
        let left = counted_done(left(stats, args), "job", "left");
        format!("{left} of {} after {}", queue.name(), age(took))
    });
    let so_far = so_far.unwrap_or_else(|| format!("nothing was known of {}", queue.name()));
    let (end, done) = match ended {
        Ok(End::Empty) => (End::Empty, Ok(())),
        Ok(end) => (end, Err(Failure::job(end.as_str()))),
        Err(failure) => (End::Failed, Err(failure)),
    };
    let figure = |of: fn(&QueueStats) -> u64| last.as_ref().map(of);
    let document = json!({
        "queue": queue.name().as_str(),
        "end": end.as_str(),
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "ready": figure(|stats| stats.ready),
        "delayed": figure(|stats| stats.delayed),
        "in_flight": figure(|stats| stats.in_flight),
    });
    let line = format!("{} is empty after {}", queue.name(), age(took));
    let done = done.map_err(|failure| failure.after(&so_far));
    session.out.end(&line, document, done)
}

/// Looks again and again, also where the broker is away for a while; `last` is what was seen last.
async fn wait(
    session: &Session,
    args: &Args,
    queue: &Queue,
    begun: Instant,
    last: &mut Option<QueueStats>,
) -> Result<End, Failure> {
    let progress = Progress::new("drained", 0);
    let mut patience = Patience::default();
    let mut most = 0;
    let mut warned = false;
    loop {
        let Some(stats) = session.interrupt.before(queue.stats()).await else {
            return Ok(End::Interrupted);
        };
        if let Some(stats) = patience.bear(stats.map_err(Failure::from), &progress)? {
            let left = left(&stats, args);
            most = left.max(most);
            progress.set_size(most);
            progress.set(most - left);
            let is_paused = stats.paused;
            *last = Some(stats);
            if left == 0 {
                return Ok(End::Empty);
            }
            if is_paused && !std::mem::replace(&mut warned, true) {
                progress
                    .warn("the queue is paused: nothing of it starts until somebody resumes it");
            }
        }
        let over = args.timeout.map(|timeout| begun + timeout);
        let wait = over.map_or(LOOK_EVERY, |over| {
            over.saturating_duration_since(Instant::now())
                .min(LOOK_EVERY)
        });
        if wait.is_zero() {
            return patience.end().map(|()| End::TimedOut);
        }
        let slept = session.interrupt.before(tokio::time::sleep(wait)).await;
        if slept.is_none() {
            return Ok(End::Interrupted);
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
