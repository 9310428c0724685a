//! A job as people see it in the dead list.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use crate::envelope::{DeadRecord, Envelope, Failure, Options, Reason};
use crate::error::EnvelopeError;
use crate::id::JobId;
use crate::job::Job;
use crate::timestamp::At;

/// A job that was given up.
#[derive(Clone)]
pub struct DeadJob {
    bytes: Bytes,
    is_record: bool,
    record: DeadRecord,
    envelope: Result<Envelope, EnvelopeError>,
}

impl DeadJob {
    pub(super) fn new(bytes: Bytes) -> Self {
        let decoded = DeadRecord::decode(&bytes);
        let is_record = decoded.is_ok();
        let record = decoded.unwrap_or_else(|error| unreadable(&bytes, &error));
        Self {
            is_record,
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

    /// Whether it is a dead record. What lies in a dead list and is none has no id, no time and no
    /// reason that were ever written.
    #[must_use]
    pub fn is_record(&self) -> bool {
        self.is_record
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
        self.envelope()?.arguments()
    }

    /// The envelope.
    ///
    /// # Errors
    ///
    /// Why the bytes are none.
    pub fn envelope(&self) -> Result<&Envelope, EnvelopeError> {
        self.envelope.as_ref().map_err(Clone::clone)
    }

    /// The bytes of the job: its envelope, or what was none.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.record.envelope
    }

    /// When it was given up, if the record could be read.
    pub(super) fn died(&self) -> Option<At> {
        self.is_record.then_some(self.record.died_at)
    }

    /// The record as it is stored.
    pub(super) fn record_bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn into_parts(self) -> (DeadRecord, Result<Envelope, EnvelopeError>) {
        (self.record, self.envelope)
    }

    /// The job without its past. What cannot be read stays as it is: a newer worker may know it.
    pub(super) fn fresh_envelope(&self, now: At) -> Bytes {
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
