//! `jobq queues list`

use serde_json::{Map, json};

use crate::failure::Failure;
use crate::heard::Heard;
use crate::output::{Cell, Column, Listing, Row};
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
    listing.begin(&Map::new(), "queues")?;
    let listed = session.interrupt.before(list(session, &mut listing)).await;
    let interrupted = listed.transpose()?.is_none();
    let rows = listing.rows();
    listing.end(&Map::new())?;
    match interrupted {
        true => Err(Failure::job(format!("interrupted after {rows} queues"))),
        false => Ok(()),
    }
}

async fn list(session: &Session, listing: &mut Listing) -> Result<(), Failure> {
    let broker = &**session.client.broker();
    let heard = Heard::ask(&session.client).await?;
    for queue in session.queues(&[]).await? {
        let stats = queue.stats().await?;
        let workers = heard.living(broker, queue.name()).await?;
        let state = match stats.paused {
            true => Cell::word("paused").doubtful(),
            false => Cell::word("open"),
        };
        let (name, waiting) = (queue.name().as_str(), stats.ready + stats.delayed);
        listing.page(&[Row {
            cells: vec![
                Cell::word(name),
                state,
                Cell::number(workers),
                Cell::number(waiting),
                Cell::number(stats.in_flight),
                Cell::number(stats.dead).bad_if(stats.dead > 0),
            ],
            json: json!({
                "queue": name,
                "paused": stats.paused,
                "workers": workers,
                "waiting": waiting,
                "in_flight": stats.in_flight,
                "dead": stats.dead,
            }),
        }])?;
    }
    Ok(())
}
