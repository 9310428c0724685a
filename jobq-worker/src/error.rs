//! Every public error of the crate.
//!
//! | when | error |
//! | --- | --- |
//! | building a worker | [`BuildError`] |
//! | running one | [`RunError`] |

use std::time::Duration;

use jobq::InvalidQueueName;

/// [`crate::WorkerBuilder::build`] refused: what is wrong would otherwise show when a job runs.
#[derive(Debug, thiserror::Error)]
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
        "job \"{job}\" ({place}) needs State<{type_name}>, which this worker was not given; add .state(…)"
    )]
    MissingState {
        /// The job.
        job: &'static str,
        /// Where it is defined.
        place: String,
        /// The type it needs.
        type_name: &'static str,
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

/// A worker could not start, or could not end as it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// [`crate::RunUntilIdle::max_wait`] passed first.
    #[error("not idle after {}s: {left} jobs are left", waited.as_secs_f64())]
    NotIdle {
        /// How long it waited.
        waited: Duration,
        /// Jobs ready, delayed or in flight.
        left: u64,
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
