//! Moving a job that waits, or is dead, to another queue.
//!
//! No step touches two queues: they may be on two servers of a cluster. So it is enqueued at the
//! target first and removed at its source afterwards. Whatever ends in between leaves it in both:
//! at least once, as ever. A cancellation goes ahead of its job, for a worker of the target may claim
//! that at once.

use bytes::Bytes;

use super::{Dead, DeadJob, JobInfo, Queue};
use crate::broker::{Due, Entry, JobState};
use crate::error::InspectError;
use crate::id::JobId;

/// Looks for a job that has moved on while it was enqueued elsewhere.
const LOOKS: u32 = 5;

/// How many places in front of where it stood a job is looked for.
const NEAR: u32 = 1000;

/// What became of a job that was to be moved to another queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transfer {
    /// It is on the other queue, and no longer on this one.
    Moved,
    /// It was not there any more, or not at this place: nothing has changed.
    Gone,
    /// It is on the other queue; and it left this one by itself meanwhile, so that it was started, or
    /// will be, here too.
    Doubled,
}

impl Queue {
    /// Moves a job that waits to another queue: a ready one, or a suspect, to its back, a delayed one
    /// for the same time. It keeps its id, its failures and its options. `place` is how many jobs stand before it
    /// in the state: those of the page of [`Queue::jobs`] it was found on, and its place there.
    ///
    /// It is enqueued there first and removed here afterwards. Whoever ends in between, or loses
    /// the connection, leaves it on both queues; and a job that a worker takes here meanwhile runs
    /// on both. Pause the queue first if that must not be. Where more than 50,000 jobs stand on either
    /// side of one that is ready, the last of the queue takes its place.
    ///
    /// A job that is cancelled here is cancelled there before it is enqueued there, and so starts
    /// nowhere. A cancellation that comes while it moves goes with it too, unless a worker had claimed
    /// the job there before this has answered.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// # #[derive(jobq::Job)]
    /// # struct Remind { user: u64 }
    /// use jobq::{Job, JobState, Transfer};
    ///
    /// Remind { user: 7 }.enqueue(&client).await?;
    /// let (from, to) = (client.queue("default")?, client.queue("slow")?);
    /// let first = from.jobs(JobState::Ready, 0, 1).await?.remove(0);
    /// assert_eq!(from.transfer(JobState::Ready, &first, 0, &to).await?, Transfer::Moved);
    /// assert_eq!(to.stats().await?.ready, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::OwnedByWorkers`] for a job in flight, and [`InspectError::Dead`] for a dead
    /// one, which [`Dead::transfer`](super::Dead::transfer) moves. [`InspectError::Broker`]: no job
    /// has moved, unless the outcome is unknown; the id of one that is cancelled here may be cancelled
    /// there. [`InspectError::HalfMoved`]: it is on the other queue, and may still be here.
    pub async fn transfer(
        &self,
        state: JobState,
        job: &JobInfo,
        place: u64,
        to: &Queue,
    ) -> Result<Transfer, InspectError> {
        let due = match state {
            // A suspect goes to ready too: whoever claims it there puts it among the suspects.
            JobState::Ready | JobState::Suspect => Due::Now,
            JobState::Delayed => job.due_at().map_or(Due::Now, Due::At),
            JobState::InFlight => return Err(InspectError::OwnedByWorkers),
            JobState::Dead => return Err(InspectError::Dead),
        };
        let element = job.bytes();
        if self.place_of(state, element, place, 1).await? != Some(place) {
            return Ok(Transfer::Gone);
        }
        // What is no envelope has no id, and is never cancelled.
        let id = job.id();
        let cancelled = self.pass_cancellation(id, to).await?;
        to.put(element.clone(), due).await?;
        let withdrawn = self.leave_to(to, id, cancelled, (state, element, place));
        match withdrawn.await.map_err(half_moved)? {
            true => Ok(Transfer::Moved),
            false => Ok(Transfer::Doubled),
        }
    }

    /// Removes an element that is on the other queue already; whether it was still here.
    async fn leave_to(
        &self,
        to: &Queue,
        id: Option<JobId>,
        cancelled: bool,
        (state, element, place): (JobState, &Bytes, u64),
    ) -> Result<bool, InspectError> {
        if let Some(id) = id.filter(|_| cancelled) {
            // An id is kept for as long as what is delayed when it is cancelled asks for: now that
            // is this job too.
            to.cancel(id).await?;
        }
        let withdrawn = self.withdraw(state, element, place).await?;
        if !cancelled {
            // Whoever cancelled it meanwhile found it here.
            self.pass_cancellation(id, to).await?;
        }
        Ok(withdrawn)
    }

    /// Cancels on the other queue what is cancelled on this one, and answers whether it is.
    async fn pass_cancellation(&self, id: Option<JobId>, to: &Queue) -> Result<bool, InspectError> {
        let Some(id) = id else {
            return Ok(false);
        };
        let cancelled = self.client.broker().cancelled(&self.name, &[id]).await?;
        let cancelled = cancelled.contains(&true);
        if cancelled {
            to.cancel(id).await?;
        }
        Ok(cancelled)
    }

    pub(super) async fn put(&self, envelope: Bytes, due: Due) -> Result<(), InspectError> {
        let entry = Entry { envelope, due };
        Ok(self.client.broker().enqueue(&self.name, &[entry]).await?)
    }

    /// Removes an element that has moved to the front by as many as were taken meanwhile.
    async fn withdraw(
        &self,
        state: JobState,
        element: &Bytes,
        mut place: u64,
    ) -> Result<bool, InspectError> {
        let broker = self.client.broker();
        for _ in 0..LOOKS {
            if broker.withdraw(&self.name, state, element, place).await? {
                return Ok(true);
            }
            let from = place.saturating_sub(u64::from(NEAR) - 1);
            match self.place_of(state, element, from, NEAR).await? {
                Some(found) => place = found,
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    async fn place_of(
        &self,
        state: JobState,
        element: &Bytes,
        from: u64,
        limit: u32,
    ) -> Result<Option<u64>, InspectError> {
        let end = from.saturating_add(limit.into());
        let mut from = from;
        while from < end {
            let limit = u32::try_from(end - from).unwrap_or(limit);
            let page = self.page(state, from, limit).await?;
            let (count, mut places) = (page.len() as u64, (from..).zip(page));
            if let Some((place, _)) = places.find(|(_, found)| found.bytes == *element) {
                return Ok(Some(place));
            }
            if count == 0 {
                break;
            }
            // Large ones come in smaller pages.
            from += count;
        }
        Ok(None)
    }
}

impl Dead {
    /// Moves a dead job to the back of another queue, as if it had never failed, or been cancelled
    /// here. It is enqueued there first and removed here afterwards, as with [`Queue::transfer`].
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`]: nothing has changed, unless the outcome is unknown.
    /// [`InspectError::HalfMoved`]: it is on the other queue, and may still be here.
    pub async fn transfer(&self, job: &DeadJob, to: &Queue) -> Result<Transfer, InspectError> {
        let Some(place) = self.place_of(job).await? else {
            return Ok(Transfer::Gone);
        };
        let now = self.queue().client.now();
        to.put(job.fresh_envelope(now), Due::Now).await?;
        let taken = self.take(job, place).await;
        match taken.map_err(half_moved)? {
            true => Ok(Transfer::Moved),
            false => Ok(Transfer::Doubled),
        }
    }
}

fn half_moved(error: InspectError) -> InspectError {
    match error {
        InspectError::Broker(source) => InspectError::HalfMoved { source },
        other => other,
    }
}
