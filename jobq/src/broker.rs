//! Where envelopes live: the contract every broker keeps, in one trait of transitions
//! ([`Broker`]) and one of queries ([`Inspect`]).
//!
//! A broker moves bytes and looks into none of them. Every step is atomic: it happens whole or not
//! at all. The rules, for every implementation:
//!
//! * An element is in exactly one of: ready, delayed, suspects, one worker's handoff, one worker's
//!   in-flight records, dead; or it was settled as done.
//! * A job starts only from the answer of a claim or an adoption. Each gives its jobs new tokens,
//!   numbered by the worker's counter; owning the token is the fence of a settle.
//! * A worker is a member of a queue from its first claim to [`Broker::leave`] or its adoption. Its
//!   counter rises with every claim, renew and adoption; an observer that sees it stand still for a
//!   whole lease may adopt what the worker holds.
//! * A step that was sent twice, late, or never answered does no harm: see each step.

pub mod memory;
pub mod redis;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use crate::error::BrokerError;
use crate::id::{QueueName, Token, WorkerId};
use crate::timestamp::At;

/// The most jobs one claim or adoption takes.
pub const MAX_BATCH: u32 = 1000;

/// The most bytes of envelopes one claim or adoption takes, unless the first alone is larger.
pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The most delayed jobs one step promotes.
pub const MAX_PROMOTE: u32 = 100;

/// How long a timekeeper that stops promoting keeps its office.
pub const TIMEKEEPER_TTL: Duration = Duration::from_secs(3);

/// Caps of the dead list: what lies beyond them is dropped, oldest first, and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadCaps {
    /// Records kept: 10,000.
    pub count: u64,
    /// Bytes kept: 64 MiB.
    pub bytes: u64,
    /// Age kept: 180 days.
    pub age: Duration,
}

impl Default for DeadCaps {
    fn default() -> Self {
        Self {
            count: 10_000,
            bytes: 64 << 20,
            age: Duration::from_secs(180 * 24 * 3600),
        }
    }
}

/// The transitions of a job. Each is one atomic step.
#[async_trait]
pub trait Broker: Inspect + fmt::Debug + Send + Sync + 'static {
    /// The store and its address, for messages: no secret.
    fn describe(&self) -> String;

    /// The time, by the clock of the store as far as it is known without asking.
    fn now(&self) -> At;

    /// Whether the store lives in this process, with tokio's clock.
    fn is_in_process(&self) -> bool;

    /// The same store over a connection of its own, driven by the runtime that calls this. An
    /// in-process broker returns itself.
    async fn fork(&self) -> Result<Arc<dyn Broker>, BrokerError>;

    /// What about the store's settings could lose or delay jobs, a sentence each.
    async fn warnings(&self) -> Result<Vec<String>, BrokerError>;

    /// Puts jobs on a queue: those due now at the back of ready, in order; the others in delayed.
    /// When the first of delayed changed, listeners of [`Broker::due_signal`] are told.
    ///
    /// Not safe to send again: the jobs may stand twice. At most [`MAX_BATCH`] entries.
    async fn enqueue(&self, queue: &QueueName, entries: &[Entry]) -> Result<(), BrokerError>;

    /// Settles and then claims, in one round trip; each answer is judged by itself.
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
    /// A claim whose answer was lost leaves jobs in flight that the worker does not know:
    /// [`Broker::held`] finds them.
    async fn round(&self, settles: &[Settle], claim: Option<&Claim>) -> RoundAnswer;

    /// Says that the worker lives: its counter rises. Guarded like a claim. Safe to send again.
    async fn renew(&self, member: &Member) -> Result<Renewed, BrokerError>;

    /// Makes `worker` the queue's timekeeper, or keeps it in office, if there is no other; if it
    /// is, moves what is due as a claim does.
    async fn promote(&self, queue: &QueueName, worker: &WorkerId) -> Result<Promoted, BrokerError>;

    /// Takes over what a dead worker owned: in flight and handoff, at most `max` and
    /// [`MAX_BATCH_BYTES`], under tokens of the adopter, whose counter rises. The adopter is guarded like a claim.
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

/// A job to be enqueued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes.
    pub envelope: Bytes,
    /// When it may run.
    pub due: Due,
}

/// When an entry may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At once: it goes to ready.
    Now,
    /// So long from now, by the store's clock.
    After(Duration),
    /// At this time, by the store's clock. One in the past goes to delayed all the same and is
    /// promoted at the next look.
    At(At),
}

/// A worker on a queue, and the highest counter it was answered there (0 when it joins).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The queue.
    pub queue: QueueName,
    /// The worker.
    pub worker: WorkerId,
    /// The highest counter it knows.
    pub known: u64,
}

/// A request for jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who asks, and where.
    pub member: Member,
    /// Free slots: 0 to [`MAX_BATCH`]. With 0 only the handoff goes back.
    pub max: u32,
    /// Asks for one suspect instead.
    pub suspect: bool,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The worker was adopted, or is being: it owns nothing any more.
    Reaped,
    /// The worker is a member.
    Granted(Grant),
}

/// What a claim gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// The number of this claim: token `i` (from 1) is `counter.i`.
    pub counter: u64,
    /// The envelopes, in the order of their tokens.
    pub envelopes: Vec<Bytes>,
    /// How long until the first of delayed is due; zero if it is.
    pub next_due: Option<Duration>,
    /// The queue is paused: nothing was taken.
    pub paused: bool,
    /// How many suspects wait.
    pub suspects: u64,
}

