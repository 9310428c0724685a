//! `jobq dead analyze`

use std::collections::BTreeMap;
use std::fmt::Display;

use jobq::Queue;
use serde_json::{Map, Value, json};

use super::groups::{Group, Groups, MOST_GROUPS};
use super::selection::Selection;
use crate::damage::Damage;
use crate::failure::Failure;
use crate::output::{Cell, Column, Row, counted, counted_done, printable, time};
use crate::progress::Progress;
use crate::session::Session;

const COLUMNS: &[Column] = &[
    Column::left("group"),
    Column::right("jobs"),
    Column::left("name"),
    Column::left("first seen"),
    Column::left("last seen"),
    Column::left("reasons"),
    Column::left("failures"),
    Column::left("error"),
];

/// Group dead jobs by name and error, the largest group first
///
/// Errors are of one group if they differ only in numbers, ids, quoted texts, times and addresses.
/// What they have in common is shown up to 200 characters; it is compared whole.
/// `dead retry --group` and `dead remove --group` take what the first column shows.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let queues = args.selection.queues(session).await?;
    let mut groups = Groups::default();
    let gathered = gather(session, &args.selection, &queues, &mut groups).await;
    let (count, others) = (groups.count, groups.others);
    let so_far = counted_done(count, "dead job", "grouped");
    let done = match gathered {
        Ok(damage) => damage.end().map_err(|failure| failure.besides(&so_far)),
        Err(failure) => Err(failure.after(&so_far)),
    };
    let mut tail = Map::new();
    tail.insert("count".to_owned(), count.into());
    tail.insert("others".to_owned(), others.into());
    tail.insert("by_reason".to_owned(), counts(&groups.by_reason));
    tail.insert("by_failures".to_owned(), counts(&groups.by_failures));
    tail.insert("complete".to_owned(), done.is_ok().into());
    let summary = summary(&groups);
    let rows: Vec<Row> = groups.sorted().iter().map(row).collect();
    let mut listing = session.out.listing(COLUMNS);
    listing.begin(&Map::new(), "groups")?;
    listing.page(&rows)?;
    session.out.hint(&summary);
    listing.finish(tail, done)
}

/// Goes over all that is meant.
async fn gather(
    session: &Session,
    selection: &Selection,
    queues: &[Queue],
    groups: &mut Groups,
) -> Result<Damage, Failure> {
    let now = session.client.broker().now();
    let progress = Progress::new("looked at", 0);
    let mut size = 0;
    let mut damage = Damage::default();
    for queue in queues {
        let walk = queue.dead().walk().await.map_err(Failure::from);
        let Some(mut walk) = damage.pass(queue, walk)? else {
            continue;
        };
        size += walk.left();
        progress.set_size(size);
        loop {
            if session.interrupt.is_set() {
                return Err(Failure::interrupted());
            }
            let page = walk.next_page().await.map_err(Failure::from);
            let page = damage.pass(queue, page)?.unwrap_or_default();
            if page.is_empty() {
                break;
            }
            progress.add(page.len() as u64);
            for job in page.iter().filter(|job| selection.means(job, now)) {
                groups.add(queue.name().as_str(), job);
            }
        }
    }
    if groups.others > 0 {
        let others = counted(groups.others, "dead job");
        progress.warn(&format!(
            "{others} of further groups are not listed: {MOST_GROUPS} are told apart"
        ));
    }
    Ok(damage)
}

fn row(group: &Group) -> Row {
    let name = match group.name.is_empty() {
        true => Cell::word("no job").bad(),
        false => Cell::text(&group.name),
    };
    Row {
        cells: vec![
            Cell::word(group.id.to_string()),
            Cell::number(group.count),
            name,
            Cell::time(group.first_seen),
            Cell::time(group.last_seen),
            Cell::word(listed(&group.by_reason)),
            Cell::word(listed(&group.by_failures)),
            Cell::text(&group.pattern),
        ],
        json: json!({
            "group": group.id.to_string(),
            "count": group.count,
            "name": (!group.name.is_empty()).then_some(&group.name),
            "pattern": group.pattern,
            "first_seen": time(group.first_seen),
            "last_seen": time(group.last_seen),
            "by_reason": counts(&group.by_reason),
            "by_failures": counts(&group.by_failures),
            "by_queue": counts(&group.by_queue),
            "example": {
                "id": group.example.id.to_string(),
                "queue": group.example.queue,
                "error": group.example.error,
            },
        }),
    }
}

fn counts<K: Display>(counts: &BTreeMap<K, u64>) -> Value {
    let counts = counts
        .iter()
        .map(|(key, count)| (key.to_string(), Value::from(*count)));
    Value::Object(counts.collect())
}

/// `exhausted:12 fatal:1`
fn listed<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    let counts = counts.iter().map(|(key, count)| format!("{key}:{count}"));
    counts.collect::<Vec<_>>().join(" ")
}

fn summary(groups: &Groups) -> String {
    let reasons = printable(&listed(&groups.by_reason));
    format!(
        "{} ({reasons}); with --json an example of each group",
        counted(groups.count, "dead job")
    )
}
