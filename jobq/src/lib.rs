//! Background jobs on Redis. (Crate docs follow.)

extern crate self as jobq;

pub mod broker;
mod client;
mod context;
mod envelope;
mod error;
mod id;
mod inspect;
mod job;
pub mod outcome;
#[doc(hidden)]
pub mod private;
mod retry;
mod timestamp;
mod verdict;

pub use broker::JobState;
pub use client::{Client, ClientBuilder, JobHandle, connect};
pub use context::{Cancellation, Context, Run, State, States};
pub use envelope::{DeadRecord, Envelope, Failure, MAX_HISTORY, Options, Reason};
pub use error::{
    BoxError, BrokerError, BrokerErrorKind, ConnectError, EnqueueError, EnvelopeError,
    InspectError, InvalidJobId, InvalidQueueName, MissingState,
};
pub use id::{JobId, QueueName, Token, WorkerId};
pub use inspect::{Dead, DeadJob, JobInfo, Queue, QueueStats};
pub use jiff::Timestamp;
pub use job::{IntoJob, Job, JobBuilder, JobDefaults, JobResult, Perform, StateType};
pub use jobq_macros::{Job, job};
pub use retry::{Backoff, Jitter, Strategy};
pub use timestamp::At;
pub use verdict::{Decision, JobError, judge};
