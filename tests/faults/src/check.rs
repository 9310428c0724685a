//! The invariants, asked of all ledgers and all keys. Each violation is a sentence; a test shows of
//! each that it is found.

mod jobs;
#[cfg(test)]
mod tests;

use crate::census::{Census, Place};
use crate::history::{Entry, History};
use crate::ledger::Event;
use crate::row::Figures;
use crate::world::World;

pub use self::jobs::{JobRecord, Jobs};

/// What was found when nothing was broken.
#[derive(Debug)]
pub struct Check {
    /// What became of each job.
    pub jobs: Jobs,
    /// What lies in Redis.
    pub census: Census,
}

/// How many violations are printed.
const PRINTED: usize = 20;

impl Check {
    /// Reads all ledgers and all keys.
    ///
    /// # Panics
    ///
    /// When an invariant is broken.
    pub async fn of(world: &World) -> Self {
        let census = world.census().await;
        let check = Self {
            jobs: Jobs::of(&world.history()),
            census,
        };
        let violations = check.violations();
        let shown = violations.iter().take(PRINTED).cloned();
        assert!(
            violations.is_empty(),
            "{} violations:\n{}",
            violations.len(),
            shown.collect::<Vec<_>>().join("\n")
        );
        check
    }

    /// How many jobs were accepted so far.
    #[must_use]
    pub fn accepted(world: &World) -> usize {
        let history = world.history();
        let accepted = |entry: &&Entry| matches!(entry.event, Event::Accepted { .. });
        history.entries().iter().filter(accepted).count()
    }

    /// What is broken, a sentence each.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut found = self.jobs.violations();
        found.extend(self.places());
        found
    }

    /// I1, I2, I3: every accepted job is in exactly one place, or done.
    fn places(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut places = std::collections::HashMap::<_, Vec<&Place>>::new();
        for element in &self.census.elements {
            let Some(id) = element.id else { continue };
            if !self.jobs.knows(id) {
                found.push(format!(
                    "I1: job {id} ({}) was enqueued by nobody",
                    element.place
                ));
            }
            places.entry(id).or_default().push(&element.place);
        }
        for (&id, job) in self.jobs.iter() {
            match places.get(&id).map_or(&[][..], Vec::as_slice) {
                [] if job.accepted && !job.may_be_gone() => found.push(format!(
                    "I3: job {id} is lost: it was accepted, did not end, and is nowhere ({job:?})"
                )),
                [] => {}
                [place] if job.acks > 0 => {
                    found.push(format!("I2: job {id} is done and in {place} ({job:?})"));
                }
                [_] => {}
                several => found.push(format!("I2: job {id} is in {several:?}")),
            }
        }
        found
    }

    /// The figures that every row has.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let dead = self
            .census
            .in_places(|place| matches!(place, Place::Dead(_)));
        let figures = Figures::new()
            .with("accepted", self.jobs.accepted())
            .with("lost", 0);
        let unknown = self.jobs.unknown();
        let figures = match unknown {
            0 => figures,
            unknown => figures.with("answer unknown", unknown),
        };
        figures.with("dead", dead).with(
            "accepted outcomes per claim, max",
            self.jobs.most_accepted(),
        )
    }
}

impl Jobs {
    /// What the ledgers tell of each job.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let mut jobs = Self::default();
        for entry in history.entries() {
            jobs.note(entry);
        }
        jobs.settle();
        jobs
    }
}
