//! `jobq queues list`

use jobq::broker::Broker;
use jobq::{Queue, QueueStats};
use serde_json::{Map, json};

use crate::damage::{Damage, readable, unreadable};
use crate::failure::Failure;
use crate::heard::Heard;
use crate::output::{Cell, Column, Listing, Row, counted};
use crate::session::Session;

const COLUMNS: &[Column] = &[
    Column::left("queue"),
    Column::left("state"),
    Column::right("workers"),
    Column::right("waiting"),
    Column::right("in flight"),
    Column::right("dead"),
];

/// List the queues that were ever enqueued to or served
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(session: &Session, _args: &Args) -> Result<(), Failure> {
    let mut listing = session.out.listing(COLUMNS);
    let queues = session.queues(&[]).await?;
    listing.begin(&Map::new(), "queues")?;
    let listed = all(session, &queues, &mut listing);
    let listed = session.interrupt.before(listed).await;
    let done = listed.unwrap_or_else(|| {
        let rows = counted(listing.rows(), "queue");
        Err(Failure::job(format!("interrupted after {rows}")))
    });
    listing.finish(Map::new(), done)
}

async fn all(session: &Session, queues: &[Queue], listing: &mut Listing) -> Result<(), Failure> {
    let broker = &**session.client.broker();
    let heard = Heard::ask(&session.client).await?;
    let mut damage = Damage::default();
    heard.note_damage(&mut damage);
    for queue in queues {
        let name = queue.name().as_str();
        let row = match readable(look(broker, &heard, queue).await)? {
            Ok((stats, workers)) => row(name, &stats, workers),
            Err(why) => {
                damage.note(&format!("queue {name}"), &why);
                unreadable(row(name, &QueueStats::default(), None), &why)
            }
        };
        listing.page(&[row])?;
    }
    damage.end()
}

async fn look(
    broker: &dyn Broker,
    heard: &Heard,
    queue: &Queue,
) -> Result<(QueueStats, Option<u64>), Failure> {
    let workers = heard.living(broker, queue.name()).await?;
    Ok((queue.stats().await?, workers))
}

fn row(name: &str, stats: &QueueStats, workers: Option<u64>) -> Row {
    let state = match stats.paused {
        true => Cell::word("paused").doubtful(),
        false => Cell::word("open"),
    };
    let waiting = stats.ready + stats.delayed;
    Row {
        cells: vec![
            Cell::word(name),
            state,
            workers.map_or_else(Cell::none, Cell::number),
            Cell::number(waiting),
            Cell::number(stats.in_flight),
            Cell::number(stats.dead).bad_if(stats.dead > 0),
        ],
        json: json!({
            "queue": name,
            "unreadable": null,
            "paused": stats.paused,
            "workers": workers,
            "waiting": waiting,
            "in_flight": stats.in_flight,
            "dead": stats.dead,
        }),
    }
}
