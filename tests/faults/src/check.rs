//! The invariants, asked of all ledgers and all keys. Each violation is a sentence; a test shows of
//! each that it is found.
//!
//! | invariant | where it is asked |
//! | --- | --- |
//! | I1 accepted = in a place + done · I2 in one place · I3 none lost | [`Check`] |
//! | I4 one outcome a claim · I6 attempts · I8 never early | [`Jobs`] |
//! | I5 no orphan · I11 keys as before | [`Check::of_the_end`] |
//! | I7 new jobs start at once | `World::canaries`, a figure |
//! | I9 first in, first out | [`Jobs::out_of_order`], where a row has one slot |
//! | I10 bad data delays nobody | the row that enqueues it |
//! | I12 nothing after a pause | `pauses.rs` |

mod harm;
mod job;
mod jobs;
mod pauses;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jobq::JobId;

use crate::census::{Census, Place};
use crate::row::Figures;
use crate::world::World;

pub use self::harm::{Harm, mean_and_max, seconds};
pub use self::job::{JobRecord, Retry, Run, RunEnd};
pub use self::jobs::Jobs;

/// What is known once nothing was found to be broken.
#[derive(Debug, Default)]
pub struct Check {
    /// What had become of each job before the keys were read.
    before: Jobs,
    /// What became of each job.
    pub jobs: Jobs,
    /// What lies in Redis.
    pub census: Census,
    /// What was claimed from paused queues.
    paused: Vec<String>,
}

/// How many violations are printed.
const PRINTED: usize = 20;

impl Check {
    /// Reads all ledgers and all keys, at rest or under load.
    ///
    /// # Panics
    ///
    /// When an invariant is broken.
    pub async fn of(world: &World) -> Self {
        let check = Self::read(world).await;
        none(&check.violations());
        check
    }

    /// Reads all ledgers and all keys, whatever is broken.
    ///
    /// # Panics
    ///
    /// When Redis does not answer.
    pub async fn read(world: &World) -> Self {
        // What is accepted before the keys are read is in them, or has ended by now.
        let before = Jobs::of(&world.history());
        let census = world.census().await;
        let history = world.history();
        Self {
            before,
            jobs: Jobs::of(&history),
            census,
            paused: pauses::violations(&history),
        }
    }

    /// The same once all workers have left: nothing is in flight (I5), and the keys are those of a
    /// queue at rest (I11).
    ///
    /// # Panics
    ///
    /// When an invariant is broken.
    pub async fn of_the_end(world: &World) -> Self {
        let check = Self::of(world).await;
        none(&check.census.leftovers());
        check
    }

    /// What is broken, a sentence each.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut found = self.jobs.violations();
        found.extend(self.places());
        found.extend(self.paused.iter().cloned());
        found
    }

    /// I1, I2, I3: every accepted job is in exactly one place, or done.
    fn places(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut places = HashMap::<JobId, Vec<&Place>>::new();
        for element in &self.census.elements {
            let Some(id) = element.id else { continue };
            if self.jobs.get(id).is_none_or(|job| job.refused) {
                let place = &element.place;
                found.push(format!("I1: job {id} ({place}) was enqueued by nobody"));
            }
            places.entry(id).or_default().push(&element.place);
        }
        for (&id, job) in self.before.iter() {
            let gone = self.jobs.get(id).is_some_and(JobRecord::may_be_gone);
            match places.get(&id).map_or(&[][..], Vec::as_slice) {
                [] if job.accepted && !gone => found.push(format!(
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

    /// How many accepted jobs are nowhere, and did not end (I3).
    #[must_use]
    pub fn lost(&self) -> usize {
        let places = self.places();
        places.iter().filter(|one| one.starts_with("I3:")).count()
    }

    /// How many elements are with a worker: in its handoff, or in flight.
    #[must_use]
    pub fn held(&self) -> usize {
        let held = |place: &Place| matches!(place, Place::Handoff(_) | Place::InFlight(..));
        self.census.in_places(held)
    }

    /// How many jobs were accepted so far.
    #[must_use]
    pub fn accepted(world: &World) -> usize {
        world.history().accepted()
    }

    /// The figures that every row has.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let dead = |place: &Place| matches!(place, Place::Dead(_));
        let figures = Figures::new()
            .with("accepted", self.jobs.accepted())
            .with("lost", self.lost());
        let figures = match self.jobs.unknown() {
            0 => figures,
            unknown => figures.with("answer unknown", unknown),
        };
        figures
            .with("dead", self.census.in_places(dead))
            .with("outcomes per claim, max", self.jobs.most_accepted())
    }
}

impl Census {
    /// I5, I11: what is there although no worker is left and nothing is to run.
    #[must_use]
    pub fn leftovers(&self) -> Vec<String> {
        // What a worker told of itself that was killed is kept for a minute, for people to see it.
        let may_stay = |key: &&String| {
            let of_queues = ["}:meta", "}:dead", "}:totals"];
            ["queues", "workers"].contains(&key.as_str())
                || of_queues.iter().any(|end| key.ends_with(end))
        };
        let keys = self.keys.iter().filter(|key| !may_stay(key));
        keys.map(|key| format!("I11: {key} is left")).collect()
    }
}

fn none(violations: &[String]) {
    let shown = violations.iter().take(PRINTED).cloned().collect::<Vec<_>>();
    assert!(
        violations.is_empty(),
        "{} violations:\n{}",
        violations.len(),
        shown.join("\n")
    );
}
