//! `jobq health`: whether all is within limits, as one JSON object.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::damage::{Damage, without_figures};
use crate::doctor::finding::Level;
use crate::failure::{EXIT_ERROR, EXIT_INTERNAL, EXIT_JOB, EXIT_USAGE, EXIT_WARNING, Failure};
use crate::health::figures::{Figures, QueueFigures, Runs, look};
use crate::health::judge::{Limits, Reason, judge, whole_ms, worst};
use crate::health::limits::{self, Limit, MemoryLimit};
use crate::output::{Output, counted, printable};
use crate::session::Session;
use crate::values;

/// How long it looks at the most, but for the time that runs are counted: a probe is to have its
/// answer within 5 s, and each call alone may take nearly as long.
const WITHIN: Duration = Duration::from_millis(4500);

/// Tell a probe whether all is within limits: one JSON object, and an exit code
///
/// Exits with 0 if all is well, with 3 if there is a warning, with 4 if there is an error, and with 1 if
/// there is no queue of a name that was given. Without Redis, or with one that is too slow, the object says so too, and the code is 69: it has an answer
/// within 5 s, or so long after --over where --max-failure-rate has it count. A limit is an error when
/// it is passed; of two, the first is that of a warning: --max-ready 800,1000.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Queues; all there are unless named
    #[arg(value_name = "QUEUE")]
    queues: Vec<String>,

    /// The most jobs that may be ready on a queue
    #[arg(long, value_name = "JOBS", value_parser = limits::count)]
    max_ready: Option<Limit<u64>>,

    /// The longest that the oldest ready job of a queue may wait: 5m
    #[arg(long, value_name = "TIME", value_parser = limits::time)]
    max_age: Option<Limit<Duration>>,

    /// The most dead jobs of a queue
    #[arg(long, value_name = "JOBS", value_parser = limits::count)]
    max_dead: Option<Limit<u64>>,

    /// The fewest workers that take jobs, of a queue with jobs that are ready
    #[arg(long, value_name = "WORKERS", value_parser = limits::least)]
    min_workers: Option<Limit<Reverse<u64>>>,

    /// The largest share of runs that may fail on a queue while it is looked at: 5%
    #[arg(long, value_name = "SHARE", value_parser = limits::share)]
    max_failure_rate: Option<Limit<f64>>,

    /// How long runs are counted for --max-failure-rate; workers report every 2 s
    #[arg(long, value_name = "TIME", value_parser = values::interval, default_value = "10s")]
    over: Duration,

    /// The most memory that Redis may use: 512MiB, or 80% of its maxmemory
    #[arg(long, value_name = "MEMORY", value_parser = limits::memory)]
    max_memory: Option<MemoryLimit>,
}

impl Args {
    /// How long runs are counted.
    fn counted_for(&self) -> Option<Duration> {
        self.max_failure_rate.map(|_| self.over)
    }

    fn limits(&self) -> Limits {
        Limits {
            ready: self.max_ready,
            age: self.max_age,
            dead: self.max_dead,
            failure_rate: self.max_failure_rate,
            memory: self.max_memory,
            workers: self.min_workers,
        }
    }
}

/// What a probe is told, with or without a server.
#[derive(Debug, Default)]
struct Health {
    broker: Option<String>,
    connect: Option<Duration>,
    figures: Option<Figures>,
    reasons: Vec<Reason>,
    interrupted: bool,
}

pub(crate) async fn run(
    session: impl Future<Output = Result<Session, Failure>>,
    args: &Args,
) -> Result<(), Failure> {
    let mut health = Health::default();
    let within = WITHIN + args.counted_for().unwrap_or_default();
    let looked = timeout(within, health.look(session, args)).await;
    let looked = looked.unwrap_or_else(|_| Err(health.too_slow(within)));
    if let Err(failure) = &looked {
        health.reasons = vec![Reason {
            check: health.check(failure),
            queue: None,
            level: Level::Error,
            figure: Value::Null,
            limit: Value::Null,
            said: printable(&failure.to_string()),
        }];
    }
    // Always JSON: a probe reads it, whatever it was started with.
    Output::new(true).document(&health.document())?;
    looked?;
    health.damage().end()?;
    match worst(&health.reasons) {
        Level::Error => Err(Failure::quiet(EXIT_ERROR)),
        Level::Warning => Err(Failure::quiet(EXIT_WARNING)),
        Level::Ok | Level::Unknown => Ok(()),
    }
}

