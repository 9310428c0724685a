//! Where envelopes live: the contract every broker keeps, in one trait of transitions
//! ([`Broker`]), one of queries ([`Inspect`]), one of what workers and people tell each other
//! ([`Operate`]), and one of questions about the store ([`Examine`]).
//!
//! A broker moves bytes and looks into none of them. Every step is atomic: it happens whole or not
//! at all. The rules, for every implementation:
//!
//! * An element is in exactly one of: ready, delayed, suspects, one worker's handoff, one worker's
//!   in-flight records, dead; or it was settled as done.
//! * A job starts only from the answer of a claim. That and an adoption give jobs new tokens,
//!   numbered by the worker's counter; owning the token is the fence of a settle.
//! * A worker is a member of a queue from its first claim to [`Broker::leave`] or its adoption. Its
//!   counter rises with every claim, renew and adoption; an observer that sees it stand still for a
//!   whole lease, that of its id ([`WorkerId::lease`]), may adopt what the worker holds.
//! * A step that was sent twice, late, or never answered does no harm: see each step.

mod examine;
mod facts;
mod inspect;
pub mod memory;
mod operate;
pub mod redis;
mod step;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

pub use self::examine::Examine;
pub use self::facts::{
    AppendOnlyFacts, ClientFacts, ClockFacts, KeyFacts, MemoryFacts, Owned, QueueFacts,
    ReplicationFacts, Role, ServerFacts, Settings, SlowCall, SnapshotFacts, Upkeep,
};
pub use self::inspect::{Counts, Element, Inspect, JobState, Requeue, TakeDead};
pub use self::operate::{
    MAX_NAMES, MAX_TALLIES, ORDER_KEPT, OTHER_JOBS, Operate, Order, Registered, Report, Reported,
    Tally, Totals,
};
pub use self::step::{
    Action, Adopted, Adoption, Claim, Claimed, DeadCaps, Due, Entry, Grant, Member, Promoted,
    ReleaseTo, Renewed, RoundAnswer, Settle, Settled, Settlement,
};
use crate::error::{BrokerError, BrokerErrorKind};
use crate::id::{JobId, QueueName, Token, WorkerId};
use crate::timestamp::At;

/// The most jobs one claim or adoption takes.
pub const MAX_BATCH: u32 = 1000;

/// The most bytes of envelopes one claim or adoption takes, unless the first alone is larger.
pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The most delayed jobs one step promotes.
pub const MAX_PROMOTE: u32 = 100;

/// The most ids of cancelled jobs that a queue keeps: one more, and the oldest is forgotten.
pub const MAX_CANCELLED: u32 = 10_000;

/// How long the id of a cancelled job counts at least: 7 days, from when it is cancelled and from
/// when the last of the jobs is due that are delayed at that moment.
pub const CANCELLED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// The last due time that keeps the ids of cancelled jobs, 140,000 years from now; later ones count
/// as this. To times up to twice this one Redis, which keeps floats, can add a millisecond.
pub const LATEST_CANCELLED: At = At::from_ms(1 << 52);

/// How long a timekeeper that stops promoting keeps its office.
pub const TIMEKEEPER_TTL: Duration = Duration::from_secs(3);

