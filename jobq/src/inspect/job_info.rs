//! A job as people see it while it stands in a queue.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use super::DeadJob;
use crate::broker::Element;
use crate::envelope::Envelope;
use crate::error::EnvelopeError;
use crate::id::{JobId, WorkerId};
use crate::job::Job;
use crate::timestamp::At;

/// A job as it stands in a queue.
///
/// What lies there need be no envelope: anyone may have put it there. Then all but
/// [`JobInfo::bytes`], [`JobInfo::due`] and [`JobInfo::worker`] answer `None`.
#[derive(Clone)]
pub struct JobInfo {
    bytes: Bytes,
    due: Option<At>,
    worker: Option<WorkerId>,
    envelope: Result<Envelope, EnvelopeError>,
    last_error: Option<String>,
}

impl JobInfo {
    pub(super) fn new(element: Element) -> Self {
        let envelope = Envelope::decode(element.bytes.clone());
        let options = envelope.as_ref().ok().and_then(|e| e.options().ok());
        let latest = options.and_then(|mut options| options.history.pop());
        Self {
            bytes: element.bytes,
            due: element.due,
            worker: element.worker,
            envelope,
            last_error: latest.map(|failure| failure.error),
        }
    }

    /// The job's id.
    #[must_use]
    pub fn id(&self) -> Option<JobId> {
        self.envelope().ok().map(Envelope::id)
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.envelope().ok().map(Envelope::name)
    }

    /// When it was enqueued, by the producer's clock.
    #[must_use]
    pub fn enqueued_at(&self) -> Option<Timestamp> {
        let envelope = self.envelope().ok()?;
        Some(envelope.enqueued_at().timestamp())
    }

    /// How often it failed: its next, or its running, attempt is one more.
    #[must_use]
    pub fn failures(&self) -> Option<u32> {
        self.envelope().ok().map(Envelope::failures)
    }

    /// What went wrong the last time, if it ever failed.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// When it is due, if it is delayed.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.due.map(At::timestamp)
    }

    pub(super) fn due_at(&self) -> Option<At> {
        self.due
    }

    /// The worker that holds it, if it is in flight.
    #[must_use]
    pub fn worker(&self) -> Option<&WorkerId> {
        self.worker.as_ref()
    }

    /// The arguments as the job they were written from. Whether the name is the job's is for the
    /// caller to check.
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

    /// The bytes of the job as they are stored.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// Without its payload, which may be long, and secret.
impl fmt::Debug for JobInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobInfo")
            .field("due", &self.due)
            .field("worker", &self.worker)
            .field("last_error", &self.last_error)
            .field("envelope", &self.envelope)
            .finish_non_exhaustive()
    }
}

impl From<DeadJob> for JobInfo {
    fn from(job: DeadJob) -> Self {
        let (record, envelope) = job.into_parts();
        Self {
            bytes: record.envelope,
            due: None,
            worker: None,
            envelope,
            last_error: Some(record.error),
        }
    }
}
