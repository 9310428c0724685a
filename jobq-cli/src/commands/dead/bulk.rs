//! `jobq dead retry`, `remove` and `purge`: of many jobs, at a rate.

use std::time::Duration;

use jobq::{At, DeadJob, DeadWalk, Queue};
use serde_json::json;

use super::selection::Selection;
use crate::consent::named;
use crate::damage::Damage;
use crate::failure::Failure;
use crate::output::{counted, counted_done};
use crate::pace::{Pace, Rate};
use crate::progress::Progress;
use crate::session::Session;
use crate::values::duration;

/// Put dead jobs back into their queues, as if they had never failed
#[derive(Debug, clap::Args)]
pub(super) struct RetryArgs {
    #[command(flatten)]
    which: Which,
}

/// Remove dead jobs for good
#[derive(Debug, clap::Args)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    which: Which,
}

/// Remove all dead jobs for good that were given up long ago
#[derive(Debug, clap::Args)]
pub(super) struct PurgeArgs {
    /// Given up so long ago, or longer; not what is no dead record, which has no time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    older_than: Duration,

    /// On these queues, with commas; all there are unless named
    #[arg(long, value_name = "QUEUE", value_delimiter = ',')]
    queue: Vec<String>,

    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
struct Which {
    #[command(flatten)]
    selection: Selection,

    /// All of the queues; needed where nothing else says which
    #[arg(long, help_heading = "Which jobs")]
    all: bool,

    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
struct How {
    /// Say how many there are, and leave them alone
    #[arg(long)]
    dry_run: bool,

    /// So many in so long: 100/s, 30/m, 1000/h; as fast as it goes unless given
    #[arg(long, value_name = "RATE", value_parser = Rate::parse)]
    rate: Option<Rate>,
}

/// What is done to the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Retry,
    Remove,
}

impl Deed {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Retry => ("retry", "retried"),
            Self::Remove => ("remove", "removed"),
        }
    }

    /// What a question about it ends with.
    fn ending(self) -> &'static str {
        match self {
            Self::Retry => "",
            Self::Remove => " for good",
        }
    }
}

pub(super) async fn retry(session: &Session, args: &RetryArgs) -> Result<(), Failure> {
    args.which.run(session, Deed::Retry).await
}

pub(super) async fn remove(session: &Session, args: &RemoveArgs) -> Result<(), Failure> {
    args.which.run(session, Deed::Remove).await
}

pub(super) async fn purge(session: &Session, args: &PurgeArgs) -> Result<(), Failure> {
    let selection = Selection::older_than(&args.queue, args.older_than);
    run(session, &selection, &args.how, Deed::Remove).await
}

impl Which {
    async fn run(&self, session: &Session, deed: Deed) -> Result<(), Failure> {
        let narrow = self.selection.is_narrow();
        if !narrow && !self.all {
            let reason =
                "which jobs? --group, --id, --name, --error, --reason or an age says so, or --all";
            return Err(Failure::usage(reason));
        }
        run(session, &self.selection, &self.how, deed).await
    }
}

async fn run(
    session: &Session,
    selection: &Selection,
    how: &How,
    deed: Deed,
) -> Result<(), Failure> {
    let (verb, done) = deed.words();
    if how.dry_run {
        let (tally, end) = Bulk::new(session, selection, None, how.rate).run().await;
        return tally.tell(session, &format!("would be {done}"), true, end);
    }
    session.consent.to_change(&format!("{verb} dead jobs"))?;
    let which = format!("{}{}", selection.typed(), deed.ending());
    let mut question = format!("{verb} dead jobs {which}");
    if session.consent.asks() {
        let (found, end) = Bulk::new(session, selection, None, None).run().await;
        // Of what can be read it is asked; the rest is told at the end.
        end.or_else(|failure| match failure.is_damage() {
            true => Ok(()),
            false => Err(failure),
        })?;
        let queues = selection.queues(session).await?;
        let jobs = counted(found.done, "dead job");
        let of = named(queues.iter().map(Queue::name));
        question = format!("{verb} {jobs} of {of} {which}");
    }
    session
        .consent
        .to_destroy(&question, &session.interrupt)
        .await?;
    let bulk = Bulk::new(session, selection, Some(deed), how.rate);
    let (tally, end) = bulk.run().await;
    tally.tell(session, done, false, end)
}

