//! What the steps take and what they answer.

use std::time::Duration;

use bytes::Bytes;

use crate::error::BrokerError;
use crate::id::{QueueName, Token, WorkerId};
use crate::timestamp::At;

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
    /// Free slots: 0 to [`MAX_BATCH`](super::MAX_BATCH). With 0 only the handoff goes back.
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
    /// Jobs of the queue are cancelled: [`Broker::cancelled`](super::Broker::cancelled) says which.
    pub cancelled: bool,
}

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
    /// At most [`MAX_BATCH`](super::MAX_BATCH); of several with one token, one is accepted.
    pub settlements: Vec<Settlement>,
}

impl Settle {
    /// Gives jobs back to the front of ready as they are stored, each token judged by itself: some
    /// may be settled by now.
    #[must_use]
    pub fn release(queue: QueueName, worker: WorkerId, tokens: &[Token]) -> Self {
        let release = |&token| Settlement {
            token,
            action: Action::RELEASE,
        };
        Self {
            queue,
            worker,
            resent: true,
            caps: DeadCaps::default(),
            settlements: tokens.iter().map(release).collect(),
        }
    }
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

impl Action {
    /// Back to the front of ready, as it is stored.
    pub const RELEASE: Self = Self::Release {
        to: ReleaseTo::Front,
        envelope: None,
    };
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
    /// Whether the worker was no member, or was being adopted: then others may have what is stale. What
    /// a member sends again and is stale had been accepted before, for nobody took it from it.
    pub reaped: bool,
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
    /// At most so many of what is in flight: 1 to [`MAX_BATCH`](super::MAX_BATCH).
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
        /// The envelopes, in the order of their tokens, which is that of the old ones (of more than
        /// 5,000, any may go first).
        envelopes: Vec<Bytes>,
        /// The target owns more.
        more: bool,
    },
}
