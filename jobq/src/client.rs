//! The handle of an application: enqueueing, and the way to queues.

mod batch;
mod builder;
mod prepare;
mod workers;

use std::fmt;
use std::sync::Arc;

use self::batch::Batch;
pub use self::builder::{ClientBuilder, DEFAULT_URL, InUrl, connect};
use crate::broker::memory::MemoryBroker;
use crate::broker::{Broker, Entry};
use crate::error::{BrokerError, EnqueueError, InspectError, InvalidQueueName};
use crate::id::{JobId, JobIds, QueueName};
use crate::inspect::Queue;
use crate::job::{IntoJob, Job, NamedJob};
use crate::timestamp::At;
use prepare::Preparer;

/// A handle for enqueueing jobs and looking at queues. Cheap to clone; clones share connections.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use jobq::job;
///
/// #[job]
/// async fn resize(picture: u64, width: u32) {}
///
/// let client = jobq::connect("memory://").await?;
/// resize::enqueue(&client, 7, 320).await?;
/// client.enqueue_all((1..=3).map(|picture| resize::new(picture, 320))).await?;
///
/// assert_eq!(client.queue("default")?.stats().await?.ready, 4);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    broker: Arc<dyn Broker>,
    max_payload: usize,
    default_queue: QueueName,
}

/// What was enqueued.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[jobq::job(queue = "reports")]
/// # async fn build_report(month: u32) {}
/// # let client = jobq::connect("memory://").await?;
/// let handle = build_report::enqueue(&client, 7).await?;
/// assert_eq!(handle.queue(), "reports");
/// println!("queued as {}", handle.id());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobHandle {
    id: JobId,
    queue: QueueName,
}

impl JobHandle {
    /// The job's id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The name of the queue it was sent to.
    #[must_use]
    pub fn queue(&self) -> &str {
        self.queue.as_str()
    }
}

