//! Every public error of the crate.
//!
//! | when | error |
//! | --- | --- |
//! | connecting | [`ConnectError`] |
//! | enqueueing | [`EnqueueError`] |
//! | looking in | [`InspectError`] |
//! | any step of a broker | [`BrokerError`], with a [`BrokerErrorKind`] |
//! | reading an envelope or its arguments | [`EnvelopeError`] |
//! | naming a queue, a job | [`InvalidQueueName`], [`InvalidJobId`] |
//! | asking for state that was not given | [`MissingState`] |
//!
//! What a *handler* returns is in [`crate::JobError`].

pub mod text;

use std::error::Error as StdError;
use std::fmt;

pub(crate) use self::text::{cut, escaped, plain, quoted};
use crate::client::JobHandle;
use crate::id::{JobId, QueueName};

/// Any error, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A queue name that is not 1 to 128 characters of `[A-Za-z0-9_.:-]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("queue name {value} is not 1 to 128 characters of [A-Za-z0-9_.:-]")]
pub struct InvalidQueueName {
    value: String,
}

impl InvalidQueueName {
    pub(crate) fn new(value: &str) -> Self {
        Self {
            value: quoted(value),
        }
    }
}

/// A text that is no job id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("job id {value} is not a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct InvalidJobId {
    value: String,
}

impl InvalidJobId {
    pub(crate) fn new(value: &str) -> Self {
        Self {
            value: quoted(value),
        }
    }
}

/// A handler asked for a state that the worker was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state of type `{type_name}` was given to the worker; add .state(…) to its builder")]
pub struct MissingState {
    pub(crate) type_name: &'static str,
}

/// What kind of failure a [`BrokerError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrokerErrorKind {
    /// The server could not be reached, or the connection was lost.
    Unavailable,
    /// No answer within the time allowed.
    Timeout,
    /// The server answered, and refused: out of memory, not permitted, read-only.
    Refused,
    /// The server answered something that cannot be: damaged data, or keys of another type.
    Corrupt,
}

/// A step that a broker could not do. The client library's own error is the source.
#[derive(Debug)]
pub struct BrokerError {
    kind: BrokerErrorKind,
    message: String,
    outcome_unknown: bool,
    source: Option<BoxError>,
}

impl BrokerError {
    /// A new error. `message` is what a person reads: no secret, no full stop.
    pub fn new(kind: BrokerErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            outcome_unknown: false,
            source: None,
        }
    }

    /// The same with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same, for a step that was sent and not answered: it may have happened.
    #[must_use]
    pub fn with_outcome_unknown(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> BrokerErrorKind {
        self.kind
    }

    /// Whether the same step may succeed later without anyone changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            BrokerErrorKind::Unavailable | BrokerErrorKind::Timeout
        )
    }

    /// Whether the step may have happened although it was not answered.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for BrokerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

/// [`crate::connect`] and [`crate::ClientBuilder::connect`] failed.
///
/// ```
/// use jobq::ConnectError;
///
/// async fn connect(url: &str) {
///     match jobq::connect(url).await {
///         Err(error @ ConnectError::Unavailable { .. }) => println!("later, perhaps: {error}"),
///         Err(error) => println!("somebody has to mend this: {error}"),
///         Ok(_) => println!("connected"),
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() { connect("memory://").await }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be used. The message never holds the password.
    #[error(
        "invalid URL: {reason}; expected redis://[user:password@]host[:port][/database][?namespace=name], rediss:// for TLS, or memory://"
    )]
    InvalidUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// A namespace that is not 1 to 64 characters of `[A-Za-z0-9_.:-]`.
    #[error("namespace {value} is not 1 to 64 characters of [A-Za-z0-9_.:-]")]
    InvalidNamespace {
        /// The value, quoted.
        value: String,
    },
    /// A setting out of its range.
    #[error("{field} is {value}; expected {expected}")]
    InvalidSetting {
        /// The name of the setting.
        field: &'static str,
        /// What it was.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Nobody answers at the address, or not in time.
    #[error("no Redis answers at {address}")]
    Unavailable {
        /// Where it was looked for.
        address: String,
        /// What went wrong on the way.
        source: BoxError,
    },
    /// The file of certificate authorities cannot be used.
    #[error("CA file {path} cannot be used: {reason}; expected certificates in PEM")]
    InvalidCaFile {
        /// The path, quoted.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The system has no certificate authorities that TLS could trust, and no CA file was given.
    #[error(
        "no certificate authority of this system can be read; install ca-certificates, or give a \
         ca_file (JOBQ_CA_FILE)"
    )]
    NoAuthorities {
        /// What was in the way, if anything.
        source: Option<BoxError>,
    },
    /// Someone answers, who cannot be trusted or does not speak TLS as jobq does.
    #[error("TLS with {address} failed: {reason}")]
    Tls {
        /// The server.
        address: String,
        /// What is wrong, and what would mend it.
        reason: String,
        /// What the TLS library said.
        source: BoxError,
    },
    /// The server refused the user or the password.
    #[error("{address} refused the credentials of user {user}; check user and password")]
    Unauthorized {
        /// The server.
        address: String,
        /// The user name, quoted (`"default"` if there was none).
        user: String,
        /// What the server said.
        source: BoxError,
    },
    /// The server is older than 7.0.
    #[error("{address} runs Redis {found}; jobq needs 7.0 or newer (script flags)")]
    TooOld {
        /// The server.
        address: String,
        /// Its version.
        found: String,
    },
    /// The server answered, and refused what jobq needs to start.
    #[error("{address} refused to serve: {reason}")]
    Refused {
        /// The server.
        address: String,
        /// What it said.
        reason: String,
        /// The error itself.
        source: BoxError,
    },
}

