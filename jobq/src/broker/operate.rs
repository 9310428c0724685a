//! What workers tell of themselves and of their work, and what people order them to do.
//!
//! None of it decides over a job: where it fails, jobs are run all the same.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::BrokerError;
use crate::id::{QueueName, WorkerId};
use crate::timestamp::At;

/// The most tallies of one report.
pub const MAX_TALLIES: usize = 100;

/// The most job names whose totals a queue keeps apart; what comes of further ones is added to that of
/// [`OTHER_JOBS`].
pub const MAX_NAMES: usize = 1000;

/// The name under which the totals of jobs are kept whose own has no place.
pub const OTHER_JOBS: &str = "other";

/// How long an order waits for its worker: longer than any worker waits from one heartbeat to the next.
pub const ORDER_KEPT: Duration = Duration::from_secs(3600);

/// Reports of workers, and orders to them.
#[async_trait]
pub trait Operate {
    /// Adds to the totals of a queue what a member's jobs came to since its last report. Reports of a
    /// worker are numbered from 1. One that was not answered is sent again as it was, under its
    /// number, before the next: it counts once, however often it comes. That of a worker which is no
    /// member, or is being adopted, counts nothing.
    ///
    /// At most [`MAX_TALLIES`]. Safe to send again, as long as the worker stays a member.
    async fn report(&self, report: &Report) -> Result<Reported, BrokerError>;

    /// The totals of a queue by job name, in no order: [`MAX_NAMES`], and [`OTHER_JOBS`].
    async fn totals(&self, queue: &QueueName) -> Result<Vec<Tally>, BrokerError>;

    /// Keeps what a worker tells of itself in place of what it told before, until `kept` has passed,
    /// and answers what it was ordered to do, if anything. Safe to send again.
    async fn register(
        &self,
        worker: &WorkerId,
        record: &Bytes,
        kept: Duration,
    ) -> Result<Option<Order>, BrokerError>;

    /// Forgets what a worker told of itself, and what it was ordered.
    async fn deregister(&self, worker: &WorkerId) -> Result<(), BrokerError>;

    /// One step of a scan for what workers tell of themselves. `cursor` 0 begins; a returned cursor of
    /// 0 is the end. A worker may come twice.
    async fn registered(&self, cursor: u64) -> Result<(u64, Vec<Registered>), BrokerError>;

    /// Leaves an order for a worker, in place of the one before; for [`ORDER_KEPT`], or until the worker
    /// has gone. Where it is to stop already, an order to be quiet changes nothing. Answers whether such
    /// a worker is registered: if not, nothing changes. Safe to send again.
    async fn order(&self, worker: &WorkerId, order: Order) -> Result<bool, BrokerError>;
}

/// What a worker is ordered to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Take no more jobs, and finish those it has.
    Quiet,
    /// Shut down as on SIGTERM.
    Stop,
}

/// What jobs came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Jobs done.
    pub done: u64,
    /// Runs that failed: those that were retried, and those after which the job was given up.
    pub failed: u64,
    /// Failed runs after which the job was put off, to be tried again.
    pub retried: u64,
    /// Jobs sent to the dead list, whatever the reason.
    pub dead: u64,
    /// How long all runs took together, however they ended.
    pub spent: Duration,
}

impl Totals {
    /// Runs that failed, and jobs that were given up without one: nobody could read them or knew their
    /// names, or their workers died.
    #[must_use]
    pub fn failures(self) -> u64 {
        // Every failed run ends in one of the two.
        self.retried.saturating_add(self.dead)
    }

    /// What both came to.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            done: self.done.saturating_add(other.done),
            failed: self.failed.saturating_add(other.failed),
            retried: self.retried.saturating_add(other.retried),
            dead: self.dead.saturating_add(other.dead),
            spent: self.spent.saturating_add(other.spent),
        }
    }
}

/// What the jobs of one name came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// The name, or [`OTHER_JOBS`].
    pub name: String,
    /// What they came to.
    pub totals: Totals,
}

impl Tally {
    /// That of the jobs of this name.
    pub fn new(name: impl Into<String>, totals: Totals) -> Self {
        Self {
            name: name.into(),
            totals,
        }
    }
}

/// What a worker's jobs came to since its last report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The queue.
    pub queue: QueueName,
    /// Who ran them.
    pub worker: WorkerId,
    /// From 1; the same if it is sent again.
    pub number: u64,
    /// At most [`MAX_TALLIES`]; of [`Totals::spent`] whole milliseconds count.
    pub tallies: Vec<Tally>,
}

/// The answer to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It counts, by now or since it was sent before.
    Counted,
    /// The worker was adopted, or is being: it does not count, unless it did before.
    Reaped,
}

/// What a worker told of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The worker.
    pub worker: WorkerId,
    /// When it told so, by the store's clock.
    pub seen: At,
    /// What it told.
    pub record: Bytes,
}
