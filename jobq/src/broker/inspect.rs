//! The questions of people and tools.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::BrokerError;
use crate::id::{JobId, QueueName, WorkerId};
use crate::timestamp::At;

/// Questions and interventions of people and tools. None holds the store for long.
#[async_trait]
pub trait Inspect {
    /// The queues that were enqueued to, were it no job, sorted.
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError>;

    /// The figures of one queue at one moment: a job that moves meanwhile is in exactly one of
    /// them, so that zeros mean that nothing is left.
    async fn stats(&self, queue: &QueueName) -> Result<Counts, BrokerError>;

    /// Elements in a state, `limit` (at most [`MAX_BATCH`](super::MAX_BATCH)) from `offset` on: ready from the front,
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

    /// Keeps the id of a job that is not to run, whether such a job waits or not: claims say from
    /// then on that there are such ids, and [`Broker::cancelled`](super::Broker::cancelled) knows
    /// this one for [`CANCELLED_FOR`](super::CANCELLED_FOR), unless
    /// [`MAX_CANCELLED`](super::MAX_CANCELLED) others came after it or it is ordered to run
    /// ([`Requeue`]). No job moves. Safe to send again: it counts from the last time.
    async fn cancel(&self, queue: &QueueName, id: JobId) -> Result<(), BrokerError>;

    /// Removes exactly this record from the dead list and, if its job is to run again, puts that at
    /// the back of ready. Answers whether the record was there; if not, nothing changes.
    async fn take_dead(
        &self,
        queue: &QueueName,
        record: &Bytes,
        requeue: Option<&Requeue>,
    ) -> Result<bool, BrokerError>;
}

/// An order to run a job again: it is not cancelled any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requeue {
    /// The job's id.
    pub id: JobId,
    /// The bytes that go back into the queue.
    pub envelope: Bytes,
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
