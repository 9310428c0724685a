//! `jobq dead list`

use jobq::{DeadJob, Queue};
use serde_json::{Map, json};

use super::groups::group_of;
use super::selection::Selection;
use crate::damage::Damage;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing, Row, counted_done, time};
use crate::session::Session;

/// Jobs read at once.
const PAGE: u32 = 100;

const COLUMNS: &[Column] = &[
    Column::left("died"),
    Column::left("id"),
    Column::left("queue"),
    Column::left("name"),
    Column::right("failures"),
    Column::left("reason"),
    Column::left("group"),
    Column::left("error"),
];

/// List dead jobs, the newest of each queue first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,

    /// List so many at most in all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u64,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let queues = args.selection.queues(session).await?;
    let mut listing = session.out.listing(COLUMNS);
    listing.begin(&Map::new(), "jobs")?;
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
        session
            .out
            .hint("there are more; --limit says how many are listed, `dead analyze` groups all");
    }
    Ok(())
}

/// Lists what is meant, as far as the limit allows; whether there may be more.
async fn all(
    session: &Session,
    args: &Args,
    queues: &[Queue],
    listing: &mut Listing,
    damage: &mut Damage,
) -> Result<bool, Failure> {
    let now = session.client.broker().now();
    for queue in queues {
        let mut offset = 0;
        loop {
            if session.interrupt.is_set() {
                return Err(Failure::interrupted());
            }
            let page = queue.dead().list(offset, PAGE).await.map_err(Failure::from);
            let page = damage.pass(queue, page)?.unwrap_or_default();
            if page.is_empty() {
                break;
            }
            offset += page.len() as u64;
            let meant = page.iter().filter(|job| args.selection.means(job, now));
            let mut rows: Vec<Row> = meant.map(|job| row(queue, job)).collect();
            let room = args.limit.saturating_sub(listing.rows());
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let more = rows.len() > room;
            rows.truncate(room);
            listing.page(&rows)?;
            if more {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn row(queue: &Queue, job: &DeadJob) -> Row {
    let died = job.is_record().then(|| job.died_at());
    let (group, ..) = group_of(job);
    Row {
        cells: vec![
            Cell::time(died),
            Cell::word(job.id().to_string()),
            Cell::word(queue.name().as_str()),
            job.name()
                .map_or_else(|| Cell::word("no job").bad(), Cell::text),
            Cell::number(job.attempts()),
            Cell::word(job.reason().as_str()),
            Cell::word(group.to_string()),
            Cell::text(job.error()),
        ],
        json: json!({
            "died_at": time(died),
            "id": job.id().to_string(),
            "queue": queue.name().as_str(),
            "name": job.name(),
            "failures": job.attempts(),
            "reason": job.reason().as_str(),
            "group": group.to_string(),
            "error": job.error(),
        }),
    }
}
