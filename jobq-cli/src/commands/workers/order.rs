//! `jobq workers quiet` and `stop`: orders that a worker sees with its next heartbeat.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jobq::{WorkerId, WorkerInfo, WorkerState};
use serde_json::{Map, json};

use crate::consent::named;
use crate::failure::{EXIT_JOB, Failure};
use crate::output::{Cell, Column, Row, counted, printable};
use crate::patience::Patience;
use crate::progress::Progress;
use crate::session::Session;
use crate::values::duration;

/// Between two looks at the workers.
const LOOK_EVERY: Duration = Duration::from_millis(250);

const COLUMNS: &[Column] = &[Column::left("id"), Column::left("what")];

/// Have workers take no more jobs and finish those they have; they go on running
#[derive(Debug, clap::Args)]
pub(super) struct QuietArgs {
    #[command(flatten)]
    which: Which,
}

/// Have workers shut down as on SIGTERM: finish within their shutdown timeout, give the rest back
#[derive(Debug, clap::Args)]
pub(super) struct StopArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The workers' ids, or the front of one that no other shares
    #[arg(
        value_name = "ID",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    ids: Vec<String>,

    /// All workers
    #[arg(long)]
    all: bool,

    /// Wait so long until they have obeyed
    #[arg(long, value_name = "TIME", value_parser = duration)]
    wait: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Quiet,
    Stop,
}

pub(super) async fn quiet(session: &Session, args: &QuietArgs) -> Result<(), Failure> {
    args.which.order(session, Deed::Quiet).await
}

pub(super) async fn stop(session: &Session, args: &StopArgs) -> Result<(), Failure> {
    args.which.order(session, Deed::Stop).await
}

impl Which {
    async fn order(&self, session: &Session, deed: Deed) -> Result<(), Failure> {
        let verb = match deed {
            Deed::Quiet => "quiet",
            Deed::Stop => "stop",
        };
        session.consent.to_change(&format!("{verb} workers"))?;
        let known = session.client.workers().await?;
        let meant = match self.all {
            true => known.iter().map(|worker| worker.id.clone()).collect(),
            false => self.named(&known)?,
        };
        if deed == Deed::Stop {
            let served = known.iter().filter(|worker| meant.contains(&worker.id));
            let served = served.flat_map(|worker| worker.queues.iter().map(|served| &served.name));
            let queues = named(served.collect::<BTreeSet<_>>());
            let what = format!(
                "{verb} {}, of {queues}",
                counted(meant.len() as u64, "worker")
            );
            let consent = &session.consent;
            consent.to_destroy(&what, &session.interrupt).await?;
        }
        let mut told = Told::default();
        let done = self.tell_all(session, deed, &meant, &mut told).await;
        let done = done.map_err(|failure| {
            let so_far = format!(
                "{} of {} workers were told",
                told.ordered.len(),
                meant.len()
            );
            failure.after(&so_far)
        });
        told.report(session, done)
    }

    async fn tell_all(
        &self,
        session: &Session,
        deed: Deed,
        meant: &[WorkerId],
        told: &mut Told,
    ) -> Result<(), Failure> {
        for id in meant {
            if session.interrupt.is_set() {
                return Err(Failure::interrupted());
            }
            let found = match deed {
                Deed::Quiet => session.client.quiet(id).await,
                Deed::Stop => session.client.stop(id).await,
            };
            let found = found.map_err(|error| {
                Failure::from(error).before(&format!("worker {}: ", printable(id.as_str())))
            })?;
            told.ordered.push((id.clone(), found));
        }
        if let Some(time) = self.wait {
            let waiting = told.waiting.insert(meant.to_vec());
            wait(session, deed, waiting, time).await?;
        }
        Ok(())
    }

    fn named(&self, known: &[WorkerInfo]) -> Result<Vec<WorkerId>, Failure> {
        let found = self.ids.iter().map(|front| {
            let ids = known.iter().map(|worker| &worker.id);
            let mut found = ids.filter(|id| !front.is_empty() && id.as_str().starts_with(front));
            match (found.next(), found.next()) {
                (Some(id), None) => Ok(id.clone()),
                (Some(_), Some(_)) => Err(format!("several workers' ids begin with {front:?}")),
                (None, _) => Err(format!(
                    "no worker {front:?}; `jobq workers list` lists all"
                )),
            }
        });
        found.collect::<Result<_, _>>().map_err(Failure::job)
    }
}

/// Waits until none is left who has not obeyed, also where the broker is away for a while.
async fn wait(
    session: &Session,
    deed: Deed,
    left: &mut Vec<WorkerId>,
    time: Duration,
) -> Result<(), Failure> {
    let until = Instant::now() + time;
    let meant = left.len();
    let progress = Progress::new("obeyed", meant as u64);
    let mut patience = Patience::default();
    loop {
        let known = session.interrupt.before(session.client.workers()).await;
        let known = known.ok_or_else(Failure::interrupted)?;
        if let Some(known) = patience.bear(known.map_err(Failure::from), &progress)? {
            let all = std::mem::take(left);
            left.extend(all.into_iter().filter(|id| {
                let worker = known.iter().find(|worker| worker.id == *id);
                worker.is_some_and(|worker| !obeys(worker, deed))
            }));
            progress.set((meant - left.len()) as u64);
        }
        if left.is_empty() || Instant::now() >= until {
            return patience.end();
        }
        let slept = session
            .interrupt
            .before(tokio::time::sleep(LOOK_EVERY))
            .await;
        slept.ok_or_else(Failure::interrupted)?;
    }
}

/// One that has gone is not asked: it is not listed any more.
fn obeys(worker: &WorkerInfo, deed: Deed) -> bool {
    let idle = worker.slots_used == worker.slots_leaked;
    let quiet = matches!(worker.state, WorkerState::Quiet | WorkerState::Stopping);
    deed == Deed::Quiet && quiet && idle
}

/// How far it came.
#[derive(Debug, Default)]
struct Told {
    /// Who was told, and whether there was still such a worker.
    ordered: Vec<(WorkerId, bool)>,
    /// Who has not obeyed, if it was waited for.
    waiting: Option<Vec<WorkerId>>,
}

impl Told {
    fn report(&self, session: &Session, done: Result<(), Failure>) -> Result<(), Failure> {
        let mut all_well = true;
        let rows = self.ordered.iter().map(|(id, found)| {
            let what = match (found, &self.waiting) {
                (false, _) => "gone",
                (true, Some(waiting)) if waiting.contains(id) => "not yet",
                (true, Some(_)) => "obeyed",
                (true, None) => "ordered",
            };
            all_well &= what != "not yet";
            let cell = match what {
                "not yet" => Cell::word(what).bad(),
                _ => Cell::word(what).good(),
            };
            Row {
                cells: vec![Cell::text(id.as_str()), cell],
                json: json!({ "id": id.as_str(), "result": what }),
            }
        });
        let rows: Vec<Row> = rows.collect();
        let mut listing = session.out.report(COLUMNS);
        listing.begin(&Map::new(), "workers")?;
        listing.page(&rows)?;
        listing.finish(Map::new(), done)?;
        match all_well {
            true => Ok(()),
            false => Err(Failure::quiet(EXIT_JOB)),
        }
    }
}
