//! The dead list of a queue: what was given up, to be looked at, run again or removed.

use std::time::Duration;

use super::dead_walk::DeadWalk;
use super::{DeadJob, Queue};
use crate::broker::{JobState, Requeue, TakeDead};
use crate::error::InspectError;
use crate::id::JobId;
use crate::timestamp::At;

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

    /// Dead jobs page by page, newest first, 1,000 at a time at most, also where `limit` is larger, and
    /// fewer where they have more than about 8 MiB. The next page begins at `offset` and as many as
    /// came, and the last is one that is empty.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// for job in client.queue("mail")?.dead().list(0, 100).await? {
    ///     println!("{} {:?}: {}", job.id(), job.reason(), job.error());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn list(&self, offset: u64, limit: u32) -> Result<Vec<DeadJob>, InspectError> {
        let elements = self.queue.page(JobState::Dead, offset, limit).await?;
        let jobs = elements.into_iter().map(|e| DeadJob::new(e.bytes));
        Ok(jobs.collect())
    }

    /// Puts a job at the back of the queue, as if it had never failed, or been cancelled. Bytes that
    /// were no envelope go back as they were. Answers whether the job was in the list.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// # let id = jobq::JobId::new();
    /// if client.queue("mail")?.dead().retry(id).await? {
    ///     println!("{id} runs again");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn retry(&self, id: JobId) -> Result<bool, InspectError> {
        let now = self.queue.client.now();
        self.take_newest(id, |job| requeue(job, now)).await
    }

    /// Removes a job for good. Answers whether it was in the list.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// # let id = jobq::JobId::new();
    /// let was_there = client.queue("mail")?.dead().remove(id).await?;
    /// # assert!(!was_there);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn remove(&self, id: JobId) -> Result<bool, InspectError> {
        self.take_newest(id, remove).await
    }

    /// Puts all jobs back into the queue, the oldest first, as [`Dead::retry`] does: those that
    /// were in the list when it was called. Answers how many.
    ///
    /// What is given up meanwhile stays in the list, also a job that fails at once again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// let mended = client.queue("mail")?.dead().retry_all().await?;
    /// println!("{mended} jobs run again");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`]. Jobs that went back before it stay in the queue.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, some jobs are in the queue and the others in the list: each is in
    /// exactly one of them at any time.
    pub async fn retry_all(&self) -> Result<u64, InspectError> {
        let mut walk = self.walk().await?;
        let mut taken = 0;
        loop {
            let page = walk.next_page().await?;
            if page.is_empty() {
                return Ok(taken);
            }
            taken += walk.retry(&page).await?;
        }
    }

    /// Removes the jobs for good that were given up so long ago, or longer, by the store's clock:
    /// with zero, all that were given up before now. Answers how many.
    ///
    /// What does not tell when it was given up, because it is no dead record, stays:
    /// [`Dead::remove`] and [`Queue::purge`] take it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// let month = std::time::Duration::from_secs(30 * 24 * 3600);
    /// let removed = client.queue("mail")?.dead().purge_older_than(month).await?;
    /// # assert_eq!(removed, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`]. What was removed before it is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, some of the jobs are removed.
    pub async fn purge_older_than(&self, age: Duration) -> Result<u64, InspectError> {
        let now = self.queue.client.now();
        let is_old = |died| now.since(died) >= age;
        let mut walk = self.walk().await?;
        let mut taken = 0;
        loop {
            let mut page = walk.next_page().await?;
            if page.is_empty() {
                return Ok(taken);
            }
            page.retain(|job| job.died().is_some_and(is_old));
            taken += walk.remove(&page).await?;
        }
    }

    /// Begins a walk over all that is in the list now, oldest first: see [`DeadWalk`].
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn walk(&self) -> Result<DeadWalk, InspectError> {
        DeadWalk::begin(self.queue.clone()).await
    }

    /// Takes the newest job of this id from the list, as `decide` says.
    async fn take_newest(
        &self,
        id: JobId,
        decide: impl Fn(&DeadJob) -> TakeDead,
    ) -> Result<bool, InspectError> {
        let Some((place, job)) = self.find(|job| job.id() == id).await? else {
            return Ok(false);
        };
        let broker = self.queue.client.broker();
        let takes = [decide(&job)];
        // Somebody else may have taken it since it was found; then nothing happens.
        Ok(broker.take_dead(&self.queue.name, &takes, place).await? > 0)
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Removes exactly this job, which has about `place` newer ones. Answers whether it was there.
    pub(super) async fn take(&self, job: &DeadJob, place: u64) -> Result<bool, InspectError> {
        let (broker, takes) = (self.queue.client.broker(), [remove(job)]);
        Ok(broker.take_dead(&self.queue.name, &takes, place).await? > 0)
    }

    /// How many newer ones there are than exactly this job, if it is in the list.
    pub(super) async fn place_of(&self, job: &DeadJob) -> Result<Option<u64>, InspectError> {
        let same = |other: &DeadJob| other.record_bytes() == job.record_bytes();
        Ok(self.find(same).await?.map(|(place, _)| place))
    }

    /// The newest job of which `is_it` says so, and its place.
    async fn find(
        &self,
        is_it: impl Fn(&DeadJob) -> bool,
    ) -> Result<Option<(u64, DeadJob)>, InspectError> {
        let mut offset = 0;
        loop {
            let page = self.list(offset, SEARCH_PAGE).await?;
            if page.is_empty() {
                return Ok(None);
            }
            let next = offset + page.len() as u64;
            let mut found = (offset..).zip(page).filter(|(_, job)| is_it(job));
            if let Some(found) = found.next() {
                return Ok(Some(found));
            }
            offset = next;
        }
    }
}

/// An order to run a dead job again, from now on.
pub(super) fn requeue(job: &DeadJob, now: At) -> TakeDead {
    let (id, envelope) = (job.id(), job.fresh_envelope(now));
    TakeDead {
        requeue: Some(Requeue { id, envelope }),
        ..remove(job)
    }
}

/// An order to remove a dead job.
pub(super) fn remove(job: &DeadJob) -> TakeDead {
    TakeDead {
        record: job.record_bytes().clone(),
        requeue: None,
    }
}
