//! What a handler is given besides its arguments: the running job and the worker's state.

mod cancellation;
mod lease;
mod state;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::select;
use jiff::Timestamp;
use tokio::time::Instant;

pub use self::cancellation::Cancellation;
use self::cancellation::CancellationFlag;
pub use self::lease::Lease;
pub use self::state::{State, States};
use crate::client::Client;
use crate::error::MissingState;
use crate::id::{JobId, QueueName};
use crate::timestamp::At;

/// The running job. Cheap to clone; a clone may outlive the run.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), jobq::BoxError> {
/// use jobq::{Context, job};
///
/// #[job]
/// async fn import(ctx: Context, rows: u64) -> Result<(), jobq::BoxError> {
///     for row in 0..rows {
///         if ctx.is_cancelled() {
///             return Err("to be continued".into()); // runs again; `Ok` would count as done
///         }
///         println!("{}, attempt {}: row {row}", ctx.id(), ctx.attempt());
///     }
///     publish::enqueue(ctx.client(), rows).await?;
///     Ok(())
/// }
///
/// #[job]
/// async fn publish(rows: u64) {}
///
/// import(Context::for_test(), 3).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Context(Arc<Run>);

struct Run {
    parts: ContextParts,
    /// Set when the time of this run is over.
    cancellation: CancellationFlag,
}

/// What a [`Context`] is made of.
#[derive(Debug)]
pub struct ContextParts {
    /// The job's id.
    pub id: JobId,
    /// The job's name.
    pub name: &'static str,
    /// 1 on the first run.
    pub attempt: u32,
    /// When it was enqueued.
    pub enqueued_at: At,
    /// What it shares with others.
    pub surroundings: Arc<Surroundings>,
}

/// What all runs have in common that are claimed under one id of a worker on a queue.
#[derive(Debug)]
pub struct Surroundings {
    /// The queue they are taken from.
    pub queue: QueueName,
    /// For enqueueing further jobs.
    pub client: Client,
    /// What the worker was given.
    pub states: States,
    /// Set when all of them should end early.
    pub cancellation: Cancellation,
    /// The worker's, on that queue.
    pub lease: Lease,
}

impl Context {
    /// A context for one run; made by the worker.
    #[must_use]
    pub fn new(parts: ContextParts) -> Self {
        Self(Arc::new(Run {
            parts,
            cancellation: CancellationFlag::default(),
        }))
    }

