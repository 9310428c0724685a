//! The dead list of a queue: what was given up, to be looked at, run again or removed.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use super::Queue;
use crate::broker::JobState;
use crate::envelope::{DeadRecord, Envelope, Failure, Options, Reason};
use crate::error::{EnvelopeError, InspectError};
use crate::id::JobId;
use crate::job::Job;
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
        let envelope = requeue(&job);
        let name = &self.queue.name;
        // Somebody else may have taken it since it was found; then nothing happens.
        Ok(broker
            .take_dead(name, &job.bytes, envelope.as_ref())
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

/// A job that was given up.
#[derive(Clone)]
pub struct DeadJob {
    bytes: Bytes,
    record: DeadRecord,
    envelope: Result<Envelope, EnvelopeError>,
}

impl DeadJob {
    pub(super) fn new(bytes: Bytes) -> Self {
        let record = DeadRecord::decode(&bytes).unwrap_or_else(|error| unreadable(&bytes, &error));
        Self {
            envelope: Envelope::decode(record.envelope.clone()),
            record,
            bytes,
        }
    }

    /// The job's id; zeros if the bytes were no envelope.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.record.id
    }

    /// The job's name; `None` if the bytes were no envelope.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.envelope().ok().map(Envelope::name)
    }

    /// Why it was given up.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.record.reason
    }

    /// The last error.
    #[must_use]
    pub fn error(&self) -> &str {
        &self.record.error
    }

    /// When it was given up, by the store's clock.
    #[must_use]
    pub fn died_at(&self) -> Timestamp {
        self.record.died_at.timestamp()
    }

    /// Runs that failed, the last one included. Runs that ended with their worker do not count.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.envelope().map_or(0, Envelope::failures)
    }

    /// The latest failures before the last one, oldest first.
    #[must_use]
    pub fn history(&self) -> &[Failure] {
        &self.record.history
    }

    /// The arguments as the job they were written from. Whether the name is the job's is for the
    /// caller to check.
    ///
    /// ```
    /// # async fn look(client: jobq::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// #[derive(jobq::Job)]
    /// struct Charge { order: u64 }
    ///
    /// for job in client.queue("default")?.dead().list(0, 100).await? {
    ///     if job.name() == Some(<Charge as jobq::Job>::NAME) {
    ///         println!("order {}", job.arguments::<Charge>()?.order);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if it is no envelope, or the arguments do not fit `J`.
    pub fn arguments<J: Job>(&self) -> Result<J, EnvelopeError> {
        self.envelope().map_err(Clone::clone)?.arguments()
    }

    /// The envelope.
    ///
    /// # Errors
    ///
    /// Why the bytes are none.
    pub fn envelope(&self) -> Result<&Envelope, &EnvelopeError> {
        self.envelope.as_ref()
    }

    /// The bytes of the job: its envelope, or what was none.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.record.envelope
    }

    pub(super) fn into_parts(self) -> (DeadRecord, Result<Envelope, EnvelopeError>) {
        (self.record, self.envelope)
    }

    /// The job without its past. What cannot be read stays as it is: a newer worker may know it.
    fn fresh_envelope(&self, now: At) -> Bytes {
        let options = self.envelope().ok().and_then(|e| e.options().ok());
        match (&self.envelope, options) {
            (Ok(envelope), Some(options)) => {
                let options = Options {
                    history: Vec::new(),
                    unknown: 0,
                    // A job nobody knows is buried by its age, which begins anew.
                    due: Some(now),
                    ..options
                };
                envelope.rewrite(0, 0, &options)
            }
            _ => self.record.envelope.clone(),
        }
    }
}

/// Without its payload, which may be long, and secret.
impl fmt::Debug for DeadJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadJob")
            .field("id", &self.record.id)
            .field("died_at", &self.record.died_at)
            .field("reason", &self.record.reason)
            .field("error", &self.record.error)
            .field("history", &self.record.history)
            .field("envelope", &self.envelope)
            .finish_non_exhaustive()
    }
}

/// A record that cannot be read is shown, and can be removed, like any other.
fn unreadable(bytes: &Bytes, error: &EnvelopeError) -> DeadRecord {
    DeadRecord {
        id: JobId::from_bytes([0; 16]),
        died_at: At::default(),
        reason: Reason::Undecodable,
        error: format!("not a dead record: {error}"),
        envelope: bytes.clone(),
        history: Vec::new(),
    }
}