/// A run over dead lists.
struct Bulk<'a> {
    session: &'a Session,
    selection: &'a Selection,
    /// `None` counts only.
    deed: Option<Deed>,
    /// From when ages count, however long it takes.
    begun: At,
    pace: Pace,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    looked_at: u64,
    done: u64,
    interrupted: bool,
}

impl<'a> Bulk<'a> {
    fn new(
        session: &'a Session,
        selection: &'a Selection,
        deed: Option<Deed>,
        rate: Option<Rate>,
    ) -> Self {
        Self {
            session,
            selection,
            deed,
            begun: session.client.broker().now(),
            pace: Pace::new(rate.filter(|_| deed.is_some())),
            tally: Tally::default(),
        }
    }

    /// How far it came, and what ended it.
    async fn run(mut self) -> (Tally, Result<(), Failure>) {
        let end = self.all().await;
        let so_far = self.so_far();
        let end = match end {
            Ok(damage) => damage.end().map_err(|failure| failure.besides(&so_far)),
            Err(failure) => Err(failure.after(&so_far)),
        };
        (self.tally, end)
    }

    async fn all(&mut self) -> Result<Damage, Failure> {
        let progress = Progress::new("dead jobs", 0);
        let mut size = 0;
        let mut damage = Damage::default();
        for queue in self.selection.queues(self.session).await? {
            if self.is_over() {
                break;
            }
            let of_queue = self.queue(&queue, &progress, &mut size).await;
            let of_queue = damage.pass(&queue, of_queue);
            of_queue.map_err(|failure| failure.before(&format!("{}: ", queue.name())))?;
        }
        match self.tally.interrupted {
            true => Err(Failure::interrupted()),
            false => Ok(damage),
        }
    }

    async fn queue(
        &mut self,
        queue: &Queue,
        progress: &Progress,
        size: &mut u64,
    ) -> Result<(), Failure> {
        let mut walk = queue.dead().walk().await?;
        *size += walk.left();
        progress.set_size(*size);
        while !self.is_over() {
            let page = walk.next_page().await?;
            if page.is_empty() {
                break;
            }
            let looked_at = page.len() as u64;
            self.tally.looked_at += looked_at;
            self.page(&mut walk, page).await?;
            progress.add(looked_at);
        }
        Ok(())
    }

    fn is_over(&mut self) -> bool {
        self.tally.interrupted |= self.session.interrupt.is_set();
        self.tally.interrupted
    }

    async fn page(&mut self, walk: &mut DeadWalk, mut jobs: Vec<DeadJob>) -> Result<(), Failure> {
        jobs.retain(|job| self.selection.means(job, self.begun));
        for part in jobs.chunks(self.pace.at_once().min(jobs.len().max(1))) {
            if !self.pace.turn(part.len(), &self.session.interrupt).await {
                break;
            }
            let done = match self.deed {
                None => Ok(part.len() as u64),
                Some(Deed::Retry) => walk.retry(part).await,
                Some(Deed::Remove) => walk.remove(part).await,
            };
            self.tally.done += done?;
        }
        // Of an interruption among them.
        self.is_over();
        Ok(())
    }

    /// What a failure says besides.
    fn so_far(&self) -> String {
        let (count, done) = match self.deed {
            Some(deed) => (self.tally.done, deed.words().1),
            None => (self.tally.looked_at, "looked at"),
        };
        counted_done(count, "dead job", done)
    }
}

impl Tally {
    fn tell(
        &self,
        session: &Session,
        done: &str,
        dry_run: bool,
        end: Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Self {
            looked_at,
            done: count,
            interrupted,
        } = *self;
        let document = json!({
            "dry_run": dry_run,
            "looked_at": looked_at,
            "done": count,
            "interrupted": interrupted,
        });
        let line = format!("{count} of {} {done}", counted(looked_at, "dead job"));
        session.out.end(&line, document, end)
    }
}
