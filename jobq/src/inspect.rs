//! Looking into queues and intervening: for people and tools, never on the path of a job.

mod dead;
mod dead_job;
mod job_info;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;

pub use self::dead::Dead;
pub use self::dead_job::DeadJob;
pub use self::job_info::JobInfo;
use crate::broker::{Counts, Element, JobState, MAX_BATCH};
use crate::client::Client;
use crate::envelope::Envelope;
use crate::error::InspectError;
use crate::id::QueueName;
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
