//! Waits until nothing is left to do: for `run_until_idle`.

use std::sync::Arc;
use std::time::Duration;

use jobq::BrokerError;
use jobq::broker::Counts;
use tokio::time::Instant;

use crate::error::{Left, RunError};
use crate::shared::Shared;
use crate::shutdown::Phase;

/// How soon to look again while jobs are ready, or in flight elsewhere.
const SOON: Duration = Duration::from_millis(20);

/// Looks in a row that must find nothing. One asks queue by queue, and a job that another worker runs
/// meanwhile may end after it enqueued the next one on a queue that was looked at before.
const EMPTY_LOOKS: u32 = 2;

/// How late to look again at the most while jobs are delayed: someone may have removed them.
const LATE: Duration = Duration::from_secs(1);

/// The same in this process, where hours of virtual time pass by looks.
const LATE_IN_PROCESS: Duration = Duration::from_secs(60);

/// Waits until no queue of the worker has anything ready, delayed or in flight.
pub(crate) async fn wait(shared: &Arc<Shared>, max_wait: Option<Duration>) -> Result<(), RunError> {
    let begun = Instant::now();
    let Some(limit) = max_wait else {
        until_idle(shared).await;
        return Ok(());
    };
    if tokio::time::timeout(limit, until_idle(shared))
        .await
        .is_ok()
    {
        return Ok(());
    }
    let waited = begun.elapsed();
    let counts = look(shared).await.unwrap_or_default();
    let left = counts.iter().fold(Left::default(), add);
    Err(RunError::NotIdle { waited, left })
}

fn add(mut left: Left, counts: &Counts) -> Left {
    let ready = counts.ready + counts.suspects;
    match counts.paused {
        true => left.paused += ready,
        false => left.ready += ready,
    }
    left.delayed += counts.delayed;
    left.in_flight += counts.in_flight;
    left
}

async fn until_idle(shared: &Arc<Shared>) {
    let mut backoff = crate::component::ErrorBackoff::default();
    let mut empty = 0;
    loop {
        tokio::select! {
            biased;
            // A worker that ended by itself will do nothing more.
            () = shared.shutdown.reached(Phase::Draining) => return,
            () = shared.at_rest() => {}
        }
        let (before, began) = (shared.stats(), Instant::now());
        let counts = match look(shared).await {
            Ok(counts) => {
                backoff.succeeded();
                counts
            }
            Err(error) => {
                tokio::time::sleep(backoff.failed(&shared.outage, "idle", &error, began)).await;
                continue;
            }
        };
        // A job that this worker ran meanwhile may have gone back where the look had been.
        let undisturbed = shared.stats() == before;
        match undisturbed && counts.iter().all(|counts| left(counts) == 0) {
            true => empty += 1,
            false => empty = 0,
        }
        if empty == EMPTY_LOOKS {
            return;
        }
        tokio::time::sleep(pause(shared, &counts)).await;
    }
}

async fn look(shared: &Arc<Shared>) -> Result<Vec<Counts>, BrokerError> {
    let mut all = Vec::with_capacity(shared.memberships.len());
    for membership in &shared.memberships {
        all.push(shared.broker().stats(&membership.queue).await?);
    }
    Ok(all)
}

fn left(counts: &Counts) -> u64 {
    counts.ready + counts.delayed + counts.in_flight + counts.suspects
}

/// Until the first of delayed is due, if nothing else is left.
fn pause(shared: &Shared, counts: &[Counts]) -> Duration {
    if counts.iter().all(|counts| counts.delayed == 0)
        || counts.iter().any(|counts| left(counts) > counts.delayed)
    {
        return SOON;
    }
    let now = shared.broker().now();
    let next = counts.iter().filter_map(|counts| counts.next_due).min();
    let late = match shared.broker().is_in_process() {
        true => LATE_IN_PROCESS,
        false => LATE,
    };
    next.map_or(late, |due| due.since(now)).clamp(SOON, late)
}