/// Outcomes of one worker's jobs on one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// The queue.
    pub queue: QueueName,
    /// The worker that claimed them.
    pub worker: WorkerId,
    /// Whether it was sent before without an answer.
    pub resent: bool,
    /// Caps of the dead list.
    pub caps: DeadCaps,
    /// At most [`MAX_BATCH`]; of several with one token, one is accepted.
    pub settlements: Vec<Settlement>,
}

/// The outcome of one claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The right to settle it.
    pub token: Token,
    /// What becomes of it.
    pub action: Action,
}

/// What becomes of a claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Gone.
    Ack,
    /// To delayed.
    Retry {
        /// How long from now, by the store's clock.
        delay: Duration,
        /// The rewritten envelope.
        envelope: Bytes,
    },
    /// To the dead list.
    Bury {
        /// The dead record.
        record: Bytes,
    },
    /// Back to the queue. Several of one batch keep their order: the first is the first out.
    Release {
        /// Where to.
        to: ReleaseTo,
        /// The rewritten envelope; `None` keeps it as it is stored.
        envelope: Option<Bytes>,
    },
}

/// Where a released job goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseTo {
    /// The front of ready.
    Front,
    /// The back of suspects.
    Suspects,
}

/// The answer to a [`Settle`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// For each settlement, whether it was accepted; `false` is stale. Exact for what was sent
    /// before; where a member sends a token that it does not own for the first time, others of a
    /// large batch may read as stale too although they were accepted.
    pub accepted: Vec<bool>,
    /// Dead records that the caps dropped.
    pub dropped: u64,
}

/// The answers of one round trip, each by itself.
#[derive(Debug, Default)]
pub struct RoundAnswer {
    /// One for each [`Settle`], in order.
    pub settles: Vec<Result<Settled, BrokerError>>,
    /// If there was a claim.
    pub claim: Option<Result<Claimed, BrokerError>>,
}

/// The answer to a renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// The worker was adopted, or is being.
    Reaped,
    /// It is a member.
    Alive {
        /// Its counter now.
        counter: u64,
        /// Jobs in its in-flight records.
        in_flight: u64,
        /// Jobs in its handoff.
        handoff: u64,
        /// The queue is paused.
        paused: bool,
        /// How many suspects wait.
        suspects: u64,
    },
}

/// The answer to a promote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promoted {
    /// The worker is the timekeeper.
    pub timekeeper: bool,
    /// Jobs moved to ready.
    pub moved: u64,
    /// How long until the next is due; zero if more are due already.
    pub next_due: Option<Duration>,
}

/// A request to take over what a worker owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// Who adopts.
    pub member: Member,
    /// Whose jobs.
    pub target: WorkerId,
    /// The target's counter as it was observed; `None` if it is no member.
    pub seen: Option<u64>,
    /// At most so many: 1 to [`MAX_BATCH`].
    pub max: u32,
}

/// The answer to an adoption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopted {
    /// The adopter itself was adopted.
    Reaped,
    /// The target's counter is another than the one seen: it lives.
    Alive,
    /// Taken.
    Taken {
        /// The number of this adoption: token `i` (from 1) is `counter.i` of the adopter.
        counter: u64,
        /// The envelopes, in the order of their tokens: in flight first, in the order of their old
        /// tokens, then the handoff.
        envelopes: Vec<Bytes>,
        /// The target owns more.
        more: bool,
    },
}

/// Questions and interventions of people and tools. None holds the store for long.
#[async_trait]
pub trait Inspect {
    /// The queues that exist, sorted.
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError>;

    /// The figures of one queue at one moment: a job that moves meanwhile is in exactly one of
    /// them, so that zeros mean that nothing is left.
    async fn stats(&self, queue: &QueueName) -> Result<Counts, BrokerError>;

    /// Elements in a state, `limit` (at most [`MAX_BATCH`]) from `offset` on: ready from the front,
    /// delayed by due time, in flight by worker and token, dead newest first.
    async fn page(
        &self,
        queue: &QueueName,
        state: JobState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError>;

    /// Stops claims from taking anything, from the moment this has answered.
    async fn pause(&self, queue: &QueueName) -> Result<(), BrokerError>;

    /// Ends a pause.
    async fn resume(&self, queue: &QueueName) -> Result<(), BrokerError>;

    /// Removes exactly this record from the dead list and, if an envelope is given, puts that at
    /// the back of ready. Answers whether the record was there; if not, nothing changes.
    async fn take_dead(
        &self,
        queue: &QueueName,
        record: &Bytes,
        requeue: Option<&Bytes>,
    ) -> Result<bool, BrokerError>;
}

/// Where a job can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// Waiting for a free slot.
    Ready,
    /// Waiting for its time, or for its retry.
    Delayed,
    /// Claimed by a worker.
    InFlight,
    /// Given up.
    Dead,
}

/// An element as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// An envelope, or a dead record.
    pub bytes: Bytes,
    /// When it is due, if it is delayed.
    pub due: Option<At>,
    /// Who claimed it, if it is in flight.
    pub worker: Option<WorkerId>,
}

/// The figures of one queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Elements in ready.
    pub ready: u64,
    /// Elements in delayed.
    pub delayed: u64,
    /// Elements in flight or in a handoff.
    pub in_flight: u64,
    /// Suspects.
    pub suspects: u64,
    /// Dead records.
    pub dead: u64,
    /// Whether it is paused.
    pub paused: bool,
    /// The element at the front of ready.
    pub oldest: Option<Bytes>,
    /// When the first of delayed is due.
    pub next_due: Option<At>,
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
        crate::error::BrokerErrorKind::Corrupt,
        "the broker left a step unanswered",
    )
}
