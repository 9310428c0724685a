//! Every public error of the crate.
//!
//! | when | error |
//! | --- | --- |
//! | building a worker | [`BuildError`] |
//! | running one | [`RunError`] |
//!
//! `Debug` of each is what people read, its causes included, as in `jobq`.

use std::fmt;
use std::time::Duration;

use jobq::InvalidQueueName;
use jobq::runtime::text::chain;

/// [`crate::WorkerBuilder::build`] refused: what is wrong would otherwise show when a job runs.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no job to run.
    #[error(
        "no job is registered; jobs of a library crate are linked only if the binary names it: add `use my_jobs as _;`, or call .register::<MyJob>()"
    )]
    NoJobs,
    /// Two jobs of one name.
    #[error(
        "two jobs are named \"{name}\": at {first} and at {second}; give one of them another `name`"
    )]
    DuplicateJob {
        /// The name.
        name: &'static str,
        /// Where the first is defined.
        first: String,
        /// Where the second is defined.
        second: String,
    },
    /// A handler needs a state that was not given.
    #[error(
        "job \"{job}\" ({place}) needs State<{type_name}>, and this worker was given {given}; add .state(…) of that very type"
    )]
    MissingState {
        /// The job.
        job: &'static str,
        /// Where it is defined.
        place: String,
        /// The type it needs.
        type_name: &'static str,
        /// What the worker was given, in words.
        given: String,
    },
    /// A queue name is not legal.
    #[error(transparent)]
    InvalidQueueName(#[from] InvalidQueueName),
    /// A queue stands twice in the list.
    #[error("queues lists \"{queue}\" twice; expected each queue once")]
    DuplicateQueue {
        /// The queue.
        queue: String,
    },
    /// A setting is out of its range.
    #[error("{field} is {value}; expected {expected}")]
    InvalidSetting {
        /// The setting.
        field: &'static str,
        /// What it was.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
}

/// The jobs that are left where a worker did not become idle. All zeros: the broker was not there
/// to say, or the last of them has ended since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Left {
    /// Ready, on queues that are not paused.
    pub ready: u64,
    /// Ready, on paused queues: none of them starts.
    pub paused: u64,
    /// Delayed or waiting for a retry, jobs whose name no worker knows among them.
    pub delayed: u64,
    /// In flight, here or on another worker.
    pub in_flight: u64,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.delayed, "delayed"),
            (self.ready, "ready"),
            (self.paused, "ready on a paused queue"),
            (self.in_flight, "in flight"),
        ];
        let mut parts = parts.iter().filter(|(count, _)| *count > 0).peekable();
        if parts.peek().is_none() {
            return f.write_str("nothing that could be seen any more");
        }
        while let Some((count, what)) = parts.next() {
            let comma = if parts.peek().is_some() { ", " } else { "" };
            write!(f, "{count} {what}{comma}")?;
        }
        Ok(())
    }
}

/// A worker could not start, or could not end as it was asked to.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// [`crate::RunUntilIdle::max_wait`] passed first.
    #[error("not idle after {:.1} s: {left}", waited.as_secs_f64())]
    NotIdle {
        /// How long it waited.
        waited: Duration,
        /// What is left, over all queues of the worker.
        left: Left,
    },
    /// A worker runs on tokio, and nothing of it runs here.
    #[error(
        "no tokio runtime runs here; run the worker below `#[tokio::main]`, or inside of `Runtime::block_on`"
    )]
    NoRuntime,
    /// HTTP could not be served at the address that was given.
    #[error("could not serve HTTP at {address}")]
    Http {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The operating system refused a signal handler or a thread.
    #[error("the operating system refused {what}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What it said.
        source: std::io::Error,
    },
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}