    /// A context for calling a handler in a test: first attempt, a fresh id, queue `default`, a
    /// client on an in-process broker of its own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq::{Context, job};
    /// #[job]
    /// async fn first_time(ctx: Context) -> std::io::Result<bool> {
    ///     Ok(ctx.attempt() == 1)
    /// }
    ///
    /// assert!(first_time(Context::for_test()).await?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn for_test() -> Self {
        let client = Client::in_memory();
        Self::new(ContextParts {
            id: JobId::new(),
            name: "test",
            attempt: 1,
            enqueued_at: client.now(),
            surroundings: Arc::new(Surroundings {
                queue: client.default_queue().clone(),
                client,
                states: States::default(),
                cancellation: Cancellation::default(),
                lease: Lease::default(),
            }),
        })
    }

    /// The job's id: the same in every run of it, and the key to make a handler idempotent.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.0.parts.id
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.parts.name
    }

    /// The name of the queue it was taken from.
    #[must_use]
    pub fn queue(&self) -> &str {
        self.surroundings().queue.as_str()
    }

    /// Which run this is: 1 is the first, 2 the first retry. Snoozes and crashes do not count.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.parts.attempt
    }

    /// When the job was enqueued, by the producer's clock.
    #[must_use]
    pub fn enqueued_at(&self) -> Timestamp {
        self.0.parts.enqueued_at.timestamp()
    }

    /// Whether the run should end: its timeout passed, its lease was lost, or the worker stops and
    /// the shutdown timeout is nearly over. A run that fails after one of the last two uses no
    /// attempt.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancellation.is_cancelled() || self.surroundings().cancellation.is_cancelled()
    }

    /// Waits until the run should end.
    ///
    /// ```
    /// # use jobq::Context;
    /// async fn listen(ctx: Context, messages: impl Future<Output = ()>) {
    ///     tokio::select! {
    ///         () = messages => println!("heard everything"),
    ///         () = ctx.cancelled() => println!("asked to end"),
    ///     }
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() { listen(Context::for_test(), async {}).await }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again at any time.
    pub async fn cancelled(&self) {
        let alone = pin!(self.0.cancellation.cancelled());
        let with_others = pin!(self.surroundings().cancellation.cancelled());
        select(alone, with_others).await;
    }

    /// Asks this run to end, and no other.
    pub(crate) fn cancel(&self) {
        self.0.cancellation.cancel();
    }

    fn surroundings(&self) -> &Surroundings {
        &self.0.parts.surroundings
    }

    /// Whether another worker may have been given this job by now. `true` from when the worker has
    /// had no answer to the renewals of its lease for so long that others may take it for dead,
    /// until one is answered again; and for good once the job was taken over.
    ///
    /// It asks nobody and costs next to nothing: ask before each step that must not be done by two at a
    /// time. It is a warning, not a lock: `false` means that no other worker could have begun when
    /// it was asked, by the clock of this one. What guards an effect itself is [`Context::id`].
    ///
    /// The run may go on: if an answer comes in time nothing was lost, and if others did take the
    /// job over, [`Context::is_cancelled`] follows as soon as this worker hears of it. In a test,
    /// [`Context::for_test`], it is `false`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use jobq::Context;
    /// async fn pay_all(ctx: Context, invoices: Vec<u64>) -> Result<(), jobq::BoxError> {
    ///     for invoice in invoices {
    ///         while ctx.lease_uncertain() {
    ///             if ctx.is_cancelled() {
    ///                 return Err("another worker has it".into());
    ///             }
    ///             tokio::time::sleep(Duration::from_millis(100)).await;
    ///         }
    ///         println!("paying {invoice}, as {}", ctx.id());
    ///     }
    ///     Ok(())
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), jobq::BoxError> { pay_all(Context::for_test(), vec![1]).await }
    /// ```
    #[must_use]
    pub fn lease_uncertain(&self) -> bool {
        !self.surroundings().lease.is_trusted(Instant::now())
    }

    /// The client the worker runs on, to enqueue further jobs.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.surroundings().client
    }

    /// The state of type `T` that the worker was given.
    ///
    /// # Errors
    ///
    /// [`MissingState`] when it was given none. `State<T>` parameters of `#[job]` functions and the
    /// types in [`crate::Perform::STATES`] are checked when the worker is built.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<State<T>, MissingState> {
        self.surroundings().states.get().ok_or(MissingState {
            type_name: std::any::type_name::<T>(),
        })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.0.parts.id)
            .field("name", &self.0.parts.name)
            .field("queue", &self.surroundings().queue)
            .field("attempt", &self.0.parts.attempt)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_for_a_test_needs_no_runtime() {
        let ctx = Context::for_test();
        assert_eq!(
            (ctx.name(), ctx.queue(), ctx.attempt()),
            ("test", "default", 1)
        );
        assert_ne!(ctx.id(), Context::for_test().id());
        assert!(!ctx.is_cancelled() && !ctx.lease_uncertain());
        assert!(ctx.enqueued_at() > Timestamp::UNIX_EPOCH);
        assert!(ctx.client().broker().is_in_process());
    }

    #[tokio::test]
    async fn a_run_is_asked_to_end_alone_or_with_all_around_it() {
        let one = Context::for_test();
        let surroundings = one.0.parts.surroundings.clone();
        let other = Context::new(ContextParts {
            id: JobId::new(),
            name: "other",
            attempt: 1,
            enqueued_at: one.0.parts.enqueued_at,
            surroundings,
        });
        let waiting = [&one, &other].map(|ctx| {
            let ctx = ctx.clone();
            tokio::spawn(async move { ctx.cancelled().await })
        });
        tokio::task::yield_now().await;
        one.cancel();
        let [first, second] = waiting;
        first.await.unwrap();
        assert!(one.is_cancelled() && !other.is_cancelled() && !second.is_finished());
        other.surroundings().cancellation.cancel();
        second.await.unwrap();
        assert!(other.is_cancelled());
    }

    #[test]
    fn a_missing_state_is_named() {
        let error = Context::for_test().state::<u64>().unwrap_err();
        assert!(error.to_string().contains("`u64`"), "{error}");
    }
}
