//! Connecting and enqueueing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::broker::memory::MemoryBroker;
use crate::broker::redis::{RedisBroker, RedisConfig};
use crate::broker::{Broker, Due, Entry, MAX_BATCH, MAX_BATCH_BYTES};
use crate::envelope::{Envelope, Options, encode_args};
use crate::error::{BrokerError, ConnectError, EnqueueError, InspectError, InvalidQueueName};
use crate::id::{JobId, QueueName};
use crate::inspect::Queue;
use crate::job::{IntoJob, Job, JobBuilder, When};
use crate::retry::Backoff;
use crate::timestamp::At;

/// The default of [`ClientBuilder::max_payload`]: 1 MiB.
const DEFAULT_MAX_PAYLOAD: usize = 1 << 20;

/// What a [`ClientBuilder::max_payload`] may be at the most: what one claim carries.
const LARGEST_MAX_PAYLOAD: usize = MAX_BATCH_BYTES;

/// Connects with the defaults: a [`Client::builder`] that sets nothing.
///
/// `redis://[user:password@]host[:port][/database][?namespace=name]`, or `memory://` for a new
/// broker inside this process, shared by the clones of the client.
///
/// # Errors
///
/// [`ConnectError`], within five seconds.
pub async fn connect(url: impl AsRef<str>) -> Result<Client, ConnectError> {
    Client::builder(url.as_ref()).connect().await
}

/// A handle for enqueueing jobs and looking at queues. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    broker: Arc<dyn Broker>,
    max_payload: usize,
    default_queue: QueueName,
}

/// What was enqueued.
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

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct ClientBuilder {
    url: String,
    namespace: Option<String>,
    max_payload: usize,
    timeout: Duration,
}

impl ClientBuilder {
    /// What stands before every key: `jobq` unless set here or in the URL, where this one wins.
    /// 1 to 64 characters of `[A-Za-z0-9_.:-]`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The largest envelope that is enqueued, in bytes: 1 MiB unless set; 1 KiB to 8 MiB.
    #[must_use]
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// How long connecting, and any one call, may take: 5 s unless set; 10 ms to 1 h.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], within the timeout; no message holds the password.
    pub async fn connect(self) -> Result<Client, ConnectError> {
        let range = Duration::from_millis(10)..=Duration::from_secs(3600);
        if !range.contains(&self.timeout) {
            return Err(invalid_setting(
                "timeout",
                format!("{:?}", self.timeout),
                "10 ms to 1 h",
            ));
        }
        if !(1024..=LARGEST_MAX_PAYLOAD).contains(&self.max_payload) {
            return Err(invalid_setting(
                "max_payload",
                format!("{} bytes", self.max_payload),
                "1 KiB to 8 MiB",
            ));
        }
        let broker: Arc<dyn Broker> = match self.url.split_once("://") {
            Some(("memory", "")) => Arc::new(MemoryBroker::new()),
            _ => {
                let config = RedisConfig::parse(&self.url, self.namespace.as_deref())?;
                Arc::new(RedisBroker::connect(config, self.timeout).await?)
            }
        };
        Ok(Client::new(broker, self.max_payload))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL: it may hold a password.
        f.debug_struct("ClientBuilder")
            .field("namespace", &self.namespace)
            .field("max_payload", &self.max_payload)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn invalid_setting(field: &'static str, value: String, expected: &'static str) -> ConnectError {
    ConnectError::InvalidSetting {
        field,
        value,
        expected,
    }
}

impl Client {
    /// Settings for a client; `url` as in [`connect`].
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            namespace: None,
            max_payload: DEFAULT_MAX_PAYLOAD,
            timeout: Duration::from_secs(5),
        }
    }