/// The transitions of a job. Each is one atomic step.
#[async_trait]
pub trait Broker: Inspect + Examine + Operate + fmt::Debug + Send + Sync + 'static {
    /// The store and its address, for messages: no secret.
    fn describe(&self) -> String;

    /// The time, by the clock of the store as far as it is known without asking.
    fn now(&self) -> At;

    /// Whether the store lives in this process, with tokio's clock.
    fn is_in_process(&self) -> bool;

    /// The same store over a connection of its own, driven by the runtime that calls this. An
    /// in-process broker returns itself.
    async fn fork(&self) -> Result<Arc<dyn Broker>, BrokerError>;

    /// How often a connection was opened in place of one that was lost, forks and waiters included. A
    /// broker without connections never does.
    fn reconnects(&self) -> u64 {
        0
    }

    /// What about the store's settings could lose or delay jobs, a sentence each.
    async fn warnings(&self) -> Result<Vec<String>, BrokerError>;

    /// Whether this login may do every step of a worker on the queue. Changes nothing. A broker
    /// without logins lets everyone.
    async fn check_rights(&self, _queue: &QueueName) -> Result<(), BrokerError> {
        Ok(())
    }

    /// Puts jobs on a queue: those due now at the back of ready, in order; the others in delayed.
    /// When the first of delayed changed, listeners of [`Broker::due_signal`] are told. The queue
    /// is listed by [`Inspect::queues`] from then on, also with no entry at all: so a worker lists
    /// the queues it serves. Where that alone fails nobody is told.
    ///
    /// Not safe to send again: the jobs may stand twice. At most [`MAX_BATCH`] entries.
    async fn enqueue(&self, queue: &QueueName, entries: &[Entry]) -> Result<(), BrokerError>;

    /// Settles and then claims, in one round trip; each answer is judged by itself. A server that has
    /// lost its scripts takes those that it does not know after the others, in a second round trip.
    ///
    /// A settlement acts only if its token is in the worker's in-flight records, and removes it
    /// there: sent twice, or after an adoption, it is stale and changes nothing.
    ///
    /// A claim first checks the worker: one that knows a counter above 0 and is not registered, or
    /// whose counter is being adopted, is [`Claimed::Reaped`] and nothing changes. Else the counter
    /// becomes `max(stored, known) + 1`, and that of one who joins starts above every counter that a
    /// member had who is gone: a joining claim that comes late or twice must not give out a token
    /// again. What is due moves from delayed to the *front* of ready, earliest first out, at most
    /// [`MAX_PROMOTE`]. If the queue is paused, the worker's handoff
    /// goes back to the front of ready and nothing is taken. Else up to `max` jobs are taken, from
    /// the handoff first, then from the front of ready, at least one if `max` > 0 and there is one,
    /// stopping at [`MAX_BATCH_BYTES`]; what is left of the handoff goes back to the front of
    /// ready. They become in flight under tokens `counter.1`, `counter.2` … A claim for a suspect
    /// takes one from suspects and nothing else, and leaves the handoff alone.
    ///
    /// A claim says whether any job of the queue is cancelled ([`Inspect::cancel`]), and gives those
    /// out like all others: whoever claims asks [`Broker::cancelled`] before it starts one.
    ///
    /// A claim whose answer was lost leaves jobs in flight that the worker does not know:
    /// [`Broker::held`] finds them.
    async fn round(&self, settles: &[Settle], claim: Option<&Claim>) -> RoundAnswer;

    /// Of each of these ids, at most [`MAX_BATCH`], whether it counts as cancelled
    /// ([`Inspect::cancel`]).
    async fn cancelled(&self, queue: &QueueName, ids: &[JobId]) -> Result<Vec<bool>, BrokerError>;

    /// Says that the worker lives: its counter rises. Guarded like a claim. Safe to send again.
    async fn renew(&self, member: &Member) -> Result<Renewed, BrokerError>;

    /// Makes `worker` the queue's timekeeper, or keeps it in office, if there is no other; if it
    /// is, moves what is due as a claim does.
    async fn promote(&self, queue: &QueueName, worker: &WorkerId) -> Result<Promoted, BrokerError>;

    /// Takes over what a dead worker had in flight, at most `max` and [`MAX_BATCH_BYTES`], under
    /// tokens of the adopter, whose counter rises. What lies in its handoff never started: it goes
    /// back to the front of ready in its order, the last first where it is more than [`MAX_BATCH`],
    /// under no token and in no answer. The adopter is guarded like a claim.
    ///
    /// Acts only if the target's counter is the one seen, or 0 (an adoption under way, by anyone),
    /// or if none is seen and none is stored (the sweep). Sets it to 0 and, with the last of what
    /// the target owned, removes it. Repeat until `more` is false. A lost answer leaves jobs for
    /// [`Broker::held`].
    async fn adopt(&self, adoption: &Adoption) -> Result<Adopted, BrokerError>;

    /// Ends the worker's membership if it owns nothing in flight and nothing in its handoff; gives
    /// up the office of timekeeper if it had it. Answers whether the worker is gone.
    async fn leave(&self, queue: &QueueName, worker: &WorkerId) -> Result<bool, BrokerError>;

    /// The members of a queue with their counters; 0 is one being adopted.
    async fn members(&self, queue: &QueueName) -> Result<Vec<(WorkerId, u64)>, BrokerError>;

    /// One step of a scan for workers that own in-flight records or a handoff on this queue,
    /// members or not. `cursor` 0 begins; a returned cursor of 0 is the end.
    async fn owners(
        &self,
        queue: &QueueName,
        cursor: u64,
    ) -> Result<(u64, Vec<WorkerId>), BrokerError>;

    /// The tokens in the worker's in-flight records.
    async fn held(&self, queue: &QueueName, worker: &WorkerId) -> Result<Vec<Token>, BrokerError>;

    /// The place where a worker with nothing to do waits for the queue's next job.
    fn waiter(&self, queue: &QueueName, worker: &WorkerId) -> Arc<dyn Waiter>;

    /// Notified (`notify_one`) when the first of delayed may have changed. Signals may be lost:
    /// look once a second too.
    fn due_signal(&self, queue: &QueueName) -> Arc<Notify>;
}

