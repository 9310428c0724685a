//! Runs jobs: one task each, from the bytes of a claim to an outcome in the outbox.
//!
//! A task decodes its arguments, runs the handler within its timeout, turns a panic into a failed
//! attempt, and reports how the run ended. A task that is aborted reports too, when it is dropped:
//! no way out of here leaves a job unsettled.

mod blocking;
mod failures;
mod grant;
pub(crate) mod panic;
mod settlement;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::{Action, ReleaseTo};
use jobq::runtime::{
    self, Cancellation, Ended, Handler, Lease, Registration, RunFuture, SUSPECT_AFTER, judge,
};
use jobq::{Context, Envelope, EnvelopeError, JobId, Options, QueueName, Token, WorkerId};
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use crate::outbox::{Finished, Kind, Note};
use crate::shared::Shared;
use crate::slots::Slot;

use blocking::run_blocking;
pub(crate) use failures::Failures;
pub(crate) use grant::Granted;
pub(crate) use panic::install_hook;
pub(crate) use settlement::{Orphan, after_crash_of_worker};

/// One claimed job: whose it is, and the right to settle it.
struct ClaimedJob {
    shared: Arc<Shared>,
    index: usize,
    worker: WorkerId,
    /// For its run, which takes it.
    lease: Lease,
    token: Token,
}

impl ClaimedJob {
    fn queue(&self) -> &QueueName {
        &self.shared.memberships[self.index].queue
    }

    /// Puts the outcome into the outbox, and gives the slot back after that: once all slots are
    /// free, every outcome is there.
    fn settle(&self, action: Action, kind: Kind, id: Option<JobId>, slot: Option<Slot>) {
        let (index, worker, token) = (self.index, self.worker.clone(), self.token);
        let finished = Finished {
            index,
            worker,
            token,
            action,
            note: Note { id, kind },
        };
        self.shared.outbox.push(finished);
        match slot {
            // Tells the fetcher, which may have taken the outcome and not seen the slot.
            Some(slot) => drop(slot),
            None => self.shared.work.notify_one(),
        }
    }

    /// Releases it as it is, with no run and no attempt.
    fn give_back(&self, to: ReleaseTo, id: Option<JobId>, slot: Slot) {
        let envelope = None;
        self.settle(
            Action::Release { to, envelope },
            Kind::Released,
            id,
            Some(slot),
        );
    }
}

/// A run, from its start to its end: dropped without an end, it reports an interrupted one.
struct Run {
    claimed: ClaimedJob,
    envelope: Envelope,
    /// `None` if the envelope has none.
    options: Option<Box<Options>>,
    /// `None` if no job of that name is registered.
    registration: Option<Arc<Registration>>,
    cancellation: Cancellation,
    slot: Option<Slot>,
    open: bool,
}

impl Run {
    fn end(mut self, ended: Ended) {
        self.settle(ended);
    }

    fn settle(&mut self, ended: Ended) {
        self.open = false;
        let (action, kind) = settlement::settlement(self, ended);
        let (id, slot) = (self.envelope.id(), self.slot.take());
        self.claimed.settle(action, kind, Some(id), slot);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.open {
            self.settle(Ended::Interrupted);
        }
    }
}

/// Reads the envelope and starts the task; answers how to abort it, where that can be done. `from`
/// is where the job was taken from.
fn launch(
    claimed: ClaimedJob,
    bytes: Bytes,
    cancellation: Cancellation,
    slot: Slot,
    from: ReleaseTo,
) -> Option<AbortHandle> {
    let (envelope, options) = match read(&bytes) {
        Ok(read) => read,
        Err(error) => {
            let action = settlement::unreadable(&claimed, bytes, &error);
            claimed.settle(action, Kind::Dead, None, Some(slot));
            return None;
        }
    };
    if envelope.crashes() >= SUSPECT_AFTER && from == ReleaseTo::Front {
        // It was given back by a shutdown or a reconcile: it still is to run alone.
        claimed.give_back(ReleaseTo::Suspects, Some(envelope.id()), slot);
        return None;
    }
    let registration = claimed.shared.registry.get(envelope.name()).cloned();
    let (slot, open) = (Some(slot), true);
    let run = Run {
        claimed,
        envelope,
        options,
        registration,
        cancellation,
        slot,
        open,
    };
    let Some(registration) = run.registration.clone() else {
        let ended = settlement::unknown_name(&run);
        run.end(ended);
        return None;
    };
    // A blocking handler cannot be aborted: its end is awaited.
    let abortable = matches!(registration.handler, Handler::Async(_));
    let runtime = run.claimed.shared.runtime.clone();
    let task = runtime.spawn(execute(run, registration));
    abortable.then(|| task.abort_handle())
}

fn read(bytes: &Bytes) -> Result<(Envelope, Option<Box<Options>>), EnvelopeError> {
    let envelope = Envelope::decode(bytes.clone())?;
    let options = envelope
        .has_options()
        .then(|| envelope.options())
        .transpose()?;
    Ok((envelope, options.map(Box::new)))
}

async fn execute(mut run: Run, registration: Arc<Registration>) {
    // Not cloned again: the count of its holders is one that every run on the queue writes to.
    let lease = std::mem::take(&mut run.claimed.lease);
    let (shared, envelope) = (&run.claimed.shared, &run.envelope);
    let context = Context::new(runtime::ContextParts {
        id: envelope.id(),
        name: registration.name,
        queue: shared.memberships[run.claimed.index].queue.clone(),
        attempt: envelope.failures().saturating_add(1),
        enqueued_at: envelope.enqueued_at(),
        client: shared.client.clone(),
        states: shared.states.clone(),
        cancellation: run.cancellation.clone(),
        lease,
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
        match registration.handler {
            Handler::Async(prepare) => run_async(&run, prepare, context, timeout).await,
            Handler::Blocking(prepare) => run_blocking(&mut run, prepare, context, timeout).await,
        }
    }
    .instrument(span)
    .await;
    run.end(ended);
}

type Prepare<T> = fn(&[u8], Context) -> Result<T, EnvelopeError>;

async fn run_async(
    run: &Run,
    prepare: Prepare<RunFuture>,
    context: Context,
    timeout: Option<Duration>,
) -> Ended {
    // Everything of the user's runs inside: decoding, the handler, `Display` of its error, drops.
    let handler = panic::catch(async {
        match prepare(run.envelope.args(), context) {
            Ok(future) => verdict(future.await),
            Err(error) => Ended::Undecodable(error.to_string()),
        }
    });
    let mut handler = pin!(Some(handler));
    let running = poll_fn(|cx| match handler.as_mut().as_pin_mut() {
        Some(handler) => handler.poll(cx),
        None => Poll::Pending,
    });
    match within(timeout, running).await {
        Some(ended) => ended.unwrap_or_else(Ended::Panicked),
        None => {
            run.cancellation.cancel();
            // What the handler's drops do cannot change how the run ended.
            let _ = panic::catch_sync(|| handler.set(None));
            Ended::TimedOut(timeout.unwrap_or_default())
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

/// `None` if it took longer than `limit`.
async fn within<F: Future>(limit: Option<Duration>, run: F) -> Option<F::Output> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, run).await.ok(),
        None => Some(run.await),
    }
}
