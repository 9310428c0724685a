//! Runs jobs: one task each, from the bytes of a claim to an outcome in the outbox.
//!
//! A task decodes its arguments, runs the handler within its timeout, turns a panic into a failed
//! attempt, and reports how the run ended. A task that is aborted reports too, when it is dropped:
//! no way out of here leaves a job unsettled.

mod blocking;
mod cohort;
mod failures;
mod grant;
mod jobs;
mod owner;
pub(crate) mod panic;
mod settlement;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::ReleaseTo;
use jobq::runtime::{
    self, ContextParts, Ended, Handler, RunFuture, SUSPECT_AFTER, judge, name_bytes, read_envelope,
};
use jobq::{At, Context, Envelope, EnvelopeError, Options, Token};
use tokio::time::{Instant, sleep_until};
use tracing::Instrument as _;

use crate::outbox::{Kind, Note};
use crate::registry::Entry;
use crate::report::JobIndex;
use crate::slots::Filled;

use blocking::run_blocking;
pub(crate) use failures::Failures;
pub(crate) use grant::Granted;
use owner::{Ending, Owner};
pub(crate) use panic::install_hook;
pub(crate) use settlement::{Orphan, after_crash_of_worker};

/// A run, from its start to its end: dropped without an end, it reports an interrupted one.
struct Run {
    owner: Arc<Owner>,
    token: Token,
    envelope: Envelope,
    /// `None` if the envelope has none.
    options: Option<Box<Options>>,
    /// `None` if no job of that name is registered.
    entry: Option<Arc<Entry>>,
    /// When it began, or got its thread if it is a blocking one: in ns from the start of the worker on,
    /// which takes half the room of a point in time, and less to count with.
    begun_ns: u64,
    slot: Option<Filled>,
    open: bool,
}

impl Run {
    /// Reads the envelope. What cannot be read, or may not run here, has ended. `from` is where the
    /// job was taken from.
    fn begin(
        owner: &Arc<Owner>,
        token: Token,
        bytes: Bytes,
        slot: Filled,
        from: ReleaseTo,
        begun_ns: u64,
    ) -> Result<Self, Ending> {
        let (envelope, options) = match read(bytes) {
            Ok(read) => read,
            Err((error, bytes)) => {
                let action = settlement::unreadable(owner, bytes, &error);
                let note = Note::not_run(None, Kind::Dead { failed: false });
                return Err(Ending::new(token, action, note, Some(slot)));
            }
        };
        if envelope.crashes() >= SUSPECT_AFTER && from == ReleaseTo::Front {
            // It was given back by a shutdown or a reconcile: it still is to run alone.
            let (to, id) = (ReleaseTo::Suspects, Some(envelope.id()));
            return Err(Ending::given_back(token, to, id, Some(slot)));
        }
        let entry = owner.shared.registry.get(name_bytes(&envelope)).cloned();
        Ok(Self {
            owner: owner.clone(),
            token,
            envelope,
            options,
            entry,
            begun_ns,
            slot: Some(slot),
            open: true,
        })
    }

    fn job(&self) -> JobIndex {
        let entry = self.entry.as_ref();
        entry.map_or(JobIndex::OTHER, |entry| entry.index)
    }

    fn begun(&self) -> Instant {
        self.owner.shared.started.0 + Duration::from_nanos(self.begun_ns)
    }

    /// Since when it could have been running.
    fn waits_since(&self) -> At {
        let due = self.options.as_ref().and_then(|options| options.due);
        due.unwrap_or_default().max(self.envelope.enqueued_at())
    }

    /// Whether nothing can abort it: its end is awaited.
    fn is_blocking(&self) -> bool {
        let handler = self.entry.as_ref().map(|job| job.registration.handler);
        matches!(handler, Some(Handler::Blocking(_)))
    }

    fn end(mut self, ended: Ended) -> Ending {
        self.ending(ended)
    }

    fn ending(&mut self, ended: Ended) -> Ending {
        self.open = false;
        let spent_ns = match self.entry {
            Some(_) => {
                let now_ns = self.owner.shared.elapsed_ns();
                now_ns.saturating_sub(self.begun_ns).max(1)
            }
            // Nobody here can run it.
            None => 0,
        };
        let (action, kind) = settlement::settlement(self, ended);
        let note = Note {
            id: Some(self.envelope.id()),
            kind,
            job: self.job(),
            spent_ns,
        };
        Ending::new(self.token, action, note, self.slot.take())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.open {
            let ending = self.ending(Ended::Interrupted);
            self.owner.settle(ending);
        }
    }
}

