//! Who a worker is and what it runs, as it tells it.

use std::time::Duration;

use jobq::At;
use jobq::runtime::{MAX_RUNNING, QueueRecord, RunningRecord, WorkerRecord};
use tokio::time::Instant;

use crate::at_work::AtWork;
use crate::shared::Shared;
use crate::shutdown::Phase;

pub(super) fn record(shared: &Shared) -> WorkerRecord {
    let totals = shared.tallies.sum();
    let queues = shared.memberships.iter().zip(&shared.settings.queues);
    let queues = queues.map(|(membership, queue)| {
        let member = membership.worker();
        QueueRecord::new(queue.queue.as_str(), queue.weight, member.as_str())
    });
    let mut record = WorkerRecord::default();
    record.host = host();
    record.pid = std::process::id();
    record.version = env!("CARGO_PKG_VERSION").to_owned();
    record.started_at = shared.started.1.as_ms();
    record.lease = ms(shared.settings.lease);
    record.state = state(shared.shutdown.phase()).to_owned();
    record.queues = queues.collect();
    record.slots = shared.settings.concurrency;
    record.slots_used = shared.slots.filled();
    record.slots_leaked = shared.slots.leaked();
    record.running = running(shared);
    record.totals = [totals.done, totals.failed, totals.retried, totals.dead];
    record.spent = ms(totals.spent);
    record
}

/// The name of this machine; nothing if it does not say.
fn host() -> String {
    let name = hostname::get().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Running => "working",
        Phase::Quiet => "quiet",
        _ => "stopping",
    }
}

/// Those that have run for the longest, these first.
fn running(shared: &Shared) -> Vec<RunningRecord> {
    let memberships = shared.memberships.iter().zip(&shared.settings.queues);
    let mut running: Vec<(AtWork, &str)> = memberships
        .flat_map(|(membership, queue)| {
            let jobs = membership.at_work(MAX_RUNNING).into_iter();
            jobs.map(|job| (job, queue.queue.as_str()))
        })
        .collect();
    running.sort_by_key(|(job, _)| job.since);
    running.truncate(MAX_RUNNING);
    // In this order: a thread that is held up in between must not make jobs older.
    let (here, now) = (Instant::now(), shared.broker().now());
    let record = |(job, queue): (AtWork, &str)| {
        let ran = here.saturating_duration_since(job.since);
        let name = shared.tallies.name(job.job);
        let since = since(now, ran, shared.started.1);
        RunningRecord::new(*job.id.as_bytes(), name, queue, since)
    };
    running.into_iter().map(record).collect()
}

/// When a job began that has run for so long: not before its worker did, wherever the clock has been
/// set since.
fn since(now: At, ran: Duration, started: At) -> u64 {
    now.as_ms().saturating_sub(ms(ran)).max(started.as_ms())
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_job_began_before_its_worker() {
        let at = At::from_ms;
        for (now, ran_ms, began) in [(1_000, 100, 900), (1_000, 500, 500), (1_000, 501, 500)] {
            let ran = Duration::from_millis(ran_ms);
            assert_eq!(since(at(now), ran, at(500)), began, "{now} {ran_ms}");
        }
        // The clock was set back.
        assert_eq!(since(at(400), Duration::from_millis(600), at(500)), 500);
    }
}
