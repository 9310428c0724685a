//! What the output of the macros may call. Hidden, and no part of the stable interface.

mod parameter;
mod returned;

use std::future::Future;
use std::pin::Pin;

pub use inventory;
pub use jobq_macros::beside;
pub use serde;

pub use parameter::{Argument, ContextParameter, Names, Never, Other, Owned, StateParameter, skip};
pub use returned::Returned;

use crate::context::Context;
use crate::envelope::decode_args;
use crate::error::{BoxError, EnvelopeError};
use crate::job::{Job, JobDefaults, JobResult, Perform, StateType};

/// The future of one run.
pub type RunFuture = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// One run of a blocking handler.
pub type RunBlocking = Box<dyn FnOnce() -> Result<(), BoxError> + Send>;

/// How a worker starts a job: decode the arguments, then run.
#[derive(Debug, Clone, Copy)]
pub enum Handler {
    /// An async function.
    Async(fn(&[u8], Context) -> Result<RunFuture, EnvelopeError>),
    /// A function for the blocking pool.
    Blocking(fn(&[u8], Context) -> Result<RunBlocking, EnvelopeError>),
}

/// A job that a worker can run.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    /// The job's name.
    pub name: &'static str,
    /// Its defaults.
    pub defaults: JobDefaults,
    /// Where it was defined or registered, as `file:line`.
    pub place: Place,
    /// The states it needs.
    pub states: &'static [StateType],
    /// What runs it.
    pub handler: Handler,
}

/// A place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Registration {
    /// A job `J` with its handler.
    #[must_use]
    pub const fn new<J: Job>(place: Place, states: &'static [StateType], handler: Handler) -> Self {
        Self {
            name: J::NAME,
            defaults: J::DEFAULTS,
            place,
            states,
            handler,
        }
    }

    /// A job `J` whose handler is `Perform<W>`.
    #[must_use]
    pub const fn perform<J: Perform<W>, W: 'static>(place: Place) -> Self {
        Self::new::<J>(place, J::STATES, Handler::Async(run_perform::<J, W>))
    }
}

inventory::collect!(Registration);

/// Every `#[job]` linked into this binary.
pub fn registrations() -> impl Iterator<Item = &'static Registration> {
    inventory::iter::<Registration>()
}

/// The arguments of one run of `J`.
///
/// # Errors
///
/// When they do not fit.
pub fn decode<J: Job>(args: &[u8]) -> Result<J, EnvelopeError> {
    decode_args(args)
}

/// One run of an async function.
pub fn run_future<F>(future: F) -> RunFuture
where
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    Box::pin(future)
}

/// One run of a blocking function.
pub fn run_blocking<F>(run: F) -> RunBlocking
where
    F: FnOnce() -> Result<(), BoxError> + Send + 'static,
{
    Box::new(run)
}

fn run_perform<J: Perform<W>, W: 'static>(
    args: &[u8],
    ctx: Context,
) -> Result<RunFuture, EnvelopeError> {
    let job: J = decode_args(args)?;
    Ok(Box::pin(async move {
        JobResult::into_result(job.perform(ctx).await)
    }))
}
