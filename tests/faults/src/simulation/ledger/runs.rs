//! Runs: what a process was given, when it began and ended it, and whether it should have.

use std::time::Duration;

use jobq::broker::Member;
use tokio::time::Instant;

use super::{Ledger, Place};
use crate::simulation::plan::End;
use crate::simulation::process::Process;

/// How long a run may go on whose worker has learned that it was reaped.
const REAPED_ENDS: Duration = Duration::from_millis(1_050);

/// A claim's answer that reached its process.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) process: usize,
    pub(super) place: Place,
    /// At which step it was claimed.
    pub(super) claimed: u64,
    pub(super) failures: u32,
    pub(super) started: bool,
    pub(super) ended: bool,
    /// When its process learned that it was reaped.
    pub(super) reaped: Option<Instant>,
}

impl Ledger {
    pub(crate) fn started(
        &mut self,
        process: &Process,
        job: usize,
        attempt: u32,
    ) -> (usize, Option<String>) {
        self.figures.starts += 1;
        let state = &mut self.jobs[job];
        state.starts += 1;
        let before = state.starts - 1;
        // The latest: one from before may have been given back, or lost with the name of its worker.
        let mut given = state.deliveries.iter_mut().rev();
        let delivery = given.find(|delivery| {
            !delivery.started
                && delivery.process == process.number
                && delivery.failures + 1 == attempt
        });
        let Some(delivery) = delivery else {
            let number = process.number;
            let wrong = format!("p{number} starts j{job} attempt {attempt}, and no claim gave it");
            return (before, Some(wrong));
        };
        delivery.started = true;
        let cancelled = state.cancelled.is_some_and(|step| step < delivery.claimed);
        let wrong = cancelled.then(|| format!("j{job} starts; it was cancelled before its claim"));
        (before, wrong)
    }

    /// A run ended; of one that was dropped it is not known yet how. One whose worker was reaped
    /// has a second to end by itself, and is aborted then.
    pub(crate) fn ended(
        &mut self,
        process: &Process,
        job: usize,
        ends: &[End],
        now: Instant,
    ) -> Option<String> {
        let state = &mut self.jobs[job];
        let by = process.number;
        state.ends.extend(ends.iter().map(|end| (by, *end)));
        let mut runs = state.deliveries.iter_mut();
        let run = runs.find(|run| run.process == by && run.started && !run.ended)?;
        run.ended = true;
        let reaped = run.reaped.filter(|at| process.was_running(*at))?;
        let took = now - reaped;
        (took > REAPED_ENDS).then(|| {
            format!("p{by} ran j{job} for {took:?} after it had learned that it was reaped")
        })
    }

    /// A process has learned that it is no member any more.
    pub(crate) fn reaped(&mut self, process: &Process, member: &Member, now: Instant) {
        let runs = self.jobs.iter_mut().flat_map(|job| &mut job.deliveries);
        for run in runs.filter(|run| run.process == process.number && !run.ended) {
            if run.place.0 == member.queue && run.place.1 == member.worker {
                run.reaped.get_or_insert(now);
            }
        }
    }

    pub(crate) fn cancelled(&mut self, job: usize) {
        self.jobs[job].cancelled.get_or_insert(self.figures.steps);
    }

    pub(crate) fn has_started(&self, job: usize) -> bool {
        self.jobs[job].starts > 0
    }
}
