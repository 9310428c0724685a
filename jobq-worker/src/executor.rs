//! Runs jobs: one task each, from the bytes of a claim to an outcome in the outbox.
//!
//! A task decodes its arguments, runs the handler within its timeout, turns a panic into a failed
//! attempt, and reports how the run ended. A task that is aborted reports too, when it is dropped:
//! no way out of here leaves a job unsettled.

mod panic;
mod settlement;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jobq::outcome::Ended;
use jobq::private::{Handler, Registration, RunFuture};
use jobq::{Cancellation, Context, Envelope, Options, Run, Token, WorkerId, judge};
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use crate::membership::Request;
use crate::shared::Shared;
use crate::slots::Slot;

pub(crate) use panic::install_hook;
pub(crate) use settlement::{Orphan, after_crash_of_worker};

/// A uniform number from `0.0..1.0`.
pub(crate) fn draw() -> f64 {
    rand::random()
}

/// Starts the jobs that a claim gave; their slots are reserved.
pub(crate) fn start(
    shared: &Arc<Shared>,
    index: usize,
    request: &Request,
    counter: u64,
    envelopes: Vec<Bytes>,
) {
    let cancellations: Vec<_> = envelopes.iter().map(|_| Cancellation::default()).collect();
    if !shared.memberships[index].answered(request, counter, &cancellations) {
        // Reaped while the answer was on its way: the jobs are another worker's.
        shared
            .slots
            .give_back(u32::try_from(envelopes.len()).unwrap_or(u32::MAX));
        return;
    }
    let mut aborts = Vec::with_capacity(envelopes.len());
    for ((i, bytes), cancellation) in (1..).zip(envelopes).zip(cancellations) {
        let token = Token {
            claim: counter,
            index: i,
        };
        let report = Report::new(shared, index, request.worker(), token, cancellation);
        aborts.push(launch(report, bytes));
    }
    shared.memberships[index].started(request, counter, aborts);
}

/// What a run needs to end: dropped without an end, it reports an interrupted one.
struct Report {
    shared: Arc<Shared>,
    index: usize,
    worker: WorkerId,
    token: Token,
    cancellation: Cancellation,
    slot: Option<Slot>,
    job: Subject,
    open: bool,
}

/// What is known of the job.
enum Subject {
    Bytes(Bytes),
    Envelope {
        envelope: Envelope,
        options: Options,
        registration: Option<Registration>,
    },
}

impl Report {
    fn new(
        shared: &Arc<Shared>,
        index: usize,
        worker: &WorkerId,
        token: Token,
        cancellation: Cancellation,
    ) -> Self {
        Self {
            shared: shared.clone(),
            index,
            worker: worker.clone(),
            token,
            cancellation,
            slot: Some(Slot::reserved(&shared.slots)),
            job: Subject::Bytes(Bytes::new()),
            open: true,
        }
    }

    fn end(mut self, ended: Ended) {
        self.settle(ended);
    }

