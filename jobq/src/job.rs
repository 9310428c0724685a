//! What a job is: a name, defaults, serialisable arguments, a handler.
//!
//! `#[job]` and `#[derive(Job)]` implement [`Job`]; handlers of derived jobs implement
//! [`Perform`]. Nothing here knows a broker.

mod builder;
mod named;

use std::any::TypeId;
use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::builder::When;
pub use self::builder::{IntoJob, JobBuilder};
pub use self::named::NamedJob;
use crate::client::{Client, JobHandle};
use crate::context::Context;
use crate::error::{BoxError, EnqueueError};
use crate::id::JobId;
use crate::retry::Backoff;
use crate::timestamp::At;

/// A unit of work: its arguments as fields, its name, its defaults. Made by `#[job]` on a function
/// or `#[derive(Job)]` on a struct.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use jobq::{Backoff, Job, JobId};
///
/// #[derive(Job)]
/// struct Charge { order: u64 }
///
/// # let client = jobq::connect("memory://").await?;
/// Charge { order: 17 }.enqueue(&client).await?;
/// Charge { order: 18 }
///     .id(JobId::new())
///     .queue("vip")
///     .delay(Duration::from_secs(60))
///     .retries(3)
///     .backoff(Backoff::fixed(Duration::from_secs(10)))
///     .timeout(Duration::from_secs(5))
///     .enqueue(&client)
///     .await?;
/// assert_eq!(Charge::NAME, "charge");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    label = "expected a job",
    note = "put `#[jobq::job]` on a function, or `#[derive(jobq::Job)]` on a struct of owned, serialisable fields",
    note = "`send(3)` calls a `#[job]` function in place: what is enqueued is `send::new(3)`"
)]
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// The name on the wire, by which a worker finds the handler. Renaming the Rust item must not
    /// change it while jobs are queued: set `name = "…"`.
    const NAME: &'static str;

    /// What holds when a call says nothing else.
    const DEFAULTS: JobDefaults;

    /// Sets the id, so that the handler can recognise a job that was sent twice. While the queue
    /// keeps it as cancelled ([`Queue::cancel`](crate::Queue::cancel)), the job is dropped there.
    fn id(self, id: JobId) -> JobBuilder<Self> {
        JobBuilder::new(self).id(id)
    }

    /// Runs it no earlier than this long from now.
    fn delay(self, delay: Duration) -> JobBuilder<Self> {
        JobBuilder::new(self).delay(delay)
    }

    /// Runs it no earlier than at this time: a [`jiff::Timestamp`] or a [`std::time::SystemTime`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq::Job;
    /// # #[derive(Job)]
    /// # struct Charge { order: u64 }
    /// # let client = jobq::connect("memory://").await?;
    /// let new_year: jobq::Timestamp = "2030-01-01T00:00:00Z".parse()?;
    /// Charge { order: 17 }.at(new_year).enqueue(&client).await?;
    ///
    /// assert_eq!(client.queue("default")?.stats().await?.next_due, Some(new_year));
    /// # Ok(())
    /// # }
    /// ```
    fn at(self, at: impl Into<At>) -> JobBuilder<Self> {
        JobBuilder::new(self).at(at)
    }

    /// Sends it to another queue than the job's own. The name is checked at enqueue.
    fn queue(self, queue: impl Into<String>) -> JobBuilder<Self> {
        JobBuilder::new(self).queue(queue)
    }

    /// How many runs may follow a failed first one.
    fn retries(self, retries: u32) -> JobBuilder<Self> {
        JobBuilder::new(self).retries(retries)
    }

    /// The delay policy between runs: a [`Backoff`] or a [`crate::Strategy`] with its defaults.
    fn backoff(self, backoff: impl Into<Backoff>) -> JobBuilder<Self> {
        JobBuilder::new(self).backoff(backoff)
    }

    /// The longest one run may take; `None` is no limit.
    fn timeout(self, timeout: impl Into<Option<Duration>>) -> JobBuilder<Self> {
        JobBuilder::new(self).timeout(timeout)
    }

    /// Enqueues it with the job's defaults.
    ///
    /// # Errors
    ///
    /// See [`EnqueueError`]; unless it is `OutcomeUnknown`, the job was not enqueued.
    fn enqueue(
        self,
        client: &Client,
    ) -> impl Future<Output = Result<JobHandle, EnqueueError>> + Send {
        JobBuilder::new(self).enqueue(client)
    }
}

