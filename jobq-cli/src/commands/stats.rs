//! `jobq stats`: the figures of queues, once or again and again.

mod figures;

use std::time::{Duration, Instant};

use jobq::Queue;
use jobq::broker::Broker;
use serde_json::{Map, json};

use self::figures::{Figures, Rates};
use crate::damage::{Damage, readable, unreadable};
use crate::failure::Failure;
use crate::heard::Heard;
use crate::output::{Cell, Column, Row, counted, time};
use crate::session::Session;
use crate::values::interval;

/// Show the figures of queues
///
/// What jobs came to is what workers have reported, which they do with each heartbeat: it may be
/// two seconds old. Failed are runs that failed, and jobs that died without one. A rate is that between two looks, so the first with --watch has none.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The queues; all there are unless named
    #[arg(value_name = "QUEUE")]
    queues: Vec<String>,

    /// Look again every so many seconds, or 500ms, 2s, 1m; with --json a document a line
    #[arg(long, short, value_name = "TIME", value_parser = interval)]
    watch: Option<Duration>,
}

const COLUMNS: &[Column] = &[
    Column::left("queue"),
    Column::left("state"),
    Column::right("ready"),
    Column::right("suspects"),
    Column::right("delayed"),
    Column::right("in flight"),
    Column::right("dead"),
    Column::right("oldest"),
    Column::left("next due"),
    Column::right("workers"),
    Column::right("done"),
    Column::right("failed"),
    Column::right("done/s"),
    Column::right("failed/s"),
];

/// The row below the others; no queue can have this name.
const TOTAL: &str = "(total)";

/// Begins at the top of the terminal, and clears what is below.
const CLEAR: &str = "\u{1b}[H\u{1b}[J";

/// A look at the queues.
struct Look {
    at: Instant,
    /// Each with its figures, or why they cannot be read.
    queues: Vec<(String, Result<Figures, String>)>,
    damage: Damage,
    /// Whether it was asked to end before it had seen all.
    interrupted: bool,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let mut before = None;
    loop {
        let look = take(session, args).await?;
        // It is how one ends a watch.
        if look.interrupted && args.watch.is_some() {
            return Ok(());
        }
        show(session, args, &look, before.as_ref())?;
        let Some(every) = args.watch else {
            return Ok(());
        };
        let slept = session.interrupt.before(tokio::time::sleep(every)).await;
        if slept.is_none() {
            return Ok(());
        }
        before = Some(look);
    }
}

async fn take(session: &Session, args: &Args) -> Result<Look, Failure> {
    let mut look = Look {
        at: Instant::now(),
        queues: Vec::new(),
        damage: Damage::default(),
        interrupted: false,
    };
    let seen = session
        .interrupt
        .before(see(session, args, &mut look))
        .await;
    look.interrupted = seen.transpose()?.is_none();
    Ok(look)
}

async fn see(session: &Session, args: &Args, look: &mut Look) -> Result<(), Failure> {
    let broker = &**session.client.broker();
    let heard = Heard::ask(&session.client).await?;
    heard.note_damage(&mut look.damage);
    for queue in session.queues(&args.queues).await? {
        let figures = readable(figures(broker, &heard, &queue).await)?;
        let name = queue.name().as_str().to_owned();
        if let Err(why) = &figures {
            look.damage.note(&format!("queue {name}"), why);
        }
        look.queues.push((name, figures));
    }
    Ok(())
}

async fn figures(broker: &dyn Broker, heard: &Heard, queue: &Queue) -> Result<Figures, Failure> {
    let workers = heard.living(broker, queue.name()).await?;
    Ok(Figures::new(&queue.stats().await?, workers))
}

impl Look {
    fn end(&self) -> Result<(), Failure> {
        let seen = self.queues.len();
        match self.interrupted {
            true => {
                let seen = counted(seen as u64, "queue");
                Err(Failure::job(format!("interrupted after {seen}")))
            }
            false => self.damage.end(),
        }
    }
}

fn show(session: &Session, args: &Args, look: &Look, before: Option<&Look>) -> Result<(), Failure> {
    let out = session.out;
    let broker = session.client.broker();
    let now = broker.now().timestamp();
    if args.watch.is_some() {
        let place = broker.describe();
        out.decorate(&format!("{CLEAR}{now:.0}  {place}\n\n"))?;
    }
    let rates = |name: &str, figures: &Figures| {
        let before = before?;
        let (_, earlier) = before.queues.iter().find(|(queue, _)| queue == name)?;
        let earlier = earlier.as_ref().ok()?;
        Some(figures.rates_since(earlier, look.at - before.at))
    };
    let mut total = Figures {
        workers: Some(0),
        ..Figures::default()
    };
    let mut total_rates: Option<Rates> = None;
    let mut rows = Vec::new();
    for (name, figures) in &look.queues {
        let figures = match figures {
            Ok(figures) => figures,
            Err(why) => {
                rows.push(unreadable(row(name, &Figures::default(), None), why));
                continue;
            }
        };
        let rates = rates(name, figures);
        total = total.plus(figures);
        total_rates = match (total_rates, rates) {
            (Some(total), Some(rates)) => Some(total.plus(rates)),
            (total, rates) => total.or(rates),
        };
        rows.push(row(name, figures, rates));
    }
    let mut head = Map::new();
    head.insert("at".to_owned(), time(Some(now)).into());
    let mut listing = out.listing(COLUMNS);
    listing.begin(&head, "queues")?;
    let total = row(TOTAL, &total, total_rates);
    if !out.is_json() {
        rows.push(total.clone());
    }
    listing.page(&rows)?;
    let mut tail = Map::new();
    let mut total = total.json;
    if let Some(total) = total.as_object_mut() {
        total.remove("queue");
        total.remove("paused");
        total.remove("unreadable");
    }
    tail.insert("total".to_owned(), total);
    listing.finish(tail, look.end())
}

fn row(name: &str, figures: &Figures, rates: Option<Rates>) -> Row {
    let state = match (name == TOTAL, figures.paused) {
        (true, _) => Cell::none(),
        (false, true) => Cell::word("paused").doubtful(),
        (false, false) => Cell::word("open"),
    };
    let rate =
        |rate: Option<f64>| rate.map_or_else(Cell::none, |rate| Cell::word(format!("{rate:.1}")));
    let (done, failed) = (
        rates.map(|rates| rates.done),
        rates.map(|rates| rates.failed),
    );
    Row {
        cells: vec![
            Cell::word(name),
            state,
            Cell::number(figures.ready),
            Cell::number(figures.suspects).bad_if(figures.suspects > 0),
            Cell::number(figures.delayed),
            Cell::number(figures.in_flight),
            Cell::number(figures.dead).bad_if(figures.dead > 0),
            Cell::age(figures.oldest),
            Cell::time(figures.next_due),
            figures.workers.map_or_else(Cell::none, |workers| {
                Cell::number(workers).bad_if(workers == 0 && figures.ready > 0)
            }),
            Cell::number(figures.done),
            Cell::number(figures.failed),
            rate(done),
            rate(failed),
        ],
        json: json!({
            "queue": name,
            "unreadable": null,
            "paused": figures.paused,
            "ready": figures.ready,
            "suspects": figures.suspects,
            "delayed": figures.delayed,
            "in_flight": figures.in_flight,
            "dead": figures.dead,
            "oldest_ready_age_ms": figures.oldest.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            "next_due": time(figures.next_due),
            "workers": figures.workers,
            "done": figures.done,
            "failed": figures.failed,
            "done_per_s": done,
            "failed_per_s": failed,
        }),
    }
}
