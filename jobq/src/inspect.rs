//! Looking into queues and intervening: for people and tools, never on the path of a job.

use std::time::Duration;

use jiff::Timestamp;

use crate::broker::{Element, JobState, MAX_BATCH};
use crate::client::Client;
use crate::envelope::{DeadRecord, Envelope, Reason};
use crate::error::{EnvelopeError, InspectError};
use crate::id::{JobId, QueueName};

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
    /// Jobs claimed by workers.
    pub in_flight: u64,
    /// Jobs given up.
    pub dead: u64,
    /// Whether the queue is paused.
    pub paused: bool,
    /// How long ago the job at the front of ready was enqueued.
    pub oldest_ready_age: Option<Duration>,
    /// When the first delayed job is due.
    pub next_due: Option<Timestamp>,
}

/// A job as it stands in a queue.
#[derive(Debug, Clone)]
pub struct JobInfo {
    element: Element,
    envelope: Envelope,
}

/// The dead list of a queue. From [`Queue::dead`].
#[derive(Debug, Clone)]
pub struct Dead {
    queue: Queue,
}

/// A job that was given up.
#[derive(Debug, Clone)]
pub struct DeadJob {
    record: DeadRecord,
    envelope: Result<Envelope, EnvelopeError>,
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

    /// Its figures now.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn stats(&self) -> Result<QueueStats, InspectError> {
        unimplemented!()
    }

    /// Stops workers from taking jobs: once this has answered, nothing starts but what was claimed
    /// before. Enqueueing goes on.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn pause(&self) -> Result<(), InspectError> {
        unimplemented!()
    }

    /// Ends a pause.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn resume(&self) -> Result<(), InspectError> {
        unimplemented!()
    }

    /// Jobs in a state, page by page, `limit` at most 1,000.
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
        unimplemented!()
    }

    /// Its dead list.
    #[must_use]
    pub fn dead(&self) -> Dead {
        unimplemented!()
    }
}
