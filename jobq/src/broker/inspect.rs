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

    /// Elements in a state, `limit` (at most [`MAX_BATCH`](super::MAX_BATCH)) from `offset` on:
    /// ready and suspects from the front, delayed by due time, in flight by worker and token, dead
    /// newest first.
    /// Fewer, but at least one, where these have more than
    /// [`MAX_BATCH_BYTES`](super::MAX_BATCH_BYTES); none only where there are none.
    async fn page(
        &self,
        queue: &QueueName,
        state: JobState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError>;

    /// Elements of ready from the back, as [`Inspect::page`] gives them from the front. What is taken
    /// from the front or put there meanwhile does not shift them, and what is enqueued moves them on:
    /// who goes from page to page passes none over that stays, unless some behind it are removed.
    async fn newest_ready(
        &self,
        queue: &QueueName,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError>;

    /// Stops claims from taking anything, from the moment this has answered.
    async fn pause(&self, queue: &QueueName) -> Result<(), BrokerError>;

    /// Ends a pause.
    async fn resume(&self, queue: &QueueName) -> Result<(), BrokerError>;

    /// Keeps the id of a job that is not to run, whether such a job waits or not: claims say from
    /// then on that there are such ids, and [`Broker::cancelled`](super::Broker::cancelled) knows
    /// this one until [`CANCELLED_FOR`](super::CANCELLED_FOR) has passed and the last of the jobs
    /// that are delayed now has been due for as long (up to
    /// [`LATEST_CANCELLED`](super::LATEST_CANCELLED)), and no shorter than those that were cancelled
    /// before it; unless [`MAX_CANCELLED`](super::MAX_CANCELLED) others came after it or it is
    /// ordered to run ([`Requeue`]). No job moves. Safe to send again: it counts from the last time.
    async fn cancel(&self, queue: &QueueName, id: JobId) -> Result<(), BrokerError>;

    /// Dead records from the old end, `limit` (at most [`MAX_BATCH`](super::MAX_BATCH)) from
    /// `offset` on, oldest first: what is buried meanwhile does not shift them.
    async fn oldest_dead(
        &self,
        queue: &QueueName,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Bytes>, BrokerError>;

    /// Removes exactly these records, at most [`MAX_BATCH`](super::MAX_BATCH), from the dead list
    /// and puts the jobs that come with them at the back of ready, in order. Answers how many were
    /// there; one that was not changes nothing. Sent again, it finds none.
    ///
    /// `near` is how many newer records there are, about: each is looked for from the end of the
    /// list that is nearer to this place, and of equal records the first one met is taken.
    async fn take_dead(
        &self,
        queue: &QueueName,
        takes: &[TakeDead],
        near: u64,
    ) -> Result<u64, BrokerError>;

    /// Removes all elements in a state, ready with the suspects, and answers how many there were.
    /// What is in flight is its worker's: nothing of it is removed. Sent again, it removes what has
    /// come since.
    async fn purge(&self, queue: &QueueName, state: JobState) -> Result<u64, BrokerError>;

    /// A delayed element that has this id at the place where an envelope has it. Looks in many
    /// steps: one that is delayed throughout is found.
    async fn find_delayed(
        &self,
        queue: &QueueName,
        id: JobId,
    ) -> Result<Option<Bytes>, BrokerError>;

    /// Removes exactly this element from delayed and puts the job, as it is given, at the front of
    /// ready, also if the queue is paused. Answers whether the element was there; if not, nothing
    /// changes.
    async fn run_now(
        &self,
        queue: &QueueName,
        delayed: &Bytes,
        job: &Requeue,
    ) -> Result<bool, BrokerError>;

    /// Removes exactly this element, which waits, and answers whether it was there; if not, nothing
    /// changes. Of ready it is the one with `place` others before it, or nothing; of delayed `place`
    /// does not matter, and of the suspects it is as of ready. The others keep their order, but where more than 50,000 stand on either
    /// side: then the last that came may take its place; of elements that are equal any may be the one
    /// that goes. What is in flight is its worker's, and a
    /// dead record is taken with [`Inspect::take_dead`]: of these nothing is removed.
    async fn withdraw(
        &self,
        queue: &QueueName,
        state: JobState,
        element: &Bytes,
        place: u64,
    ) -> Result<bool, BrokerError>;
}

/// An order to run a job: it is not cancelled any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requeue {
    /// The job's id.
    pub id: JobId,
    /// The bytes that go into the queue.
    pub envelope: Bytes,
}

/// A dead record to be taken out of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeDead {
    /// The bytes of the record.
    pub record: Bytes,
    /// What goes back into the queue, if its job is to run again.
    pub requeue: Option<Requeue>,
}

/// Where a job can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// Waiting for a free slot.
    Ready,
    /// Waiting to be run alone: two workers or more died while they ran it. Counted within ready.
    Suspect,
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
    /// The element at the front of ready; that of the suspects where ready is empty.
    pub oldest: Option<Bytes>,
    /// When the first of delayed is due.
    pub next_due: Option<At>,
}