impl Health {
    async fn look(
        &mut self,
        session: impl Future<Output = Result<Session, Failure>>,
        args: &Args,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        let session = session.await?;
        self.connect = Some(began.elapsed());
        self.broker = Some(session.client.broker().describe());
        let figures = self.figures.insert(Figures::default());
        let looking = look(&session, &args.queues, args.counted_for(), figures);
        match session.interrupt.before(looking).await {
            Some(looked) => looked?,
            None => {
                self.interrupted = true;
                return Err(Failure::job(format!("interrupted {}", self.progress())));
            }
        }
        self.reasons = judge(figures, &args.limits());
        Ok(())
    }

    /// What it was that kept it from looking.
    fn check(&self, failure: &Failure) -> &'static str {
        match failure.code() {
            EXIT_INTERNAL => "keys",
            // Connecting can be interrupted too.
            EXIT_JOB if self.figures.is_some() && !self.interrupted => "queue",
            EXIT_USAGE => "queue",
            _ => "broker",
        }
    }

    fn too_slow(&self, within: Duration) -> Failure {
        let (secs, progress) = (within.as_secs_f64(), self.progress());
        Failure::unavailable(format!(
            "Redis is too slow: {secs:.1} s were over {progress}"
        ))
    }

    fn damage(&self) -> Damage {
        let mut damage = Damage::default();
        let unreadable = self.figures.iter().flat_map(|figures| &figures.unreadable);
        for (queue, why) in unreadable {
            damage.note(&format!("queue {queue}"), why);
        }
        let figures = self.figures.as_ref();
        if let Some(why) = figures.and_then(|figures| figures.workers_unreadable.as_ref()) {
            damage.note_workers(why);
        }
        damage
    }

    fn progress(&self) -> String {
        match &self.figures {
            Some(figures) => {
                let seen = figures.queues.len() + figures.unreadable.len();
                format!("after a look at {}", counted(seen as u64, "queue"))
            }
            None => "before it was connected".to_owned(),
        }
    }

    fn document(&self) -> Value {
        let status = match worst(&self.reasons) {
            Level::Ok | Level::Unknown => "healthy",
            other => other.as_str(),
        };
        let server = self.figures.as_ref().map(|figures| &figures.server);
        json!({
            "status": status,
            "reasons": self.reasons.iter().map(reason).collect::<Vec<_>>(),
            "broker": self.broker,
            "latency_us": server.map(|server| micros(server.round_trip)),
            "connect_us": self.connect.map(micros),
            "memory": server.map(|server| json!({
                "used": server.memory.used,
                "limit": server.memory.limit,
            })),
            "queues": self.figures.as_ref().map(queues),
        })
    }
}

fn reason(reason: &Reason) -> Value {
    json!({
        "check": reason.check,
        "queue": reason.queue,
        "level": reason.level.as_str(),
        "figure": reason.figure,
        "limit": reason.limit,
        "said": reason.said,
    })
}

fn queues(figures: &Figures) -> Vec<Value> {
    let unreadable = figures.unreadable.iter().map(|(name, why)| {
        let mut document = queue(&QueueFigures::default());
        document["queue"] = name.as_str().into();
        without_figures(&mut document, why);
        document
    });
    figures.queues.iter().map(queue).chain(unreadable).collect()
}

fn queue(queue: &QueueFigures) -> Value {
    json!({
        "queue": queue.name,
        "unreadable": null,
        "ready": queue.ready,
        "delayed": queue.delayed,
        "in_flight": queue.in_flight,
        "dead": queue.dead,
        "paused": queue.paused,
        "workers": queue.workers,
        "oldest_ready_age_ms": queue.oldest_ready.map(whole_ms),
        "failure_rate": queue.runs.and_then(Runs::failure_rate),
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
