//! Looking into queues and intervening: for people and tools, never on the path of a job.

mod dead;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

pub use self::dead::{Dead, DeadJob};
use crate::broker::{Counts, Element, JobState, MAX_BATCH};
use crate::client::Client;
use crate::envelope::Envelope;
use crate::error::{EnvelopeError, InspectError};
use crate::id::{JobId, QueueName, WorkerId};
use crate::job::Job;
use crate::timestamp::At;

/// One queue, to look at and to pause. From [`Client::queue`].
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    name: QueueName,
}

/// The figures of one queue at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// Jobs waiting for a free slot, suspects of crashes among them.
    pub ready: u64,
    /// Jobs waiting for their time or their retry.
    pub delayed: u64,
    /// Jobs that workers hold: claimed, or handed to one that was just woken.
    pub in_flight: u64,
    /// Jobs given up.
    pub dead: u64,
    /// Whether the queue is paused.
    pub paused: bool,
    /// How long the job at the front of ready could have been running: since it was enqueued, or
    /// due. `None` if there is none, or if it is no envelope.
    pub oldest_ready_age: Option<Duration>,
    /// When the first delayed job is due.
    pub next_due: Option<Timestamp>,
}

impl Queue {
    pub(crate) fn new(client: Client, name: QueueName) -> Self {
        Self { client, name }
    }

    /// The queue's name.
    #[must_use]
    pub fn name(&self) -> &QueueName {
        &self.name
    }

    /// Its figures now. A queue that nobody ever used has none but zeros.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn stats(&self) -> Result<QueueStats, InspectError> {
        let counts = self.client.broker().stats(&self.name).await?;
        Ok(QueueStats::new(&counts, self.client.now()))
    }

    /// Stops workers from taking jobs: once this has answered, nothing starts but what was claimed
    /// before. Enqueueing goes on. Pausing twice is pausing once.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn pause(&self) -> Result<(), InspectError> {
        Ok(self.client.broker().pause(&self.name).await?)
    }

    /// Ends a pause.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn resume(&self) -> Result<(), InspectError> {
        Ok(self.client.broker().resume(&self.name).await?)
    }

    /// Jobs in a state, page by page, `limit` at most 1,000: ready from the front (without
    /// suspects), delayed by due time, dead newest first.
    ///
    /// Pages are looked at one by one: a job that moves between two of them may be seen twice, or
    /// not at all.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn jobs(
        &self,
        state: JobState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<JobInfo>, InspectError> {
        let elements = self.page(state, offset, limit).await?;
        let info = match state {
            JobState::Dead => |element: Element| DeadJob::new(element.bytes).into(),
            _ => JobInfo::new,
        };
        Ok(elements.into_iter().map(info).collect())
    }

    /// Its dead list.
    #[must_use]
    pub fn dead(&self) -> Dead {
        Dead::new(self.clone())
    }

    async fn page(
        &self,
        state: JobState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, InspectError> {
        let limit = limit.min(MAX_BATCH);
        let broker = self.client.broker();
        Ok(broker.page(&self.name, state, offset, limit).await?)
    }
}

impl QueueStats {
    fn new(counts: &Counts, now: At) -> Self {
        let oldest = counts.oldest.clone();
        let oldest = oldest.and_then(|bytes| Envelope::decode(bytes).ok());
        Self {
            ready: counts.ready + counts.suspects,
            delayed: counts.delayed,
            in_flight: counts.in_flight,
            dead: counts.dead,
            paused: counts.paused,
            oldest_ready_age: oldest.map(|envelope| now.since(waits_since(&envelope))),
            next_due: counts.next_due.map(At::timestamp),
        }
    }
}

/// Since when a job in ready could have been running.
fn waits_since(envelope: &Envelope) -> At {
    let due = envelope.options().ok().and_then(|options| options.due);
    due.map_or(envelope.enqueued_at(), |due| {
        due.max(envelope.enqueued_at())
    })
}

/// A job as it stands in a queue.
///
/// What lies there need be no envelope: anyone may have put it there. Then all but
/// [`JobInfo::bytes`], [`JobInfo::due`] and [`JobInfo::worker`] answer `None`.
#[derive(Clone)]
pub struct JobInfo {
    bytes: Bytes,
    due: Option<At>,
    worker: Option<WorkerId>,
    envelope: Result<Envelope, EnvelopeError>,
    last_error: Option<String>,
}

impl JobInfo {
    fn new(element: Element) -> Self {
        let envelope = Envelope::decode(element.bytes.clone());
        let options = envelope.as_ref().ok().and_then(|e| e.options().ok());
        let latest = options.and_then(|mut options| options.history.pop());
        Self {
            bytes: element.bytes,
            due: element.due,
            worker: element.worker,
            envelope,
            last_error: latest.map(|failure| failure.error),
        }
    }

    /// The job's id.
    #[must_use]
    pub fn id(&self) -> Option<JobId> {
        self.envelope().ok().map(Envelope::id)
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.envelope().ok().map(Envelope::name)
    }

    /// When it was enqueued, by the producer's clock.
    #[must_use]
    pub fn enqueued_at(&self) -> Option<Timestamp> {
        let envelope = self.envelope().ok()?;
        Some(envelope.enqueued_at().timestamp())
    }

    /// How often it failed: its next, or its running, attempt is one more.
    #[must_use]
    pub fn failures(&self) -> Option<u32> {
        self.envelope().ok().map(Envelope::failures)
    }

    /// What went wrong the last time, if it ever failed.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// When it is due, if it is delayed.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.due.map(At::timestamp)
    }

    /// The worker that holds it, if it is in flight.
    #[must_use]
    pub fn worker(&self) -> Option<&WorkerId> {
        self.worker.as_ref()
    }

    /// The arguments as the job they were written from. Whether the name is the job's is for the
    /// caller to check.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if it is no envelope, or the arguments do not fit `J`.
    pub fn arguments<J: Job>(&self) -> Result<J, EnvelopeError> {
        self.envelope().map_err(Clone::clone)?.arguments()
    }

    /// The envelope.
    ///
    /// # Errors
    ///
    /// Why the bytes are none.
    pub fn envelope(&self) -> Result<&Envelope, &EnvelopeError> {
        self.envelope.as_ref()
    }

    /// The bytes of the job as they are stored.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// Without its payload, which may be long, and secret.
impl fmt::Debug for JobInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobInfo")
            .field("due", &self.due)
            .field("worker", &self.worker)
            .field("last_error", &self.last_error)
            .field("envelope", &self.envelope)
            .finish_non_exhaustive()
    }
}

impl From<DeadJob> for JobInfo {
    fn from(job: DeadJob) -> Self {
        let (record, envelope) = job.into_parts();
        Self {
            bytes: record.envelope,
            due: None,
            worker: None,
            envelope,
            last_error: Some(record.error),
        }
    }
}
