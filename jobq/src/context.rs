//! What a handler is given besides its arguments: the running job and the worker's state.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::client::Client;
use crate::error::MissingState;
use crate::id::{JobId, QueueName};
use crate::timestamp::At;

/// The running job. Cheap to clone; a clone may outlive the run.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use jobq::{Context, job};
///
/// #[job]
/// async fn import(ctx: Context, rows: u64) -> Result<(), jobq::EnqueueError> {
///     for row in 0..rows {
///         if ctx.is_cancelled() {
///             break; // the worker stops: better an end of our own than to be aborted
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
pub struct Context(Arc<ContextParts>);

/// What a [`Context`] is made of.
#[derive(Debug)]
pub struct ContextParts {
    /// The job's id.
    pub id: JobId,
    /// The job's name.
    pub name: &'static str,
    /// The queue it was taken from.
    pub queue: QueueName,
    /// 1 on the first run.
    pub attempt: u32,
    /// When it was enqueued.
    pub enqueued_at: At,
    /// For enqueueing further jobs.
    pub client: Client,
    /// What the worker was given.
    pub states: States,
    /// Set when the run should end early.
    pub cancellation: Cancellation,
}

impl Context {
    /// A context for one run; made by the worker.
    #[must_use]
    pub fn new(parts: ContextParts) -> Self {
        Self(Arc::new(parts))
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
            queue: client.default_queue().clone(),
            attempt: 1,
            enqueued_at: client.now(),
            client,
            states: States::default(),
            cancellation: Cancellation::default(),
        })
    }

    /// The job's id: the same in every run of it, and the key to make a handler idempotent.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.0.id
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name
    }

    /// The name of the queue it was taken from.
    #[must_use]
    pub fn queue(&self) -> &str {
        self.0.queue.as_str()
    }

    /// Which run this is: 1 is the first, 2 the first retry. Snoozes and crashes do not count.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// When the job was enqueued, by the producer's clock.
    #[must_use]
    pub fn enqueued_at(&self) -> Timestamp {
        self.0.enqueued_at.timestamp()
    }

    /// Whether the run should end: its timeout passed, its lease was lost, or the worker stops and
    /// the shutdown timeout is nearly over. A run that fails after one of the last two uses no
    /// attempt.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancellation.is_cancelled()
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
        self.0.cancellation.cancelled().await;
    }

    /// The client the worker runs on, to enqueue further jobs.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The state of type `T` that the worker was given.
    ///
    /// # Errors
    ///
    /// [`MissingState`] when it was given none. `State<T>` parameters of `#[job]` functions and the
    /// types in [`crate::Perform::STATES`] are checked when the worker is built.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<State<T>, MissingState> {
        self.0.states.get().ok_or(MissingState {
            type_name: std::any::type_name::<T>(),
        })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.0.id)
            .field("name", &self.0.name)
            .field("queue", &self.0.queue)
            .field("attempt", &self.0.attempt)
            .finish_non_exhaustive()
    }
}

/// Something the worker was given with `.state(t)`: a pool, a configuration. Dereferences to `T`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use jobq::{State, job};
///
/// #[derive(Default)]
/// struct Sent(AtomicU64);
///
/// #[job]
/// async fn send(sent: State<Sent>, email: String) {
///     println!("mail {} goes to {email}", sent.0.fetch_add(1, Relaxed));
/// }
///
/// let sent = State::new(Sent::default()); // a worker gets it by `.state(Sent::default())`
/// send(sent.clone(), "ada@example.org".to_owned()).await;
/// assert_eq!(sent.0.load(Relaxed), 1);
/// # Ok(())
/// # }
/// ```
pub struct State<T: ?Sized>(Arc<T>);

impl<T> State<T> {
    /// A state for calling a handler in a test.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a worker was given, by type. Cheap to clone.
#[derive(Clone, Default)]
pub struct States(Arc<HashMap<TypeId, Given>>);

/// A state, and the name of its type.
#[derive(Clone)]
struct Given {
    type_name: &'static str,
    value: Arc<dyn Any + Send + Sync>,
}

impl States {
    /// Adds one; a second one of a type replaces the first.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        let given = Given {
            type_name: std::any::type_name::<T>(),
            value: Arc::new(value),
        };
        Arc::make_mut(&mut self.0).insert(TypeId::of::<T>(), given);
        self
    }

    /// The names of the types, sorted: for messages.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.values().map(|given| given.type_name).collect();
        names.sort_unstable();
        names
    }

    /// Whether there is one of this type.
    #[must_use]
    pub fn has(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }

    /// The one of type `T`.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        self.0
            .get(&TypeId::of::<T>())?
            .value
            .clone()
            .downcast()
            .ok()
            .map(State)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}

/// A request to end a run, seen by every clone.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<CancellationFlag>);

#[derive(Debug, Default)]
struct CancellationFlag {
    set: AtomicBool,
    waiters: Notify,
}

impl Cancellation {
    /// Asks the run to end.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::Release);
        self.0.waiters.notify_waiters();
    }

    /// Whether it was asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::Acquire)
    }

    /// Waits until it is asked.
    pub async fn cancelled(&self) {
        loop {
            let notified = self.0.waiters.notified();
            if self.is_cancelled() {
                return;
            }
            notified.await;
        }
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
        assert!(!ctx.is_cancelled());
        assert!(ctx.enqueued_at() > Timestamp::UNIX_EPOCH);
        assert!(ctx.client().broker().is_in_process());
    }

    #[test]
    fn a_state_is_found_by_its_type() {
        let states = States::default().with(7u32).with("text").with(8u32);
        assert_eq!(states.get::<u32>().as_deref(), Some(&8));
        assert!(states.has(TypeId::of::<&str>()) && !states.has(TypeId::of::<u64>()));
        assert!(states.get::<u64>().is_none());
        let state = State::new(vec![1, 2]);
        assert_eq!(state.clone().len(), 2);
        assert_eq!(format!("{state:?}"), "[1, 2]");
    }

    #[test]
    fn a_missing_state_is_named() {
        let error = Context::for_test().state::<u64>().unwrap_err();
        assert!(error.to_string().contains("`u64`"), "{error}");
    }

    #[test]
    fn states_that_share_do_not_change_each_other() {
        let one = States::default().with(1u8);
        let other = one.clone().with(2u8);
        assert_eq!(one.get::<u8>().as_deref(), Some(&1));
        assert_eq!(other.get::<u8>().as_deref(), Some(&2));
    }

    #[tokio::test]
    async fn a_cancellation_is_seen_by_every_clone_before_and_after() {
        let cancellation = Cancellation::default();
        let waiting = tokio::spawn({
            let cancellation = cancellation.clone();
            async move { cancellation.cancelled().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished() && !cancellation.is_cancelled());
        cancellation.cancel();
        waiting.await.unwrap();
        cancellation.clone().cancelled().await;
        assert!(cancellation.is_cancelled());
    }

    #[test]
    fn debug_output_holds_no_state() {
        let states = States::default().with("hunter2".to_owned());
        assert_eq!(format!("{states:?}"), "States(1)");
    }
}
