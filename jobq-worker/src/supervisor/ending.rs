//! The end of a worker: what it waits for, how long, and what it gives back.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::maybe_done;
use jobq::broker::{MAX_BATCH, Settle};
use tokio::time::Instant;

use super::{Leftovers, ShutdownReport};
use crate::component::ErrorBackoff;
use crate::membership::Membership;
use crate::shared::Shared;
use crate::shutdown::Phase;

/// How long before the shutdown timeout running jobs are asked to end; half of a shorter one.
const GRACE: Duration = Duration::from_secs(1);

/// How long aborted jobs may take to end.
pub(super) const ABORT_TIME: Duration = Duration::from_secs(1);

/// How often jobs are aborted that a late answer started meanwhile.
const ABORT_AGAIN: Duration = Duration::from_millis(20);

/// How long all of the end may take once no job may go on: to abort, settle and leave. A little less
/// than the two seconds that are promised, for the process has to end too.
const END_TIME: Duration = Duration::from_millis(1_800);

/// Ends every wait of a worker that was told to be quiet, and gives back what was handed over; until a
/// shutdown does so.
pub(super) async fn fall_quiet(shared: &Arc<Shared>) {
    let mut backoff = ErrorBackoff::default();
    let emptied = async {
        loop {
            let began = Instant::now();
            match shared.empty_handoffs().await {
                // What one queue refuses to take back is not run: others adopt it with the worker's end.
                Err(error) if error.is_retryable() => {
                    let wait = backoff.failed(&shared.outage, "quiet", &error, began);
                    tokio::time::sleep(wait).await;
                }
                _ => return,
            }
        }
    };
    tokio::select! {
        biased;
        () = shared.shutdown.reached(Phase::Draining) => {}
        () = emptied => {}
    }
}

pub(super) async fn drain(shared: &Arc<Shared>, leftovers: Leftovers) -> (ShutdownReport, Instant) {
    let timeout = shared.settings.shutdown_timeout;
    let grace = GRACE.min(timeout / 2);
    let running = async {
        if !all_free(shared, timeout - grace).await {
            shared.memberships.iter().for_each(Membership::cancel_all);
            all_free(shared, grace).await;
        }
    };
    let mut handoffs = pin!(maybe_done(async {
        if let Err(error) = shared.empty_handoffs().await {
            // Whoever adopts this worker finds what is left there.
            tracing::warn!(%error, "could not give back what was handed over");
        }
    }));
    tokio::select! {
        biased;
        () = running => {}
        () = async { handoffs.as_mut().await; pending().await } => {}
    }
    shared.shutdown.advance(Phase::Aborting);
    // One for all that follows: a broker that is away adds no more than this to the timeout.
    let deadline = Instant::now() + END_TIME;
    let abort = tokio::time::timeout(ABORT_TIME, abort(shared));
    let (aborted, ()) = tokio::join!(abort, within(deadline, handoffs));
    let mut abandoned = match aborted {
        Ok(()) => 0,
        // Without those that an unanswered claim was promised.
        Err(_) => shared.slots.filled() as usize,
    };
    within(deadline, shared.outbox.emptied()).await;
    if leftovers == Leftovers::GiveBack && abandoned > 0 {
        within(deadline, give_back(shared, &mut abandoned)).await;
    }
    (ShutdownReport { abandoned }, deadline)
}

/// Waits until nothing runs, so long or until a second signal; answers whether nothing runs.
async fn all_free(shared: &Arc<Shared>, limit: Duration) -> bool {
    tokio::select! {
        biased;
        () = shared.slots.all_free() => true,
        () = shared.shutdown.reached(Phase::Aborting) => false,
        () = tokio::time::sleep(limit) => false,
    }
}

/// Aborts until nothing runs.
pub(super) async fn abort(shared: &Arc<Shared>) {
    while shared.slots.taken() > 0 {
        shared.memberships.iter().for_each(Membership::abort_all);
        let _ = tokio::time::timeout(ABORT_AGAIN, shared.slots.all_free()).await;
    }
}

/// Releases whatever is still held, without its end: what the broker takes back is not abandoned.
async fn give_back(shared: &Arc<Shared>, abandoned: &mut usize) {
    for membership in &shared.memberships {
        let (worker, tokens) = membership.held_tokens();
        for tokens in tokens.chunks(MAX_BATCH as usize) {
            let settle = Settle::release(membership.queue.clone(), worker.clone(), tokens);
            match shared.broker().settle(settle).await {
                Ok(settled) => {
                    let released = settled
                        .accepted
                        .iter()
                        .filter(|accepted| **accepted)
                        .count();
                    shared.counters.released.add(released as u64);
                    *abandoned = abandoned.saturating_sub(released);
                }
                Err(error) => {
                    tracing::warn!(%error, "could not give running jobs back; other workers will adopt them");
                }
            }
        }
    }
}

pub(super) async fn leave(shared: &Arc<Shared>) {
    for membership in &shared.memberships {
        match shared
            .broker()
            .leave(&membership.queue, &membership.worker())
            .await
        {
            Ok(true) => {}
            Ok(false) => tracing::debug!(job.queue = %membership.queue, "left with jobs in flight"),
            Err(error) => {
                tracing::debug!(%error, "could not leave; the registration will be adopted");
            }
        }
    }
}

/// Gives up after a while: a shutdown ends also when the broker is away.
pub(super) async fn within(deadline: Instant, step: impl Future<Output = ()>) {
    if tokio::time::timeout_at(deadline, step).await.is_err() {
        tracing::warn!(
            "the broker did not answer during the shutdown; other workers will adopt what is left"
        );
    }
}