/// An enqueue failed. Nothing was enqueued by it, but for two of them: after
/// [`EnqueueError::OutcomeUnknown`] it may have been, and [`EnqueueError::Partial`], which only
/// [`crate::Client::enqueue_all`] gives, lists what was.
///
/// ```
/// use jobq::{Client, EnqueueError, Job, JobHandle};
///
/// /// Sends it once more where nobody knows whether it was enqueued: the handler must then bear to
/// /// run twice.
/// async fn insist(client: &Client, job: impl Job + Clone) -> Result<JobHandle, EnqueueError> {
///     match client.enqueue(job.clone()).await {
///         Err(EnqueueError::OutcomeUnknown { id, .. }) => job.id(id).enqueue(client).await,
///         answer => answer,
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// The queue name given at the call is not legal.
    #[error(transparent)]
    InvalidQueueName(#[from] InvalidQueueName),
    /// The arguments cannot be written as msgpack.
    #[error("cannot serialise the arguments of job `{job}`")]
    Unserialisable {
        /// The job's name.
        job: &'static str,
        /// What serde said.
        source: BoxError,
    },
    /// The envelope is over the limit of the client.
    #[error("job `{job}` makes an envelope of {size} bytes; the limit is {limit} (max_payload)")]
    PayloadTooLarge {
        /// The job's name.
        job: &'static str,
        /// Size of the envelope in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// An option of this call is out of its range.
    #[error("job `{job}`: {field} is {value}; expected {expected}")]
    InvalidOption {
        /// The job's name.
        job: &'static str,
        /// The option.
        field: &'static str,
        /// What it was.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The request was sent and not answered: the job may be enqueued. Sending it again with the
    /// same id may queue it twice; both runs carry the id.
    #[error("no answer to the enqueue of job {id} on queue {queue}: it may or may not be enqueued")]
    OutcomeUnknown {
        /// The id the job was sent with. Of several, the first.
        id: JobId,
        /// The queue it was sent to.
        queue: QueueName,
        /// What went wrong.
        source: BrokerError,
    },
    /// Only some jobs of an `enqueue_all` were enqueued before a step failed. Of the others none
    /// was, unless the source is [`EnqueueError::OutcomeUnknown`]: then some of them may be.
    #[error("only {} jobs were enqueued", enqueued.len())]
    Partial {
        /// Those that certainly were.
        enqueued: Vec<JobHandle>,
        /// Why it ended there.
        source: Box<EnqueueError>,
    },
    /// The broker could not take it.
    #[error("could not enqueue")]
    Broker(#[from] BrokerError),
}

/// A question to [`crate::Queue`] or [`crate::Dead`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The queue name is not legal. No question answers it: it is for the `?` behind
    /// [`crate::Client::queue`].
    #[error(transparent)]
    InvalidQueueName(#[from] InvalidQueueName),
    /// [`crate::Queue::purge`] was asked for the jobs in flight.
    #[error(
        "jobs in flight belong to their workers and cannot be purged; pause the queue and wait \
         until they have ended, or cancel them"
    )]
    OwnedByWorkers,
    /// The broker could not answer.
    #[error("could not read or change the queue")]
    Broker(#[from] BrokerError),
}

/// Bytes that are no envelope of a version this build reads, or arguments that do not fit the job.
///
/// Offsets count from the start of the envelope; those of an error in the arguments from the start
/// of the arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The bytes end before the value does, or a length points behind the end.
    #[error("truncated at byte {at}: expected {what}")]
    Truncated {
        /// The offset at which more bytes were needed.
        at: usize,
        /// What was being read.
        what: &'static str,
    },
    /// Something else stands where a field should be.
    #[error("byte {at}: expected {expected}")]
    Unexpected {
        /// The offset.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// Bytes follow the value.
    #[error("{extra} bytes follow the value")]
    TrailingBytes {
        /// How many.
        extra: usize,
    },
    /// Nested deeper than 64 arrays and maps.
    #[error("nested deeper than {limit} at byte {at}")]
    TooDeep {
        /// The offset.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// A version this build does not read.
    #[error("envelope version {found}; this build reads version 1")]
    UnknownVersion {
        /// The version found.
        found: u64,
    },
    /// A value is out of its range.
    #[error("{field} is {value}; expected {expected}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// What it was.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The arguments do not fit the job's parameters.
    #[error("the arguments do not fit job `{job}`: {reason}")]
    Arguments {
        /// The job's name.
        job: &'static str,
        /// What serde said.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_error_says_what_it_is() {
        let error = BrokerError::new(BrokerErrorKind::Timeout, "no answer within 5s")
            .with_source(std::io::Error::other("reset"))
            .with_outcome_unknown();
        assert_eq!(error.to_string(), "no answer within 5s");
        assert_eq!(
            error.source().map(ToString::to_string),
            Some("reset".into())
        );
        assert!(error.is_retryable() && error.is_outcome_unknown());
        let refused = BrokerError::new(BrokerErrorKind::Refused, "full");
        assert!(!refused.is_retryable() && !refused.is_outcome_unknown());
        assert!(BrokerError::new(BrokerErrorKind::Unavailable, "gone").is_retryable());
        assert!(!BrokerError::new(BrokerErrorKind::Corrupt, "odd").is_retryable());
    }
}