impl Client {
    /// Settings for a client; `url` as in [`connect`].
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }

    /// A client on a broker that was made by hand: another engine, or one that a test wraps. Payloads
    /// may be as large as [`ClientBuilder::max_payload`] is unless set.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use jobq::{Client, broker::memory::MemoryBroker};
    ///
    /// let client = Client::with_broker(Arc::new(MemoryBroker::new()));
    /// assert_eq!(client.broker().describe(), "memory://");
    /// ```
    pub fn with_broker(broker: Arc<dyn Broker>) -> Self {
        Self::new(broker, builder::DEFAULT_MAX_PAYLOAD)
    }

    /// What `memory://` gives, without a runtime.
    pub(crate) fn in_memory() -> Self {
        Self::with_broker(Arc::new(MemoryBroker::new()))
    }

    fn new(broker: Arc<dyn Broker>, max_payload: usize) -> Self {
        let default_queue = QueueName::new("default").expect("`default` is a legal name");
        Self(Arc::new(Shared {
            broker,
            max_payload,
            default_queue,
        }))
    }

    /// Enqueues one job.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[jobq::job]
    /// # async fn resize(picture: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// client.enqueue(resize::new(7)).await?;
    /// resize::new(7).enqueue(&client).await?; // the same
    /// resize::enqueue(&client, 7).await?; // and again
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`EnqueueError`]; unless it is `OutcomeUnknown`, the job was not enqueued.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, the job may or may not be enqueued.
    pub async fn enqueue<I: IntoJob>(&self, job: I) -> Result<JobHandle, EnqueueError> {
        let prepared = Preparer::new(self, JobId::new).prepare(job.into_job())?;
        self.send(I::Job::NAME, prepared).await
    }

    /// Enqueues one job of which only the name is known.
    ///
    /// # Errors
    ///
    /// As [`Client::enqueue`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, the job may or may not be enqueued.
    pub async fn enqueue_named(&self, job: NamedJob) -> Result<JobHandle, EnqueueError> {
        let prepared = Preparer::new(self, JobId::new).prepare_named(&job)?;
        self.send(&job.name, prepared).await
    }

    /// Checks a job of which only the name is known, as enqueueing it does before anything is sent:
    /// the names of its queue and of itself, its options, its size. Who passes on what many others
    /// wrote can leave out what is wrong, and enqueue the rest with [`Client::enqueue_all_named`].
    ///
    /// # Errors
    ///
    /// The one that enqueueing it would give; never one of the broker, which is not asked.
    pub fn check_named(&self, job: &NamedJob) -> Result<(), EnqueueError> {
        let mut preparer = Preparer::new(self, JobId::new);
        preparer.prepare_named(job).map(drop)
    }

    async fn send(
        &self,
        name: &str,
        (queue, id, entry): (QueueName, JobId, Entry),
    ) -> Result<JobHandle, EnqueueError> {
        match self.broker().enqueue(&queue, &[entry]).await {
            Ok(()) => {
                tracing::debug!(job.id = %id, job.name = name, job.queue = %queue, "enqueued");
                Ok(JobHandle { id, queue })
            }
            Err(error) => Err(enqueue_error(id, queue, error)),
        }
    }

    /// Enqueues many jobs of one kind, in order, in as few round trips as their number and size
    /// allow: at most 1,000 jobs and 8 MiB in one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[jobq::job]
    /// # async fn resize(picture: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// let pictures = [7, 8, 9];
    /// let handles = client.enqueue_all(pictures.map(resize::new)).await?;
    /// assert_eq!(handles.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Arguments and options of all jobs are checked before anything is sent. If a later step
    /// fails after an earlier one succeeded, [`EnqueueError::Partial`] lists what is enqueued; its
    /// source says whether more of them may be. The client's timeout is that of each round trip: a
    /// server that falls silent amid many ends the call within it.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, any number of the jobs may be enqueued.
    pub async fn enqueue_all<I>(&self, jobs: I) -> Result<Vec<JobHandle>, EnqueueError>
    where
        I: IntoIterator<Item: IntoJob>,
    {
        let mut batch = Batch::default();
        {
            let ids = JobIds::now();
            let mut preparer = Preparer::new(self, || ids.next());
            for job in jobs {
                batch.add(preparer.prepare(job.into_job())?);
            }
        }
        self.send_all(batch).await
    }

    /// Enqueues many jobs of which only the names are known, as [`Client::enqueue_all`] does.
    ///
    /// # Errors
    ///
    /// As [`Client::enqueue_all`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, any number of the jobs may be enqueued.
    pub async fn enqueue_all_named(
        &self,
        jobs: impl IntoIterator<Item = NamedJob>,
    ) -> Result<Vec<JobHandle>, EnqueueError> {
        let mut batch = Batch::default();
        {
            let ids = JobIds::now();
            let mut preparer = Preparer::new(self, || ids.next());
            for job in jobs {
                batch.add(preparer.prepare_named(&job)?);
            }
        }
        self.send_all(batch).await
    }

    /// One queue, to look at.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = jobq::connect("memory://").await?;
    /// let mail = client.queue("mail")?;
    /// mail.pause().await?;
    /// assert!(mail.stats().await?.paused);
    /// assert!(client.queue("no spaces").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidQueueName`].
    pub fn queue(&self, name: impl AsRef<str>) -> Result<Queue, InvalidQueueName> {
        Ok(Queue::new(self.clone(), QueueName::new(name)?))
    }

    /// The names of the queues that are known, sorted: those that clients have enqueued to, and
    /// those that workers serve.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[jobq::job]
    /// # async fn resize(picture: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// resize::new(7).queue("pictures").enqueue(&client).await?;
    /// for name in client.queues().await? {
    ///     println!("{name}: {} ready", client.queue(&name)?.stats().await?.ready);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn queues(&self) -> Result<Vec<QueueName>, InspectError> {
        Ok(self.broker().queues().await?)
    }

    /// The broker: for the worker runtime and for tools.
    #[must_use]
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.0.broker
    }

    /// The time by the broker's clock.
    pub(crate) fn now(&self) -> At {
        self.broker().now()
    }

    pub(crate) fn default_queue(&self) -> &QueueName {
        &self.0.default_queue
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client")
            .field(&self.broker().describe())
            .finish()
    }
}

fn enqueue_error(id: JobId, queue: QueueName, source: BrokerError) -> EnqueueError {
    match source.is_outcome_unknown() {
        true => EnqueueError::OutcomeUnknown { id, queue, source },
        false => EnqueueError::Broker(source),
    }
}

#[cfg(test)]
mod tests;
