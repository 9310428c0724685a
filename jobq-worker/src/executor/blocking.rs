//! Runs of blocking handlers, each on a thread of its own. Such a run cannot be dropped: when its
//! time is over it is asked to end, its outcome is settled, and it keeps its slot until it has ended.

use std::sync::Arc;
use std::time::Duration;

use jobq::Context;
use jobq::runtime::{self, Ended, RunBlocking};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Prepare, Run, panic, verdict, within};
use crate::meters::ns;
use crate::shared::Shared;
use crate::slots::{Filled, Leak};

/// How long a run that heeds its cancellation may go on after its timeout with nothing said of it.
const GRACE: Duration = Duration::from_secs(1);

/// What a thread gives back: the slot, and how the run ended or panicked.
type Thread = JoinHandle<(Option<Filled>, Result<Ended, String>)>;

pub(super) async fn run_blocking(
    run: &mut Run,
    prepare: Prepare<RunBlocking>,
    context: Context,
    timeout: Option<Duration>,
) -> Ended {
    let args = run.envelope.bytes().slice_ref(run.envelope.args());
    // The slot is the thread's: a run that outlives its timeout keeps it until it ends.
    let slot = run.slot.take();
    let span = tracing::Span::current();
    let handed = context.clone();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let mut thread: Thread = tokio::task::spawn_blocking(move || {
        // It may have waited for a thread: its time begins now, if it is still to run.
        let _ = begin.send(Instant::now());
        if handed.is_cancelled() {
            return (slot, Ok(Ended::Interrupted));
        }
        let ended = span.in_scope(|| {
            panic::catch_sync(|| match prepare(&args, handed) {
                Ok(handler) => verdict(handler()),
                Err(error) => Ended::Undecodable(error.to_string()),
            })
        });
        (slot, ended)
    });
    // An error means that it never began: so does the handle.
    let begun = begun.await.unwrap_or_else(|_| Instant::now());
    run.begun_ns = ns(begun - run.owner.shared.started.0);
    match within(timeout, || begun, &mut thread).await {
        Some(Ok((slot, ended))) => {
            run.slot = slot;
            ended.unwrap_or_else(Ended::Panicked)
        }
        // The runtime shuts down, and never started it.
        Some(Err(_)) => Ended::Interrupted,
        None => {
            runtime::cancel(&context);
            let shared = run.owner.shared.clone();
            let (runtime, leak) = (shared.runtime.clone(), shared.slots.leak());
            runtime.spawn(outlive(shared, leak, thread).in_current_span());
            Ended::TimedOut(timeout.unwrap_or_default())
        }
    }
}

/// Sees a run to its end whose time was over, and says so if it takes long.
async fn outlive(shared: Arc<Shared>, leak: Leak, mut thread: Thread) {
    let now = Instant::now();
    let mut ended = within(Some(GRACE), || now, &mut thread).await;
    if ended.is_none() {
        tracing::warn!(
            leaked = shared.slots.leaked(),
            "a blocking job goes on after its timeout: its slot is taken until it ends, so have it \
             look at is_cancelled()"
        );
        ended = Some(thread.await);
    }
    // Its slot is in what it ends with: never may fewer be taken than are leaked.
    drop(leak);
    drop(ended);
}
