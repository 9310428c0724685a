//! Going over a dead list, a few records at a time.

use std::collections::HashSet;

use super::dead::{remove, requeue};
use super::{DeadJob, Queue};
use crate::broker::{TakeDead, how_many_fit};
use crate::error::InspectError;
use crate::id::JobId;

/// Records read in one step, which may then be taken in one: a hundred of 6 KiB held Redis for 2 ms.
const AT_ONCE: u32 = 25;

/// Bytes of records taken in one step, unless the first alone is larger.
const TAKEN_BYTES: usize = 256 * 1024;

/// Records that are passed over in one step to reach those that it takes: each is looked for anew, from
/// the nearer end of the list. So many of 6.5 KiB held Redis for 0.3 ms on one machine and for 1.4 ms on
/// another, where twice as many took 2.5 ms.
const PASSED_OVER: u64 = 5_000;

/// A walk over what was in a dead list when it began, oldest first, page by page; some of each page
/// may be taken before the next is asked for. From [`Dead::walk`](super::Dead::walk).
///
/// It begins at the old end because what is buried meanwhile does not shift that. It goes over as many
/// records as there were then, and leaves out what it put back itself and has died again. Where others
/// take from the list at the same time, some jobs may be passed over, and some be met that died later.
/// What is far from both ends is taken in smaller steps, for it is searched: no step holds the store
/// for long.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = jobq::connect("memory://").await?;
/// let mut walk = client.queue("mail")?.dead().walk().await?;
/// loop {
///     let mut page = walk.next_page().await?;
///     if page.is_empty() {
///         break;
///     }
///     page.retain(|job| job.error().contains("connection refused"));
///     println!("{} jobs run again, {} to look at", walk.retry(&page).await?, walk.left());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DeadWalk {
    queue: Queue,
    /// Jobs that it put back. No clock tells them: each worker has its own idea of the store's.
    retried: HashSet<JobId>,
    /// Records not yet looked at.
    left: u64,
    /// Records that were looked at and stayed.
    kept: u64,
}

impl DeadWalk {
    pub(super) async fn begin(queue: Queue) -> Result<Self, InspectError> {
        let left = queue.client.broker().stats(&queue.name).await?.dead;
        Ok(Self {
            queue,
            retried: HashSet::new(),
            left,
            kept: 0,
        })
    }

    /// How many jobs are still to be looked at.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The next few jobs, oldest first; none at the end.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`]. The walk can go on after it.
    pub async fn next_page(&mut self) -> Result<Vec<DeadJob>, InspectError> {
        loop {
            let (is_last, jobs) = self.read().await?;
            let jobs = jobs.into_iter();
            let jobs: Vec<_> = jobs
                .filter(|job| !self.retried.contains(&job.id()))
                .collect();
            // An empty page is the end, and what died again may stand in front of what did not.
            if is_last || !jobs.is_empty() {
                return Ok(jobs);
            }
        }
    }

    /// The next few records, and whether there are no more.
    async fn read(&mut self) -> Result<(bool, Vec<DeadJob>), InspectError> {
        let at_once = u32::try_from(self.left).unwrap_or(u32::MAX).min(AT_ONCE);
        if at_once == 0 {
            return Ok((true, Vec::new()));
        }
        let (broker, name) = (self.queue.client.broker(), &self.queue.name);
        let records = broker.oldest_dead(name, self.kept, at_once).await?;
        let seen = records.len() as u64;
        self.left = match seen {
            // Others have taken the rest.
            0 => 0,
            _ => self.left.saturating_sub(seen),
        };
        self.kept += seen;
        let jobs = records.into_iter().map(DeadJob::new).collect();
        Ok((self.left == 0, jobs))
    }

    /// Puts jobs of the last page at the back of the queue, as [`Dead::retry`](super::Dead::retry)
    /// does. Answers how many were still in the list.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`]. Jobs that went back before it stay in the queue.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, some jobs are in the queue and the others in the list: each is in
    /// exactly one of them at any time.
    pub async fn retry(&mut self, jobs: &[DeadJob]) -> Result<u64, InspectError> {
        let now = self.queue.client.now();
        // Bytes that were no envelope share the id of zeros.
        let none = JobId::from_bytes([0; 16]);
        let ids = jobs.iter().map(DeadJob::id).filter(|id| *id != none);
        self.retried.extend(ids);
        self.take(jobs.iter().map(|job| requeue(job, now)).collect())
            .await
    }

    /// Removes jobs of the last page for good. Answers how many were still in the list.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`]. What was removed before it is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, some of the jobs are removed.
    pub async fn remove(&mut self, jobs: &[DeadJob]) -> Result<u64, InspectError> {
        self.take(jobs.iter().map(remove).collect()).await
    }

    async fn take(&mut self, takes: Vec<TakeDead>) -> Result<u64, InspectError> {
        let mut takes = &takes[..];
        if takes.is_empty() {
            return Ok(0);
        }
        let newer = self.newer().await?;
        let (broker, name) = (self.queue.client.broker(), &self.queue.name);
        let mut taken = 0;
        while !takes.is_empty() {
            let far = PASSED_OVER / self.kept.min(newer).max(1);
            let at_most = usize::try_from(far).unwrap_or(usize::MAX).max(1);
            let sizes = takes.iter().take(at_most).map(|take| take.record.len());
            let (batch, later) = takes.split_at(how_many_fit(sizes, TAKEN_BYTES));
            taken += broker.take_dead(name, batch, newer).await?;
            // Gone from the old end, whoever took them.
            self.kept = self.kept.saturating_sub(batch.len() as u64);
            takes = later;
        }
        Ok(taken)
    }

    /// How many records are newer than the last page, where that may be fewer than are older. What has
    /// died since the walk began is among them.
    async fn newer(&self) -> Result<u64, InspectError> {
        if self.kept <= self.left {
            return Ok(u64::MAX);
        }
        let broker = self.queue.client.broker();
        let dead = broker.stats(&self.queue.name).await?.dead;
        Ok(dead.saturating_sub(self.kept))
    }
}
