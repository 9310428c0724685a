//! One call of a job: the job with the options of this call.

use std::future::Future;
use std::ops::Deref;
use std::time::Duration;

use super::Job;
use crate::client::{Client, JobHandle};
use crate::envelope::Options;
use crate::error::EnqueueError;
use crate::id::JobId;
use crate::retry::Backoff;
use crate::timestamp::At;

/// When a job may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum When {
    #[default]
    Now,
    After(Duration),
    At(At),
}

/// A job with the options of this one call. Made by the methods of a job value.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use jobq::job;
///
/// #[job]
/// async fn remind(user_id: u64) {}
///
/// # let client = jobq::connect("memory://").await?;
/// let reminder = remind::new(7).delay(Duration::from_secs(3600)).queue("low");
/// assert_eq!(reminder.user_id, 7);
/// reminder.enqueue(&client).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is enqueued until `.enqueue(&client)`"]
pub struct JobBuilder<J> {
    pub(crate) job: J,
    pub(crate) id: Option<JobId>,
    pub(crate) when: When,
    pub(crate) queue: Option<String>,
    pub(crate) options: Options,
}

impl<J: Job> JobBuilder<J> {
    pub(crate) fn new(job: J) -> Self {
        Self {
            job,
            id: None,
            when: When::Now,
            queue: None,
            options: Options::default(),
        }
    }

    /// See [`Job::id`].
    pub fn id(mut self, id: JobId) -> Self {
        self.id = Some(id);
        self
    }

    /// See [`Job::delay`]. The last of `delay` and `at` holds.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.when = When::After(delay);
        self
    }

    /// See [`Job::at`]. The last of `delay` and `at` holds.
    pub fn at(mut self, at: impl Into<At>) -> Self {
        self.when = When::At(at.into());
        self
    }

    /// See [`Job::queue`].
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// See [`Job::retries`].
    pub fn retries(mut self, retries: u32) -> Self {
        self.options.retries = Some(retries);
        self
    }

    /// See [`Job::backoff`].
    pub fn backoff(mut self, backoff: impl Into<Backoff>) -> Self {
        self.options.backoff = Some(backoff.into());
        self
    }

    /// See [`Job::timeout`].
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.timeout = Some(timeout.into());
        self
    }

    /// See [`Job::enqueue`].
    ///
    /// # Errors
    ///
    /// See [`EnqueueError`]; unless it is `OutcomeUnknown`, the job was not enqueued.
    pub fn enqueue(
        self,
        client: &Client,
    ) -> impl Future<Output = Result<JobHandle, EnqueueError>> + Send + use<J> {
        let client = client.clone();
        async move { client.enqueue(self).await }
    }
}

/// The job, to look at its arguments.
impl<J> Deref for JobBuilder<J> {
    type Target = J;

    fn deref(&self) -> &J {
        &self.job
    }
}

/// A job, with options or without: what [`Client::enqueue`] and [`Client::enqueue_all`] take.
///
/// ```
/// use jobq::{Client, EnqueueError, IntoJob};
///
/// async fn enqueue_twice(client: &Client, job: impl IntoJob + Clone) -> Result<(), EnqueueError> {
///     client.enqueue(job.clone()).await?;
///     client.enqueue(job).await?;
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job that can be enqueued",
    label = "expected a job",
    note = "`send(3)` calls a `#[job]` function in place: what is enqueued is `send::new(3)`",
    note = "of a struct with `#[derive(jobq::Job)]` it is the value itself, by value"
)]
pub trait IntoJob {
    /// The job itself.
    type Job: Job;

    /// The job with the options of this call.
    fn into_job(self) -> JobBuilder<Self::Job>;
}

impl<J: Job> IntoJob for J {
    type Job = J;

    fn into_job(self) -> JobBuilder<J> {
        JobBuilder::new(self)
    }
}

impl<J: Job> IntoJob for JobBuilder<J> {
    type Job = J;

    fn into_job(self) -> Self {
        self
    }
}