/// Where an idle worker waits. A woken worker's job lies in its handoff until it claims.
#[async_trait]
pub trait Waiter: fmt::Debug + Send + Sync {
    /// Waits until ready has a job, moves it to the worker's handoff, and says so; one waiter is
    /// woken per job. At most `timeout`; [`Waiter::interrupt`] ends it early.
    ///
    /// # Cancel safety
    ///
    /// Must be awaited to its end: a store that was asked goes on when the asker has gone.
    async fn wait(&self, timeout: Duration) -> Result<Wake, BrokerError>;

    /// Ends a `wait` under way; it answers [`Wake::TimedOut`], or what it had just moved. With none
    /// under way the next one ends at once and moves nothing: it may be the one that was meant.
    /// Several before it count as one.
    async fn interrupt(&self) -> Result<(), BrokerError>;
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A job lies in the handoff.
    Handed,
    /// Nothing came, or the wait was interrupted.
    TimedOut,
    /// The store does not let anyone wait now (it is full): claim every 250 ms instead.
    Refused,
}

impl dyn Broker {
    /// A round of one [`Settle`].
    ///
    /// # Errors
    ///
    /// What the broker answered.
    pub async fn settle(&self, settle: Settle) -> Result<Settled, BrokerError> {
        self.round(&[settle], None)
            .await
            .settles
            .pop()
            .unwrap_or_else(|| Err(no_answer()))
    }

    /// A round of one claim.
    ///
    /// # Errors
    ///
    /// What the broker answered.
    pub async fn claim(&self, claim: &Claim) -> Result<Claimed, BrokerError> {
        self.round(&[], Some(claim))
            .await
            .claim
            .unwrap_or_else(|| Err(no_answer()))
    }
}

fn no_answer() -> BrokerError {
    BrokerError::new(
        BrokerErrorKind::Corrupt,
        "the broker left a step unanswered",
    )
}

/// How many of the first sizes are together at most so many bytes; one that is larger goes alone.
pub(crate) fn how_many_fit(sizes: impl Iterator<Item = usize>, most: usize) -> usize {
    let mut bytes = 0;
    let fits = sizes.take_while(|size| {
        bytes += size;
        bytes <= most
    });
    fits.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_fit_as_the_bytes_allow_and_at_least_one() {
        let cases: [(&[usize], usize); 6] = [
            (&[1, 1, 1], 3),
            (&[9], 1),
            (&[10, 1], 1),
            (&[1, 9, 0], 1),
            (&[4, 4, 0, 1], 3),
            (&[0, 8], 2),
        ];
        for (sizes, fit) in cases {
            assert_eq!(how_many_fit(sizes.iter().copied(), 8), fit, "{sizes:?}");
        }
    }
}
