//! `jobq workers list`

use std::time::Duration;

use jobq::{RunningJob, Timestamp, WorkerInfo, WorkerState};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::{Cell, Column, Row, printable, time};
use crate::session::Session;

const COLUMNS: &[Column] = &[
    Column::left("id"),
    Column::left("host"),
    Column::right("pid"),
    Column::left("version"),
    Column::left("state"),
    Column::right("slots"),
    Column::right("heartbeat"),
    Column::right("done"),
    Column::right("failed"),
    Column::left("queues"),
    Column::left("longest running"),
];

/// List workers: where they run, what they serve and what they run, the slowest job first
///
/// A worker tells of itself with each heartbeat: what stands here may be two seconds old. One that
/// has died is listed as lost for a minute or two.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those that serve this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,

    /// List the jobs that they run below each, on a terminal or piped (with --json they always are)
    #[arg(long)]
    jobs: bool,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let mut workers = session.client.workers().await?;
    if let Some(queue) = &args.queue {
        let queue = session.known_queue(queue).await?;
        workers.retain(|worker| {
            worker
                .queues
                .iter()
                .any(|served| served.name == *queue.name())
        });
    }
    let now = session.client.broker().now().timestamp();
    let mut listing = session.out.listing(COLUMNS);
    listing.begin(&Map::new(), "workers")?;
    let rows: Vec<_> = workers.iter().map(|worker| row(worker, now)).collect();
    listing.fit(&rows);
    for (worker, row) in workers.iter().zip(&rows) {
        listing.page(std::slice::from_ref(row))?;
        if args.jobs && !session.out.is_json() {
            for job in &worker.running {
                session.out.line(&format!("\t{}", running(job, now)))?;
            }
        }
    }
    listing.end(&Map::new())
}

/// How a worker is, in a word.
pub(super) fn state(worker: &WorkerInfo) -> &'static str {
    match worker.state {
        _ if worker.is_lost() => "lost",
        WorkerState::Working => "working",
        WorkerState::Quiet => "quiet",
        WorkerState::Stopping => "stopping",
        _ => "unknown",
    }
}

fn row(worker: &WorkerInfo, now: Timestamp) -> Row {
    let state = state(worker);
    let served = worker.queues.iter();
    let queues: Vec<_> = served
        .clone()
        .map(|served| format!("{}:{}", served.name, served.weight))
        .collect();
    let longest = worker.running.first().map(|job| running(job, now));
    Row {
        cells: vec![
            Cell::text(worker.id.as_str()),
            Cell::text(&worker.host),
            Cell::number(worker.pid),
            Cell::text(&worker.version),
            Cell::word(state).bad_if(state == "lost"),
            Cell::word(format!("{}/{}", worker.slots_used, worker.slots)),
            Cell::age(Some(worker.silent_for)),
            Cell::number(worker.totals.done),
            Cell::number(worker.totals.failures()),
            Cell::word(queues.join(" ")),
            longest.map_or_else(Cell::none, Cell::word),
        ],
        json: json!({
            "id": worker.id.as_str(),
            "host": worker.host,
            "pid": worker.pid,
            "version": worker.version,
            "state": state,
            "started_at": time(Some(worker.started_at)),
            "last_heartbeat": time(Some(worker.last_heartbeat)),
            "lease_ms": ms(worker.lease),
            "slots": worker.slots,
            "slots_used": worker.slots_used,
            "slots_leaked": worker.slots_leaked,
            "queues": served.map(|served| json!({
                "queue": served.name.as_str(),
                "weight": served.weight,
                "member": served.member.as_str(),
            })).collect::<Value>(),
            "running": worker.running.iter().map(|job| json!({
                "id": job.id.to_string(),
                "name": job.name,
                "queue": job.queue,
                "since": time(Some(job.since)),
            })).collect::<Value>(),
            "done": worker.totals.done,
            "failed": worker.totals.failures(),
            "retried": worker.totals.retried,
            "dead": worker.totals.dead,
            "spent_ms": ms(worker.totals.spent),
        }),
    }
}

fn running(job: &RunningJob, now: Timestamp) -> String {
    let ran = Duration::try_from(now.duration_since(job.since)).unwrap_or_default();
    let ran = crate::output::age(ran);
    format!("{} {} for {ran}", printable(&job.name), job.id)
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
