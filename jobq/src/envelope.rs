//! The wire format: envelopes and dead records as msgpack, version 1
//! (`docs/reference/wire-format.md`). Only this file and its children know msgpack.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use crate::error::{BoxError, EnvelopeError};
use crate::id::JobId;
use crate::job::{Job, JobDefaults};
use crate::retry::Backoff;
use crate::timestamp::At;

/// What a job's call or its history adds to the job's own defaults. Unset fields are not written;
/// keys of the map that this build does not know are kept when an envelope is rewritten.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Runs allowed after a failed first one.
    pub retries: Option<u32>,
    /// The delay policy.
    pub backoff: Option<Backoff>,
    /// The longest one run may take; `Some(None)` is no limit.
    pub timeout: Option<Option<Duration>>,
    /// When it was last due, for jobs that were ever delayed.
    pub due: Option<At>,
    /// How often a worker met the job without knowing its name.
    pub unknown: u32,
    /// The latest failures, oldest first; at most [`MAX_HISTORY`].
    pub history: Vec<Failure>,
    /// Entries this build does not know: raw key and value, one after the other.
    pub(crate) rest: Vec<Bytes>,
}

/// Failures kept in an envelope.
pub const MAX_HISTORY: usize = 5;

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: At,
    /// What went wrong, cut to 200 bytes.
    pub error: String,
}

/// A job as it travels: decoded far enough to be run, the bytes kept as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    bytes: Bytes,
    id: JobId,
    name: Range<usize>,
    args: Range<usize>,
    options: Range<usize>,
    enqueued_at: At,
    failures: u32,
    crashes: u32,
}

impl Envelope {
    /// A new envelope: no failures, no crashes.
    #[must_use]
    pub fn encode(id: JobId, name: &str, args: &[u8], enqueued_at: At, options: &Options) -> Bytes {
        unimplemented!()
    }

    /// Reads an envelope, its arguments and options left as bytes.
    ///
    /// Never allocates in proportion to a length it was told, never recurses.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if the bytes are no envelope of version 1.
    pub fn decode(bytes: Bytes) -> Result<Self, EnvelopeError> {
        unimplemented!()
    }

    /// The same job with other counts and options.
    #[must_use]
    pub fn rewrite(&self, failures: u32, crashes: u32, options: &Options) -> Bytes {
        unimplemented!()
    }

    /// The options, read only when asked for: a job that has none costs nothing.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if a known key has a value that does not fit.
    pub fn options(&self) -> Result<Options, EnvelopeError> {
        unimplemented!()
    }

    /// Whether there are any options.
    #[must_use]
    pub fn has_options(&self) -> bool {
        unimplemented!()
    }

    /// The job's id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> &str {
        unimplemented!()
    }

    /// The arguments, as a msgpack map.
    #[must_use]
    pub fn args(&self) -> &[u8] {
        &self.bytes[self.args.clone()]
    }

    /// When it was enqueued, by the producer's clock.
    #[must_use]
    pub fn enqueued_at(&self) -> At {
        self.enqueued_at
    }

    /// How often it failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How many workers died with it since its last clean end.
    #[must_use]
    pub fn crashes(&self) -> u32 {
        self.crashes
    }

    /// The bytes it was read from.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// Why a job was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its retries are used up.
    Exhausted,
    /// Its error said that trying again cannot help.
    Fatal,
    /// Three workers died with it.
    Crashed,
    /// It was not run in time.
    Expired,
    /// Its bytes are no envelope, or its arguments do not fit the job.
    Undecodable,
    /// No worker knew its name for 24 hours.
    UnknownJob,
}

/// A job in the dead list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadRecord {
    /// The job's id; zeros if the bytes were no envelope.
    pub id: JobId,
    /// When it was given up, by the store's clock.
    pub died_at: At,
    /// Why.
    pub reason: Reason,
    /// The last error.
    pub error: String,
    /// The envelope as it was, or the bytes that were none.
    pub envelope: Bytes,
    /// The failures before, oldest first.
    pub history: Vec<Failure>,
}

impl DeadRecord {
    /// Writes the record. The id is the first element and `died_at` the second, both at fixed
    /// offsets and of fixed width, so that the dead list can be trimmed by age without decoding.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        unimplemented!()
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if the bytes are no dead record.
    pub fn decode(bytes: Bytes) -> Result<Self, EnvelopeError> {
        unimplemented!()
    }
}

/// The arguments of a job as a msgpack map by name.
pub(crate) fn encode_args<J: Job>(job: &J) -> Result<Vec<u8>, BoxError> {
    unimplemented!()
}

/// The arguments of a job, read after a bounded, iterative scan of their structure: serde's own
/// recursion never sees a depth or a length that was not checked.
///
/// # Errors
///
/// [`EnvelopeError`], if the bytes are not well-formed or do not fit.
pub fn decode_args<J: Job>(args: &[u8]) -> Result<J, EnvelopeError> {
    unimplemented!()
}

impl Options {
    /// Unsets what says the same as the job's own defaults.
    pub(crate) fn drop_defaults(&mut self, defaults: &JobDefaults) {
        if self.retries == Some(defaults.retries) {
            self.retries = None;
        }
        if self.backoff == Some(defaults.backoff) {
            self.backoff = None;
        }
        if self.timeout == Some(defaults.timeout) {
            self.timeout = None;
        }
    }
}