    /// A client on a new broker inside this process: what `memory://` gives, without a runtime.
    pub(crate) fn in_memory() -> Self {
        Self::new(Arc::new(MemoryBroker::new()), DEFAULT_MAX_PAYLOAD)
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
    /// # Errors
    ///
    /// See [`EnqueueError`]; unless it is `OutcomeUnknown`, nothing was enqueued.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, the job may or may not be enqueued.
    pub async fn enqueue<I: IntoJob>(&self, job: I) -> Result<JobHandle, EnqueueError> {
        let (queue, id, entry) = self.prepare(job.into_job())?;
        match self.broker().enqueue(&queue, &[entry]).await {
            Ok(()) => {
                tracing::debug!(job.id = %id, job.name = I::Job::NAME, job.queue = %queue, "enqueued");
                Ok(JobHandle { id, queue })
            }
            Err(error) => Err(enqueue_error(id, queue, error)),
        }
    }

    /// Enqueues many jobs of one kind, in order, in as few round trips as their number and size
    /// allow: at most 1,000 jobs and 8 MiB in one.
    ///
    /// # Errors
    ///
    /// Arguments and options of all jobs are checked before anything is sent. If a later step
    /// fails after an earlier one succeeded, [`EnqueueError::Partial`] lists what is enqueued.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, any number of the jobs may be enqueued.
    pub async fn enqueue_all<I>(&self, jobs: I) -> Result<Vec<JobHandle>, EnqueueError>
    where
        I: IntoIterator<Item: IntoJob>,
    {
        let mut handles = Vec::new();
        let mut by_queue = BTreeMap::<QueueName, Vec<(JobId, Entry)>>::new();
        for job in jobs {
            let (queue, id, entry) = self.prepare(job.into_job())?;
            handles.push(JobHandle {
                id,
                queue: queue.clone(),
            });
            by_queue.entry(queue).or_default().push((id, entry));
        }
        let mut enqueued = Vec::new();
        for (queue, entries) in by_queue {
            if let Err(source) = self.enqueue_chunks(&queue, entries, &mut enqueued).await {
                return Err(match enqueued.is_empty() {
                    true => source,
                    false => EnqueueError::Partial {
                        enqueued,
                        source: Box::new(source),
                    },
                });
            }
        }
        Ok(handles)
    }

    async fn enqueue_chunks(
        &self,
        queue: &QueueName,
        entries: Vec<(JobId, Entry)>,
        enqueued: &mut Vec<JobHandle>,
    ) -> Result<(), EnqueueError> {
        let (ids, entries): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let mut start = 0;
        while start < entries.len() {
            let end = start + chunk_len(&entries[start..]);
            self.broker()
                .enqueue(queue, &entries[start..end])
                .await
                .map_err(|error| enqueue_error(ids[start], queue.clone(), error))?;
            enqueued.extend(ids[start..end].iter().map(|&id| JobHandle {
                id,
                queue: queue.clone(),
            }));
            start = end;
        }
        Ok(())
    }

    /// One queue, to look at.
    ///
    /// # Errors
    ///
    /// [`InvalidQueueName`].
    pub fn queue(&self, name: &str) -> Result<Queue, InvalidQueueName> {
        Ok(Queue::new(self.clone(), QueueName::new(name)?))
    }

    /// The names of the queues that exist, sorted.
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

    /// Everything that can be wrong with a job is found here, before anything is sent.
    fn prepare<J: Job>(
        &self,
        builder: JobBuilder<J>,
    ) -> Result<(QueueName, JobId, Entry), EnqueueError> {
        let JobBuilder {
            job,
            id,
            when,
            queue,
            mut options,
        } = builder;
        let queue = match queue.as_deref().unwrap_or(J::DEFAULTS.queue) {
            "default" => self.0.default_queue.clone(),
            name => QueueName::new(name)?,
        };
        check_options::<J>(&options)?;
        let now = self.now();
        let due = match when {
            When::Now => Due::Now,
            When::After(delay) => Due::After(delay),
            When::At(at) => Due::At(at),
        };
        options.due = match due {
            Due::Now => None,
            Due::After(delay) => Some(now.after(delay)),
            Due::At(at) => Some(at),
        };
        options.drop_defaults(&J::DEFAULTS);
        let args = encode_args(&job).map_err(|source| EnqueueError::Unserialisable {
            job: J::NAME,
            source,
        })?;
        let id = id.unwrap_or_default();
        let envelope = Envelope::encode(id, J::NAME, &args, now, &options);
        if envelope.len() > self.0.max_payload {
            let (size, limit) = (envelope.len(), self.0.max_payload);
            return Err(EnqueueError::PayloadTooLarge {
                job: J::NAME,
                size,
                limit,
            });
        }
        Ok((queue, id, Entry { envelope, due }))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client")
            .field(&self.broker().describe())
            .finish()
    }
}

/// How many of the first entries fit into one step: at least one.
fn chunk_len(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fits = entries.iter().take(MAX_BATCH as usize).take_while(|entry| {
        bytes += entry.envelope.len();
        bytes <= MAX_BATCH_BYTES
    });
    fits.count().max(1)
}

fn enqueue_error(id: JobId, queue: QueueName, source: BrokerError) -> EnqueueError {
    match source.is_outcome_unknown() {
        true => EnqueueError::OutcomeUnknown { id, queue, source },
        false => EnqueueError::Broker(source),
    }
}

/// What the macros check in attributes, checked for the values of a call.
fn check_options<J: Job>(options: &Options) -> Result<(), EnqueueError> {
    let invalid = |field, value: String, expected| {
        Err(EnqueueError::InvalidOption {
            job: J::NAME,
            field,
            value,
            expected,
        })
    };
    if let Some(Some(Duration::ZERO)) = options.timeout {
        return invalid(
            "timeout",
            "0s".to_owned(),
            "more than zero, or `None` for no limit",
        );
    }
    let Some(Backoff {
        base, max, factor, ..
    }) = options.backoff
    else {
        return Ok(());
    };
    if base > max {
        return invalid("base_delay", format!("{base:?}"), "at most max_delay");
    }
    if !factor.is_finite() || factor <= 0.0 {
        return invalid("factor", factor.to_string(), "a number above 0");
    }
    Ok(())
}
