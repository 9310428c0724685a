//! Looking into queues and intervening: for people and tools, never on the path of a job.

mod dead;
mod dead_job;
mod dead_walk;
mod job_info;
mod queue_stats;
#[cfg(test)]
mod tests;
mod transfer;
mod worker_info;
pub(crate) mod worker_record;

use bytes::Bytes;

pub use self::dead::Dead;
pub use self::dead_job::DeadJob;
pub use self::dead_walk::DeadWalk;
pub use self::job_info::JobInfo;
pub use self::queue_stats::QueueStats;
pub use self::transfer::Transfer;
pub use self::worker_info::{RunningJob, ServedQueue, WorkerInfo, WorkerState};
use crate::broker::{Element, JobState, MAX_BATCH, Requeue, Tally, Totals};
use crate::client::Client;
use crate::envelope::{Envelope, Options};
use crate::error::InspectError;
use crate::id::{JobId, QueueName};
use crate::timestamp::At;

/// One queue, to look at and to intervene in. From [`Client::queue`].
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    name: QueueName,
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// let stats = client.queue("mail")?.stats().await?;
    /// println!("{} ready, the oldest for {:?}", stats.ready, stats.oldest_ready_age);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn stats(&self) -> Result<QueueStats, InspectError> {
        let broker = self.client.broker();
        let counts = broker.stats(&self.name).await?;
        let totals = broker.totals(&self.name).await?;
        let totals = totals.iter().map(|tally| tally.totals);
        let totals = totals.fold(Totals::default(), Totals::plus);
        Ok(QueueStats::new(&counts, totals, self.client.now()))
    }

    /// What its jobs came to, by their names, sorted: of the first 1,000 names that workers met here,
    /// and of all others together as `other`.
    ///
    /// Workers report with their heartbeats, every 2 s unless they were set otherwise, and when they
    /// stop. No report counts twice. What a worker did since its last one is lost if it dies, or if it
    /// was adopted and cannot know whether that one was received: the figures may be too low, never
    /// too high.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// for tally in client.queue("mail")?.totals().await? {
    ///     println!("{}: {} done, {} dead", tally.name, tally.totals.done, tally.totals.dead);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn totals(&self) -> Result<Vec<Tally>, InspectError> {
        let mut tallies = self.client.broker().totals(&self.name).await?;
        tallies.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tallies)
    }

    /// Stops workers from taking jobs: once this has answered, nothing starts but what was claimed
    /// before. Enqueueing goes on. Pausing twice is pausing once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// let mail = client.queue("mail")?;
    /// mail.pause().await?;
    /// assert!(mail.stats().await?.paused);
    /// mail.resume().await?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Cancels the job of this id, wherever it waits on this queue: once this has answered it does
    /// not start any more, unless a worker had claimed it before. The worker that comes to it drops
    /// it, and counts it in its `WorkerStats::cancelled`; until then it stays in its place and in the
    /// figures, a delayed one until it is due.
    ///
    /// A job that is running is not stopped; but it does not run again: its retry is dropped. The
    /// answer does not say whether there is such a job, which would take a search. One that is
    /// enqueued later, or of which nobody ever heard, may be cancelled too.
    ///
    /// The id is kept until 7 days after the last job that is delayed on the queue at that moment is
    /// due, so that a job is covered however late it is due. Every job that has it is
    /// dropped, one that is enqueued anew with [`Job::id`](crate::Job::id) included, unless it is
    /// ordered to run: [`Queue::run_now`] and [`Dead::retry`] take the cancellation back. To cancel
    /// is safe to repeat; the time then counts from the last.
    ///
    /// Forgotten, so that they run if they still wait, are all ids but the 10,000 of a queue that were
    /// cancelled last, and a job that waits for longer than its id is kept: one that was running
    /// when it was cancelled and is put off further (snoozed, or retried), that is enqueued
    /// afterwards for a later time, or that finds no worker for 7 days.
    ///
    /// While a queue keeps any id, its workers ask with every claim which jobs are meant: one round
    /// trip more.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// #[jobq::job(queue = "mail")]
    /// async fn remind(user_id: u64) { /* … */ }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// let day = Duration::from_secs(24 * 3600);
    /// let reminder = remind::new(7u64).delay(day).enqueue(&client).await?;
    ///
    /// // The user has come back: no need to remind.
    /// client.queue(reminder.queue())?.cancel(reminder.id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`]: the job may be cancelled or not.
    pub async fn cancel(&self, id: JobId) -> Result<(), InspectError> {
        Ok(self.client.broker().cancel(&self.name, id).await?)
    }

    /// Jobs in a state, page by page: ready (without suspects) and suspects from the front, delayed by
    /// due time, dead newest first. A page has 1,000 jobs at most, also where `limit` is larger, and fewer
    /// where they have more than about 8 MiB: the next begins at `offset` and as many as came, and
    /// the last is one that is empty.
    ///
    /// Pages are looked at one by one: a job that moves between two of them may be seen twice, or
    /// not at all; and so may all behind it. [`Queue::newest_ready`] goes over ready in the order that
    /// workers do not shift. To walk over a queue at rest, pause it first.
    ///
    /// A page is read in small parts, so that the store serves others in between. Only an offset
    /// deep in ready costs it more: to the middle of a million jobs of 100 bytes about a
    /// millisecond, in proportion to the bytes that lie between there and the nearer end.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// use jobq::JobState;
    ///
    /// for job in client.queue("mail")?.jobs(JobState::Delayed, 0, 100).await? {
    ///     println!("{:?} at {:?}", job.name(), job.due());
    /// }
    /// # Ok(())
    /// # }
    /// ```
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

    /// Ready jobs from the back, the last that came first, page by page as [`Queue::jobs`] gives them
    /// from the front. Workers take from the front, and what they put back and what becomes due goes
    /// there: none of it shifts this order. What is enqueued meanwhile moves a job on to a page that
    /// is still to come. So whoever goes from page to page sees each job that stays in ready, some
    /// twice; but where others remove jobs behind it (move them, or purge), as many may be passed over.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// for job in client.queue("mail")?.newest_ready(0, 100).await? {
    ///     println!("{:?} since {:?}", job.name(), job.enqueued_at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn newest_ready(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<JobInfo>, InspectError> {
        let (broker, limit) = (self.client.broker(), limit.min(MAX_BATCH));
        let elements = broker.newest_ready(&self.name, offset, limit).await?;
        Ok(elements.into_iter().map(JobInfo::new).collect())
    }

    /// Lets a delayed job run now, also one that waits for its retry, or is cancelled: it goes to the
    /// front of ready, its failures counted as before, and on a paused queue waits there. Answers
    /// whether it did: a job that is not delayed, or of which nobody knows, is left as it is. If
    /// several have the id, one of them goes.
    ///
    /// Looks through all that is delayed, a little at a time: seconds for a million jobs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// # #[derive(jobq::Job)]
    /// # struct Remind { user: u64 }
    /// use jobq::Job;
    ///
    /// let hour = std::time::Duration::from_secs(3600);
    /// let job = Remind { user: 7 }.delay(hour).enqueue(&client).await?;
    /// let queue = client.queue(job.queue())?;
    /// assert!(queue.run_now(job.id()).await?);
    /// assert_eq!(queue.stats().await?.ready, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, the job runs now or is delayed as before.
    pub async fn run_now(&self, id: JobId) -> Result<bool, InspectError> {
        let broker = self.client.broker();
        let Some(delayed) = broker.find_delayed(&self.name, id).await? else {
            return Ok(false);
        };
        let envelope = due_at(&delayed, self.client.now());
        let job = Requeue { id, envelope };
        // Due in the meantime, it is ready, or runs already; then nothing happens.
        Ok(broker.run_now(&self.name, &delayed, &job).await?)
    }

    /// Removes all jobs in a state for good, in one step, and answers how many: of ready the
    /// suspects of crashes too, of dead all records. Workers go on meanwhile: what they have
    /// claimed runs to its end, and what is enqueued later stays.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// # #[derive(jobq::Job)]
    /// # struct Remind { user: u64 }
    /// use jobq::{Job, JobState};
    ///
    /// let job = Remind { user: 7 }.enqueue(&client).await?;
    /// let queue = client.queue(job.queue())?;
    /// assert_eq!(queue.purge(JobState::Ready).await?, 1);
    /// assert!(queue.purge(JobState::InFlight).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::OwnedByWorkers`] for [`JobState::InFlight`]; [`InspectError::Broker`].
    /// After one whose outcome is unknown the jobs may be gone.
    pub async fn purge(&self, state: JobState) -> Result<u64, InspectError> {
        if state == JobState::InFlight {
            return Err(InspectError::OwnedByWorkers);
        }
        Ok(self.client.broker().purge(&self.name, state).await?)
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

/// A delayed job as it may run from `now` on. What cannot be read stays as it is: a newer worker
/// may know it.
fn due_at(delayed: &Bytes, now: At) -> Bytes {
    let envelope = Envelope::decode(delayed.clone()).ok();
    let rewritten = envelope.and_then(|envelope| {
        let options = envelope.options().ok()?;
        let due = options.due.map_or(now, |due| due.min(now));
        let options = Options {
            due: Some(due),
            ..options
        };
        Some(envelope.rewrite(envelope.failures(), envelope.crashes(), &options))
    });
    rewritten.unwrap_or_else(|| delayed.clone())
}
