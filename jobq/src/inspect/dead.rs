//! The dead list of a queue: what was given up, to be looked at, run again or removed.

use bytes::Bytes;

use super::{DeadJob, Queue};
use crate::broker::{JobState, Requeue};
use crate::error::InspectError;
use crate::id::JobId;

/// Records looked at in one step while one is searched: few, for each may be large.
const SEARCH_PAGE: u32 = 100;

/// The dead list of a queue. From [`Queue::dead`].
///
/// Where an id is asked for, the newest job that has it is meant: bytes that were no envelope all
/// have the id of zeros.
#[derive(Debug, Clone)]
pub struct Dead {
    queue: Queue,
}

impl Dead {
    pub(super) fn new(queue: Queue) -> Self {
        Self { queue }
    }

    /// Dead jobs page by page, newest first, `limit` at most 1,000.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn list(&self, offset: u64, limit: u32) -> Result<Vec<DeadJob>, InspectError> {
        let elements = self.queue.page(JobState::Dead, offset, limit).await?;
        let jobs = elements.into_iter().map(|e| DeadJob::new(e.bytes));
        Ok(jobs.collect())
    }

    /// Puts a job at the back of the queue, as if it had never failed. Bytes that were no envelope
    /// go back as they were. Answers whether the job was in the list.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn retry(&self, id: JobId) -> Result<bool, InspectError> {
        let now = self.queue.client.now();
        self.take(id, |job| Some(job.fresh_envelope(now))).await
    }

    /// Removes a job for good. Answers whether it was in the list.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn remove(&self, id: JobId) -> Result<bool, InspectError> {
        self.take(id, |_| None).await
    }

    /// Takes the newest job of this id from the list, and requeues what is made of it.
    async fn take(
        &self,
        id: JobId,
        requeue: impl Fn(&DeadJob) -> Option<Bytes>,
    ) -> Result<bool, InspectError> {
        let Some(job) = self.find(id).await? else {
            return Ok(false);
        };
        let broker = self.queue.client.broker();
        let requeue = requeue(&job).map(|envelope| Requeue { id, envelope });
        let name = &self.queue.name;
        // Somebody else may have taken it since it was found; then nothing happens.
        Ok(broker
            .take_dead(name, job.record_bytes(), requeue.as_ref())
            .await?)
    }

    async fn find(&self, id: JobId) -> Result<Option<DeadJob>, InspectError> {
        let mut offset = 0;
        loop {
            let page = self.list(offset, SEARCH_PAGE).await?;
            if page.is_empty() {
                return Ok(None);
            }
            offset += page.len() as u64;
            if let Some(job) = page.into_iter().find(|job| job.id() == id) {
                return Ok(Some(job));
            }
        }
    }
}
