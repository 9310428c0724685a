//! A job by its name, for who has no type of it.

use std::time::Duration;

use serde::Serialize;

use super::When;
use crate::envelope::{Options, encode_args};
use crate::error::EnqueueError;
use crate::id::JobId;
use crate::retry::Backoff;
use crate::timestamp::At;

/// A call of a job that this program knows only by name: for tools, and for who passes on what
/// others wrote. Nothing checks that the arguments fit the job but the worker that runs it, which
/// buries it as undecodable if they do not; where the job's type is at hand, use that.
///
/// What is not set here is as the job's own defaults say, in the worker; but for the queue, which is
/// `default`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::collections::BTreeMap;
/// use jobq::NamedJob;
///
/// #[jobq::job]
/// async fn resize(picture: u64, width: u64) {}
///
/// let client = jobq::connect("memory://").await?;
/// let arguments = BTreeMap::from([("picture", 7), ("width", 320)]);
/// client.enqueue_named(NamedJob::new("resize", &arguments)?.retries(3)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is enqueued until `client.enqueue_named(job)`"]
pub struct NamedJob {
    pub(crate) name: String,
    pub(crate) args: Vec<u8>,
    pub(crate) id: Option<JobId>,
    pub(crate) when: When,
    pub(crate) queue: String,
    pub(crate) options: Options,
}

impl NamedJob {
    /// A call of the job of this name. The arguments are a map by parameter name, or a struct with
    /// named fields.
    ///
    /// # Errors
    ///
    /// [`EnqueueError::Unserialisable`], if the arguments are something else, or nest too deep.
    pub fn new(name: impl Into<String>, arguments: &impl Serialize) -> Result<Self, EnqueueError> {
        let name = name.into();
        let mut args = Vec::new();
        encode_args(arguments, &mut args).map_err(|source| EnqueueError::Unserialisable {
            job: name.clone(),
            source,
        })?;
        Ok(Self {
            name,
            args,
            id: None,
            when: When::Now,
            queue: "default".to_owned(),
            options: Options::default(),
        })
    }

    /// See [`Job::id`](super::Job::id).
    pub fn id(mut self, id: JobId) -> Self {
        self.id = Some(id);
        self
    }

    /// See [`Job::delay`](super::Job::delay). The last of `delay` and `at` holds.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.when = When::After(delay);
        self
    }

    /// See [`Job::at`](super::Job::at). The last of `delay` and `at` holds.
    pub fn at(mut self, at: impl Into<At>) -> Self {
        self.when = When::At(at.into());
        self
    }

    /// See [`Job::queue`](super::Job::queue).
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = queue.into();
        self
    }

    /// See [`Job::retries`](super::Job::retries).
    pub fn retries(mut self, retries: u32) -> Self {
        self.options.retries = Some(retries);
        self
    }

    /// See [`Job::backoff`](super::Job::backoff).
    pub fn backoff(mut self, backoff: impl Into<Backoff>) -> Self {
        self.options.backoff = Some(backoff.into());
        self
    }

    /// See [`Job::timeout`](super::Job::timeout).
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.timeout = Some(timeout.into());
        self
    }
}

/// Without the arguments, which may be long, and secret.
impl std::fmt::Debug for NamedJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamedJob")
            .field("name", &self.name)
            .field("queue", &self.queue)
            .field("args_len", &self.args.len())
            .finish_non_exhaustive()
    }
}