    fn settle(&mut self, ended: Ended) {
        self.open = false;
        // The slot first: whoever the outcome wakes may fill it.
        self.slot = None;
        let finished = settlement::settlement(self, ended);
        if self.shared.outbox.push(finished) {
            self.shared.work.notify_one();
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.open {
            self.settle(Ended::Interrupted);
        }
    }
}

/// Reads the envelope and starts the task; answers how to abort it, where that can be done.
fn launch(mut report: Report, bytes: Bytes) -> Option<AbortHandle> {
    let (envelope, options) = match read(&bytes) {
        Ok(read) => read,
        Err(error) => {
            report.job = Subject::Bytes(bytes);
            report.end(Ended::Undecodable(error.to_string()));
            return None;
        }
    };
    let registration = report.shared.registry.get(envelope.name()).copied();
    report.job = Subject::Envelope {
        envelope,
        options,
        registration,
    };
    let Some(registration) = registration else {
        let ended = settlement::unknown_name(&report);
        report.end(ended);
        return None;
    };
    let handle = report.shared.runtime.clone();
    let task = handle.spawn(execute(report, registration));
    // A blocking handler cannot be aborted: its end is awaited.
    matches!(registration.handler, Handler::Async(_)).then(|| task.abort_handle())
}

fn read(bytes: &Bytes) -> Result<(Envelope, Options), jobq::EnvelopeError> {
    let envelope = Envelope::decode(bytes.clone())?;
    let options = if envelope.has_options() {
        envelope.options()?
    } else {
        Options::default()
    };
    Ok((envelope, options))
}

async fn execute(report: Report, registration: Registration) {
    let Subject::Envelope {
        envelope, options, ..
    } = &report.job
    else {
        return;
    };
    let context = Context::new(Run {
        id: envelope.id(),
        name: registration.name,
        queue: report.shared.memberships[report.index].queue.clone(),
        attempt: envelope.failures().saturating_add(1),
        enqueued_at: envelope.enqueued_at(),
        client: report.shared.client.clone(),
        states: report.shared.states.clone(),
        cancellation: report.cancellation.clone(),
    });
    let timeout = options.timeout.unwrap_or(registration.defaults.timeout);
    let span = tracing::info_span!(
        "job",
        job.id = %context.id(),
        job.name = registration.name,
        job.queue = context.queue(),
        job.attempt = context.attempt(),
    );
    let mut report = report;
    let ended = async {
        tracing::debug!("started");
        match registration.handler {
            Handler::Async(prepare) => run_async(&report, prepare, context, timeout).await,
            Handler::Blocking(_) => run_blocking(&mut report, registration, context, timeout).await,
        }
    }
    .instrument(span)
    .await;
    report.end(ended);
}

type Prepare = fn(&[u8], Context) -> Result<RunFuture, jobq::EnvelopeError>;

async fn run_async(
    report: &Report,
    prepare: Prepare,
    context: Context,
    timeout: Option<Duration>,
) -> Ended {
    let Subject::Envelope { envelope, .. } = &report.job else {
        return Ended::Interrupted;
    };
    // Everything of the user's runs inside: decoding, the handler, `Display` of its error, drops.
    let run = panic::catch(async {
        let future = match prepare(envelope.args(), context) {
            Ok(future) => future,
            Err(error) => return Ended::Undecodable(error.to_string()),
        };
        verdict(future.await)
    });
    let mut run = Box::pin(run);
    match within(timeout, &mut run).await {
        Some(ended) => ended.unwrap_or_else(Ended::Panicked),
        None => {
            report.cancellation.cancel();
            // What the handler's drops do cannot change how the run ended.
            let _ = panic::catch_sync(move || drop(run));
            Ended::TimedOut(timeout.unwrap_or_default())
        }
    }
}

async fn run_blocking(
    report: &mut Report,
    registration: Registration,
    context: Context,
    timeout: Option<Duration>,
) -> Ended {
    let (Subject::Envelope { envelope, .. }, Handler::Blocking(prepare)) =
        (&report.job, registration.handler)
    else {
        return Ended::Interrupted;
    };
    let args = envelope.bytes().slice_ref(envelope.args());
    // The slot is the thread's: a run that outlives its timeout keeps it until it ends.
    let slot = report.slot.take();
    let span = tracing::Span::current();
    let run = tokio::task::spawn_blocking(move || {
        let _slot = slot;
        span.in_scope(|| {
            panic::catch_sync(|| match prepare(&args, context) {
                Ok(run) => verdict(run()),
                Err(error) => Ended::Undecodable(error.to_string()),
            })
        })
    });
    match within(timeout, run).await {
        Some(Ok(ended)) => ended.unwrap_or_else(Ended::Panicked),
        // The runtime shuts down, and never started it.
        Some(Err(_)) => Ended::Interrupted,
        None => {
            report.cancellation.cancel();
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
