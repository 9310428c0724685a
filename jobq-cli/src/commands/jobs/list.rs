//! `jobq jobs list`

use jobq::{JobInfo, Queue, WorkerId};
use serde_json::{Map, json};

use crate::damage::Damage;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing, Row, counted_done, time};
use crate::session::Session;
use crate::state::State;

/// Jobs read at once.
const PAGE: u64 = 100;

const COLUMNS: &[Column] = &[
    Column::left("id"),
    Column::left("queue"),
    Column::left("name"),
    Column::right("failures"),
    Column::left("enqueued"),
    Column::left("due"),
    Column::left("worker"),
    Column::left("last error"),
];

/// List jobs in a state, page by page
///
/// Ready ones and suspects of crashes from the front, each without the other, delayed ones by their
/// time, those in flight by worker, dead ones newest first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Of these queues, with commas; all there are unless named
    #[arg(long, value_name = "QUEUE", value_delimiter = ',')]
    queue: Vec<String>,

    /// In which state
    #[arg(long, value_name = "STATE", default_value = "ready")]
    state: State,

    /// Pass over so many in all
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u64,

    /// List so many at most in all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u64,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let queues = session.queues(&args.queue).await?;
    let mut listing = session.out.listing(COLUMNS);
    let mut head = Map::new();
    head.insert("state".to_owned(), args.state.as_str().into());
    head.insert("offset".to_owned(), args.offset.into());
    listing.begin(&head, "jobs")?;
    let mut damage = Damage::default();
    let done = all(session, args, &queues, &mut listing, &mut damage).await;
    let listed = listing.rows();
    let (more, done) = match done {
        Ok(more) => (more, damage.end()),
        Err(failure) => (
            true,
            Err(failure.after(&counted_done(listed, "job", "listed"))),
        ),
    };
    let mut tail = Map::new();
    tail.insert("more".to_owned(), more.into());
    listing.finish(tail, done)?;
    if more {
        let next = args.offset.saturating_add(listed);
        let hint = "there are more; --limit says how many are listed, --offset";
        session.out.hint(&format!("{hint} where it begins: {next}"));
    }
    Ok(())
}

/// Lists the jobs of the queues as one list, as far as the limit allows; whether there are more.
async fn all(
    session: &Session,
    args: &Args,
    queues: &[Queue],
    listing: &mut Listing,
    damage: &mut Damage,
) -> Result<bool, Failure> {
    let mut offset = args.offset;
    for queue in queues {
        let more = pages(session, args, queue, offset, listing).await;
        if damage.pass(queue, more)? == Some(true) {
            return Ok(true);
        }
        if offset > 0 {
            let length = length(queue, args.state).await;
            offset = offset.saturating_sub(damage.pass(queue, length)?.unwrap_or(0));
        }
    }
    Ok(false)
}

/// How many jobs of a queue there are to list, those that were just handed to a worker among them.
async fn length(queue: &Queue, state: State) -> Result<u64, Failure> {
    let stats = queue.stats().await?;
    Ok(match state {
        State::Ready => stats.ready - stats.suspects,
        State::Suspects => stats.suspects,
        State::Delayed => stats.delayed,
        State::InFlight => stats.in_flight,
        State::Dead => stats.dead,
    })
}

/// Lists the jobs of a queue from the offset on; whether there are more.
async fn pages(
    session: &Session,
    args: &Args,
    queue: &Queue,
    mut offset: u64,
    listing: &mut Listing,
) -> Result<bool, Failure> {
    loop {
        if session.interrupt.is_set() {
            return Err(Failure::interrupted());
        }
        let room = args.limit.saturating_sub(listing.rows());
        // One more than is listed says whether there are more.
        let wanted = PAGE.min(room.saturating_add(1));
        let limit = u32::try_from(wanted).unwrap_or(u32::MAX);
        let page = queue.jobs(args.state.into(), offset, limit).await?;
        if page.is_empty() {
            return Ok(false);
        }
        let fits = usize::try_from(room).unwrap_or(usize::MAX).min(page.len());
        let rows: Vec<Row> = page[..fits]
            .iter()
            .map(|job| row(queue, args.state, job))
            .collect();
        listing.page(&rows)?;
        if fits < page.len() {
            return Ok(true);
        }
        offset = offset.saturating_add(page.len() as u64);
    }
}

fn row(queue: &Queue, state: State, job: &JobInfo) -> Row {
    let failures = job.failures();
    let worker = job.worker().map(WorkerId::as_str);
    let error = job.last_error();
    Row {
        cells: vec![
            job.id()
                .map_or_else(Cell::none, |id| Cell::word(id.to_string())),
            Cell::word(queue.name().as_str()),
            job.name()
                .map_or_else(|| Cell::word("no job").bad(), Cell::text),
            failures.map_or_else(Cell::none, Cell::number),
            Cell::time(job.enqueued_at()),
            Cell::time(job.due()),
            worker.map_or_else(Cell::none, Cell::text),
            error.map_or_else(Cell::none, Cell::text),
        ],
        json: json!({
            "id": job.id().map(|id| id.to_string()),
            "queue": queue.name().as_str(),
            "state": state.as_str(),
            "name": job.name(),
            "failures": failures,
            "enqueued_at": time(job.enqueued_at()),
            "due": time(job.due()),
            "worker": worker,
            "last_error": error,
            "bytes": job.bytes().len(),
            "unreadable": job.envelope().err().map(|error| error.to_string()),
        }),
    }
}
