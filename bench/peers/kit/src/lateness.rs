//! How long jobs wait: from enqueue to start on an idle worker, and from their due time to their start.

use std::time::Duration;

use crate::clock::{now_us, time_of};
use crate::signal::Signals;
use crate::{Args, Error, System};

/// The id of the job by which a producer learns that the worker is up.
const FIRST: u64 = u64::MAX;

/// When the first delayed job is due, from the moment that they are enqueued, in µs.
const FIRST_DUE_US: u64 = 500_000;

/// Over how long the due times are spread, in µs.
const SPREAD_US: u64 = 1_000_000;

/// Enqueues `count` jobs, each when the one before has started and a while has passed; answers how long
/// each took to start, in µs.
pub(crate) async fn latency<S: System>(url: &str, count: u64) -> Result<Vec<i64>, Error> {
    let (mut system, signals) = meet_worker::<S>(url).await?;
    let mut latencies = Vec::new();
    for id in 0..count {
        tokio::time::sleep(pause_before(id)).await;
        system.enqueue(Args::now(id)).await?;
        latencies.push(signals.of(id).await?.late_us);
    }
    Ok(latencies)
}

/// Enqueues `count` jobs that are due one after the other; answers how late each started, in µs.
pub(crate) async fn delayed<S: System>(url: &str, count: u64) -> Result<Vec<i64>, Error> {
    let (mut system, signals) = meet_worker::<S>(url).await?;
    let first_due = now_us() + FIRST_DUE_US;
    for id in 0..count {
        let due = first_due + id * SPREAD_US / count;
        system.enqueue_at(time_of(due), Args::at(id, due)).await?;
    }
    let mut late = vec![None; usize::try_from(count)?];
    while late.contains(&None) {
        let started = signals.next().await?;
        // One that runs again keeps its first start.
        if let Some(late) = late.get_mut(usize::try_from(started.id)?) {
            late.get_or_insert(started.late_us);
        }
    }
    Ok(late.into_iter().flatten().collect())
}

/// Connects, and waits until the worker has run a job.
async fn meet_worker<S: System>(url: &str) -> Result<(S, Signals), Error> {
    let signals = Signals::listen().await?;
    let mut system = S::connect(url, 1).await?;
    system.enqueue(Args::now(FIRST)).await?;
    signals.of(FIRST).await?;
    Ok((system, signals))
}

/// 10 to 62 ms, of all lengths alike, so that no interval of a poll is hit or missed by a beat.
fn pause_before(id: u64) -> Duration {
    Duration::from_millis(10 + id * 37 % 53)
}