type Read = (Envelope, Option<Box<Options>>);

fn read(bytes: Bytes) -> Result<Read, (EnvelopeError, Bytes)> {
    let envelope = read_envelope(bytes)?;
    if !envelope.has_options() {
        return Ok((envelope, None));
    }
    match envelope.options() {
        Ok(options) => Ok((envelope, Some(Box::new(options)))),
        Err(error) => Err((error, envelope.bytes().clone())),
    }
}

/// Runs a job that was begun, to its end.
#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` keeps what it is given twice, for as long as each job runs"
)]
fn execute(mut run: Run) -> impl Future<Output = Ending> + Send {
    async move {
        let Some(entry) = &run.entry else {
            let ended = settlement::unknown_name(&run);
            return run.end(ended);
        };
        let (registration, envelope) = (&entry.registration, &run.envelope);
        let handler = registration.handler;
        let context = Context::new(ContextParts {
            id: envelope.id(),
            name: registration.name,
            attempt: envelope.failures().saturating_add(1),
            enqueued_at: envelope.enqueued_at(),
            surroundings: run.owner.surroundings.clone(),
        });
        let set = run.options.as_ref().and_then(|options| options.timeout);
        let timeout = set.unwrap_or(registration.defaults.timeout);
        let span = tracing::info_span!(
            "job",
            job.id = %context.id(),
            job.name = registration.name,
            job.queue = context.queue(),
            job.attempt = context.attempt(),
        );
        let ended = async {
            tracing::debug!("started");
            match handler {
                Handler::Async(prepare) => run_async(&run, prepare, context, timeout).await,
                Handler::Blocking(prepare) => {
                    // In a place of its own, so that the others need not have room for it.
                    Box::pin(run_blocking(&mut run, prepare, context, timeout)).await
                }
            }
        }
        .instrument(span)
        .await;
        run.end(ended)
    }
}

type Prepare<T> = fn(&[u8], Context) -> Result<T, EnvelopeError>;

#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` keeps what it is given twice, for as long as each job runs"
)]
fn run_async(
    run: &Run,
    prepare: Prepare<RunFuture>,
    context: Context,
    timeout: Option<Duration>,
) -> impl Future<Output = Ended> + Send {
    async move {
        let handed = context.clone();
        // Everything of the user's runs inside: decoding, the handler, `Display` of its error, drops.
        let mut handler = pin!(Some(async move {
            let future = match prepare(run.envelope.args(), handed) {
                Ok(future) => future,
                Err(error) => return Ended::Undecodable(error.to_string()),
            };
            verdict(future.await)
        }));
        let running = poll_fn(|cx| match handler.as_mut().as_pin_mut() {
            Some(handler) => panic::catch_poll(|| handler.poll(cx)),
            None => Poll::Pending,
        });
        match within(timeout, || run.begun(), running).await {
            Some(ended) => ended.unwrap_or_else(Ended::Panicked),
            None => {
                runtime::cancel(&context);
                // What the handler's drops do cannot change how the run ended.
                let _ = panic::catch_sync(|| handler.set(None));
                Ended::TimedOut(timeout.unwrap_or_default())
            }
        }
    }
}

fn verdict(result: Result<(), jobq::BoxError>) -> Ended {
    match result {
        Ok(()) => Ended::Done,
        Err(error) => {
            let (decision, error) = judge(&*error);
            Ended::Failed { error, decision }
        }
    }
}

/// `None` if it took longer than `limit` from `begun` on. What is over when it is first polled pays
/// for no timer.
#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` keeps what it is given twice, for as long as each job runs"
)]
fn within<F: Future>(
    limit: Option<Duration>,
    begun: impl Fn() -> Instant,
    run: F,
) -> impl Future<Output = Option<F::Output>> {
    async move {
        let (mut run, mut timer) = (pin!(run), None);
        poll_fn(|cx| {
            if let Poll::Ready(output) = run.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let Some(end) = limit.and_then(|limit| begun().checked_add(limit)) else {
                return Poll::Pending;
            };
            // A run that has used up what its task may do at a time has a timeout all the same.
            let new = || Box::pin(tokio::task::unconstrained(sleep_until(end)));
            let timer = timer.get_or_insert_with(new).as_mut();
            timer.poll(cx).map(|()| None)
        })
        .await
    }
}
