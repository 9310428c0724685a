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
//!
//! `Debug` of each is what people read, its causes included: it is what a `main` that returns a
//! `Result` prints, and what `unwrap` panics with.

mod broker;
mod connect;
pub mod text;

use std::error::Error as StdError;
use std::fmt;

pub use self::broker::{BrokerError, BrokerErrorKind};
pub use self::connect::ConnectError;
pub(crate) use self::text::{cut, escaped, plain, quoted};
use crate::client::JobHandle;
use crate::id::{JobId, QueueName};

macro_rules! debug_as_chain {
    ($($error:ident)*) => {
        $(impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&text::chain(self))
            }
        })*
    };
}
debug_as_chain! {
    BrokerError ConnectError EnqueueError EnvelopeError InspectError InvalidJobId InvalidQueueName
    MissingState
}

/// Any error, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A queue name that is not 1 to 128 characters of `[A-Za-z0-9_.:-]`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
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
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
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
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state of type `{type_name}` was given to the worker; add .state(…) to its builder")]
pub struct MissingState {
    pub(crate) type_name: &'static str,
}

/// An enqueue failed. Nothing was enqueued by it, but for two of them: after
/// [`EnqueueError::OutcomeUnknown`] it may have been, and [`EnqueueError::Partial`], which only
/// [`crate::Client::enqueue_all`] and [`crate::Client::enqueue_all_named`] give, lists what was.
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
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// The queue name given at the call is not legal.
    #[error(transparent)]
    InvalidQueueName(#[from] InvalidQueueName),
    /// The arguments cannot be written as msgpack.
    #[error("cannot serialise the arguments of job `{job}`")]
    Unserialisable {
        /// The job's name.
        job: String,
        /// What serde said.
        source: BoxError,
    },
    /// The envelope is over the limit of the client.
    #[error(
        "job `{job}` makes an envelope of {size} bytes; the limit is {limit} (max_payload); store large data elsewhere and enqueue its key"
    )]
    PayloadTooLarge {
        /// The job's name.
        job: String,
        /// Size of the envelope in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// An option of this call is out of its range.
    #[error("job `{job}`: {field} is {value}; expected {expected}")]
    InvalidOption {
        /// The job's name.
        job: String,
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
    #[error("not all of the jobs were enqueued, only {}", enqueued.len())]
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
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The queue name is not legal. No question answers it: it is for the `?` behind
    /// [`crate::Client::queue`].
    #[error(transparent)]
    InvalidQueueName(#[from] InvalidQueueName),
    /// [`crate::Queue::purge`] was asked for the jobs in flight.
    #[error(
        "jobs in flight belong to their workers and cannot be purged; pause the queue and wait \
         until they have ended; cancel keeps one from being retried"
    )]
    OwnedByWorkers,
    /// [`crate::Queue::transfer`] was given a dead job, which [`crate::Dead::transfer`] moves.
    #[error("a dead job is moved with `dead().transfer(…)`")]
    Dead,
    /// A job was enqueued on another queue, and could not be removed where it was.
    #[error("the job is on the other queue now, and may still be where it was")]
    HalfMoved {
        /// Why it could not be removed.
        source: BrokerError,
    },
    /// The broker could not answer.
    #[error("could not read or change the queue")]
    Broker(#[from] BrokerError),
}

/// Bytes that are no envelope of a version this build reads, or arguments that do not fit the job.
///
/// Offsets count from the start of the envelope; those of an error in the arguments from the start
/// of the arguments.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
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
    #[error("bytes behind the value: {extra}; expected none")]
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
    fn debug_is_what_people_read_with_the_causes() {
        let source = BrokerError::new(BrokerErrorKind::Unavailable, "no Redis answers")
            .with_source(std::io::Error::other("connection refused"));
        let error = EnqueueError::Broker(source);
        let boxed: BoxError = error.into();
        assert_eq!(
            format!("{boxed:?}"),
            "could not enqueue: no Redis answers: connection refused"
        );
        let error = QueueName::new("a b").expect_err("it has a space");
        assert_eq!(format!("{error:?}"), error.to_string());
    }
}
