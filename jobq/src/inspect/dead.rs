//! The dead list of a queue: what was given up, to be looked at, run again or removed.

use std::time::Duration;

use bytes::Bytes;

use super::{DeadJob, Queue};
use crate::broker::{JobState, Requeue, TakeDead};
use crate::error::InspectError;
use crate::id::JobId;

/// Records looked at in one step while one is searched: few, for each may be large.
const SEARCH_PAGE: u32 = 100;

/// Records that a sweep takes in one step: a hundred of 6 KiB held Redis for 2 ms.
const SWEPT_AT_ONCE: u32 = 25;

/// Bytes of records that a sweep takes in one step, unless the first alone is larger.
const SWEPT_BYTES: usize = 256 * 1024;

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

    /// Puts a job at the back of the queue, as if it had never failed, or been cancelled. Bytes that were no envelope
    /// go back as they were. Answers whether the job was in the list.
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
        self.take(id, |job| Some(job.fresh_envelope(now))).await
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
        self.take(id, |_| None).await
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
        let now = self.queue.client.now();
        self.sweep(|job| Fate::Requeue(job.id(), job.fresh_envelope(now)))
            .await
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
        self.sweep(|job| match job.died() {
            Some(died) if now.since(died) >= age => Fate::Remove,
            _ => Fate::Keep,
        })
        .await
    }

    /// Goes over all that is in the list now, oldest first, and answers how many left it.
    ///
    /// It begins at the old end because what is buried meanwhile does not shift that, and what is
    /// taken from there is found at once.
    async fn sweep(&self, decide: impl Fn(&DeadJob) -> Fate) -> Result<u64, InspectError> {
        let (broker, name) = (self.queue.client.broker(), &self.queue.name);
        let mut left = broker.stats(name).await?.dead;
        let (mut kept, mut taken) = (0, 0);
        while left > 0 {
            let at_once = u32::try_from(left).unwrap_or(u32::MAX).min(SWEPT_AT_ONCE);
            let records = broker.oldest_dead(name, kept, at_once).await?;
            if records.is_empty() {
                break;
            }
            left = left.saturating_sub(records.len() as u64);
            let takes = records.into_iter().filter_map(|record| {
                let take = decide(&DeadJob::new(record.clone())).take(record);
                kept += u64::from(take.is_none());
                take
            });
            let takes = takes.collect::<Vec<_>>();
            for batch in batches(&takes) {
                taken += broker.take_dead(name, batch, u64::MAX).await?;
            }
        }
        Ok(taken)
    }

    /// Takes the newest job of this id from the list, and requeues what is made of it.
    async fn take(
        &self,
        id: JobId,
        requeue: impl Fn(&DeadJob) -> Option<Bytes>,
    ) -> Result<bool, InspectError> {
        let Some((place, job)) = self.find(id).await? else {
            return Ok(false);
        };
        let requeue = requeue(&job).map(|envelope| Requeue { id, envelope });
        let record = job.record_bytes().clone();
        let take = [TakeDead { record, requeue }];
        let broker = self.queue.client.broker();
        // Somebody else may have taken it since it was found; then nothing happens.
        Ok(broker.take_dead(&self.queue.name, &take, place).await? > 0)
    }

    /// The newest job of this id, and its place.
    async fn find(&self, id: JobId) -> Result<Option<(u64, DeadJob)>, InspectError> {
        let mut offset = 0;
        loop {
            let page = self.list(offset, SEARCH_PAGE).await?;
            if page.is_empty() {
                return Ok(None);
            }
            let next = offset + page.len() as u64;
            let mut found = (offset..).zip(page).filter(|(_, job)| job.id() == id);
            if let Some(found) = found.next() {
                return Ok(Some(found));
            }
            offset = next;
        }
    }
}

/// What becomes of a dead job that a sweep comes to.
enum Fate {
    Keep,
    Remove,
    Requeue(JobId, Bytes),
}

impl Fate {
    fn take(self, record: Bytes) -> Option<TakeDead> {
        let requeue = match self {
            Self::Keep => return None,
            Self::Remove => None,
            Self::Requeue(id, envelope) => Some(Requeue { id, envelope }),
        };
        Some(TakeDead { record, requeue })
    }
}

/// Parts of at most [`SWEPT_BYTES`], or one that is larger.
fn batches(takes: &[TakeDead]) -> impl Iterator<Item = &[TakeDead]> {
    let mut rest = takes;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|take| {
            bytes += take.record.len();
            bytes <= SWEPT_BYTES
        });
        let at = fits.count().max(1).min(rest.len());
        let (batch, after) = rest.split_at(at);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_small_and_leave_nothing_out() {
        let take = |bytes: usize| TakeDead {
            record: vec![0; bytes].into(),
            requeue: None,
        };
        let most = SWEPT_BYTES;
        let cases: [(&[usize], &[usize]); 6] = [
            (&[], &[]),
            (&[1, 1, 1], &[3]),
            (&[most], &[1]),
            (&[most + 1, 1, 1], &[1, 2]),
            (&[1, most, most + 7, 0], &[1, 1, 1, 1]),
            (&[most / 2, most / 2, 1], &[2, 1]),
        ];
        for (sizes, expected) in cases {
            let takes: Vec<TakeDead> = sizes.iter().map(|&bytes| take(bytes)).collect();
            let lengths: Vec<usize> = batches(&takes).map(<[TakeDead]>::len).collect();
            assert_eq!(lengths, expected, "{sizes:?}");
        }
    }
}