/// What holds for a job unless a call says otherwise.
///
/// ```
/// use jobq::{Job, job};
///
/// #[job(queue = "mail", retries = 3)]
/// async fn send(email: String) {}
///
/// assert_eq!((send::DEFAULTS.queue, send::DEFAULTS.retries), ("mail", 3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct JobDefaults {
    /// The queue it goes to: `"default"`.
    pub queue: &'static str,
    /// Runs after a failed first one: 20.
    pub retries: u32,
    /// The delay policy: exponential from 1 s by 2 up to 5 min, jitter 0.2.
    pub backoff: Backoff,
    /// The longest one run may take: 30 min. `None` is no limit.
    pub timeout: Option<Duration>,
}

impl JobDefaults {
    /// The defaults of a job that sets nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            queue: "default",
            retries: 20,
            backoff: Backoff::DEFAULT,
            timeout: Some(Duration::from_secs(30 * 60)),
        }
    }

    /// Another queue. The name must be legal: the macros check it when they expand.
    #[must_use]
    pub const fn queue(mut self, queue: &'static str) -> Self {
        self.queue = queue;
        self
    }

    /// Another number of retries.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Another delay policy.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Another timeout.
    #[must_use]
    pub const fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Default for JobDefaults {
    fn default() -> Self {
        Self::new()
    }
}

/// What a handler may return: nothing, or a `Result` whose error converts into a boxed one.
#[diagnostic::on_unimplemented(
    message = "a job cannot return `{Self}`",
    label = "expected `()` or a `Result<T, E>`",
    note = "return nothing, or `Result<T, E>` where `E` converts into `Box<dyn Error + Send + Sync>`: std errors, `anyhow::Error`, `eyre::Report`, `String`, `jobq::JobError`"
)]
pub trait JobResult {
    /// The result, its value dropped and its error boxed.
    ///
    /// # Errors
    ///
    /// The handler's own error.
    fn into_result(self) -> Result<(), BoxError>;
}

impl JobResult for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<T, E: Into<BoxError>> JobResult for Result<T, E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map(drop).map_err(Into::into)
    }
}

/// The handler of a job made with `#[derive(Job)]`.
///
/// `W` lets a crate implement it for a job of another crate: name a type of your own there
/// (`impl Perform<Billing> for Charge`) and register it with `register_as::<Charge, Billing>()`.
/// In the job's own crate leave it out and use `register::<Charge>()`.
///
/// ```
/// use jobq::{Context, Job, Perform};
///
/// #[derive(Job)]
/// struct Charge { order: u64 }
///
/// impl Perform for Charge {
///     type Output = Result<(), std::io::Error>;
///
///     async fn perform(self, _ctx: Context) -> Self::Output { Ok(()) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no handler",
    label = "`Perform` is not implemented",
    note = "write `impl jobq::Perform for {Self} {{ type Output = Result<(), MyError>; async fn perform(self, ctx: jobq::Context) -> Self::Output {{ … }} }}`",
    note = "for a job of another crate: `impl jobq::Perform<Mine> for {Self}`, `Mine` a type of your own, and `register_as::<{Self}, Mine>()`"
)]
pub trait Perform<W = ()>: Job {
    /// What it returns: `()`, or a `Result` as a `#[job]` function may return it.
    type Output: JobResult;

    /// What [`Context::state`] will be asked for: checked when the worker is built.
    const STATES: &'static [StateType] = &[];

    /// Does the work of one run. State comes from [`Context::state`].
    fn perform(self, ctx: Context) -> impl Future<Output = Self::Output> + Send;
}

/// The type of a state that a handler needs.
///
/// ```
/// use jobq::{Context, Job, Perform, StateType};
///
/// struct Till { currency: &'static str }
///
/// #[derive(Job)]
/// struct Charge { cents: u64 }
///
/// impl Perform for Charge {
///     type Output = Result<(), jobq::BoxError>;
///
///     const STATES: &'static [StateType] = &[StateType::of::<Till>()];
///
///     async fn perform(self, ctx: Context) -> Self::Output {
///         println!("{} {}", self.cents, ctx.state::<Till>()?.currency);
///         Ok(())
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct StateType {
    id: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl StateType {
    /// The type `T`.
    #[must_use]
    pub const fn of<T: Send + Sync + 'static>() -> Self {
        Self {
            id: TypeId::of::<T>,
            name: std::any::type_name::<T>,
        }
    }

    /// The id of the type.
    #[must_use]
    pub fn id(&self) -> TypeId {
        (self.id)()
    }

    /// The name of the type, for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        (self.name)()
    }
}
