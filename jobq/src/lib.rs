//! Background jobs on Redis: write an async function, put `#[job]` on it, enqueue it from
//! anywhere, and have a pool of workers run it: now, later, or again after a failure.
//!
//! ```
//! use std::time::Duration;
//!
//! use jobq::job;
//!
//! #[job(retries = 3, backoff = "exponential")]
//! async fn send_welcome(user_id: u64, email: String) -> Result<(), std::io::Error> {
//!     println!("welcome, {email} ({user_id})");
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A queue inside this process; "redis://127.0.0.1:6379" is one that others share.
//! let client = jobq::connect("memory://").await?;
//!
//! let handle = send_welcome::enqueue(&client, 7, "a@b.c").await?;
//! println!("job {} is on queue {}", handle.id(), handle.queue());
//!
//! send_welcome::new(8, "b@c.d")
//!     .delay(Duration::from_secs(60))
//!     .enqueue(&client)
//!     .await?;
//!
//! let stats = client.queue("default")?.stats().await?;
//! assert_eq!((stats.ready, stats.delayed), (1, 1));
//!
//! // A function keeps being a function.
//! send_welcome(9, "c@d.e".to_owned()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! This crate is what applications depend on to define jobs, enqueue them and look at queues. What
//! runs them is the crate `jobq-worker`: a pool inside an application, or a process of its own.
//!
//! # What it promises
//!
//! A job whose enqueue returned `Ok` is started **at least once**, through killed workers and cut
//! connections, and at most one outcome of a claim is accepted. It may be started twice: a handler
//! that must not repeat its effect uses [`Context::id`], which is the same in every run.
//!
//! All this is as durable as Redis is set to be: by default it has no append-only file (AOF), and when it
//! is killed what came after its last snapshot is lost; an orderly restart takes one. With `appendonly yes` jobs outlast a restart of
//! Redis too, but for the last two seconds at most; with `appendfsync always`, all of them.
//!
//! # Where to look
//!
//! | to … | see |
//! | --- | --- |
//! | define a job | [`macro@job`], [`derive@Job`] with [`Perform`] |
//! | enqueue it | [`connect`], [`Client`], the methods of the trait [`trait@Job`] |
//! | enqueue a job of which only the name is known | [`NamedJob`] |
//! | say when it is to run | [`Job::delay`]; [`Job::at`] with a [`Timestamp`] or a `SystemTime` |
//! | use what the worker gives a handler | [`Context`], [`State`] |
//! | say how to go on after a failure | [`Backoff`], [`Jitter`], [`JobError`] |
//! | look at queues, dead jobs and workers | [`Queue`], [`Dead`], [`Client::workers`] |
//! | know every error | [`EnqueueError`], [`ConnectError`], [`InspectError`] |
//! | know what an engine has to keep | [`broker::Broker`] |
//! | write another worker | [`runtime`] |
//!
//! How to change a job while old ones are queued, to test it, to deploy it, to enqueue it from
//! another language: a page for each question stands in `docs/guide` of the repository.
//!
//! # Features
//!
//! None is on by default. `tls` connects to Redis through TLS: `rediss://`, with the certificate
//! authorities of the system or those of [`ClientBuilder::ca_file`].

// What users write.
mod context;
mod job;
mod verdict;

// What applications call.
mod client;
mod inspect;

// The rules, as pure functions.
mod outcome;
mod retry;

// What travels, and where it lies.
pub mod broker;
mod envelope;

// The words they all use.
mod error;
mod id;
mod timestamp;

// What stands below applications.
#[doc(hidden)]
pub mod private;
pub mod runtime;

pub use broker::{JobState, Tally, Totals};
pub use client::{Client, ClientBuilder, JobHandle, connect};
pub use context::{Context, State};
pub use envelope::{DeadRecord, Envelope, Failure, Options, Reason};
pub use error::{
    BoxError, BrokerError, BrokerErrorKind, ConnectError, EnqueueError, EnvelopeError,
    InspectError, InvalidJobId, InvalidQueueName, MissingState,
};
pub use id::{JobId, QueueName, Token, WorkerId};
pub use inspect::{
    Dead, DeadJob, DeadWalk, JobInfo, Queue, QueueStats, RunningJob, ServedQueue, Transfer,
    WorkerInfo, WorkerState,
};
pub use jiff::Timestamp;
pub use job::{IntoJob, Job, JobBuilder, JobDefaults, JobResult, NamedJob, Perform, StateType};
pub use jobq_macros::{Job, job};
pub use retry::{Backoff, Jitter, Strategy};
pub use timestamp::At;
pub use verdict::{Decision, JobError};
