//! What flows through a world while its server is harmed: jobs of one producer to some workers.

use std::collections::HashMap;
use std::time::Duration;

use jobq::JobId;
use tokio::time::Instant;

use crate::history::{Entry, History};
use crate::ledger::{self, Event};
use crate::world::{Actor, Load, Setup, World};

/// How long a producer may take to end: a call that is under way is answered first.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// The queue of jobs, and one that has none: its members' counters rise by renewals alone, so that a
/// lease that is judged wrongly shows there first.
pub const BUSY_AND_IDLE: &str = "faults,idle";

/// A producer and the workers that run its jobs.
#[derive(Debug)]
pub struct Traffic {
    /// It enqueues until it is stopped.
    pub producer: Actor,
    /// All alike.
    pub workers: Vec<Actor>,
}

impl Traffic {
    /// Starts them and waits until the first jobs run.
    ///
    /// # Panics
    ///
    /// When none does.
    pub async fn start(world: &World, load: &Load, setup: &Setup, workers: usize) -> Self {
        let traffic = Self {
            producer: world.producer(load),
            workers: (0..workers).map(|_| world.worker(setup)).collect(),
        };
        world.flows(20, Duration::from_secs(20)).await;
        traffic
    }

    /// Waits until each worker has started a job from now on. Answers how long that took.
    ///
    /// # Panics
    ///
    /// When it takes longer than `limit`.
    pub async fn goes_on(&self, world: &World, limit: Duration) -> Duration {
        let (mark, began) = (world.history().entries().len(), Instant::now());
        world.each_starts(mark, &self.workers, limit).await;
        began.elapsed()
    }

    /// Has the producer end, once its last call is answered.
    ///
    /// # Panics
    ///
    /// When it hangs.
    pub async fn stop(&mut self, world: &World) {
        world.signal(&self.producer, "TERM");
        self.producer.wait(STOP_WITHIN).await;
    }

    /// What workers and producer logged as a warning or an error.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let actors = self.workers.iter().chain([&self.producer]);
        let logs = actors.map(Actor::log);
        let told = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ");
        logs.flat_map(|log| {
            let lines = log.lines().filter(told).map(str::to_owned);
            lines.collect::<Vec<_>>()
        })
        .collect()
    }
}

impl World {
    /// Waits until so many further runs have begun. Answers when the first of them did, from now on.
    ///
    /// # Panics
    ///
    /// When that takes longer than `limit`.
    pub async fn flows(&self, runs: usize, limit: Duration) -> Duration {
        let (mark, began) = (self.history().entries().len(), ledger::now());
        let first = self.until("jobs to run", limit, |world| {
            let history = world.history();
            let starts = history.entries()[mark..]
                .iter()
                .filter(|&entry| is_start(entry));
            let mut starts = starts.map(|entry| entry.at).filter(|&at| at >= began);
            let first = starts.next()?;
            (starts.count() + 1 >= runs).then_some(first)
        });
        Duration::from_millis(first.await - began)
    }

    /// Waits until each of these workers has started a job since a mark.
    ///
    /// # Panics
    ///
    /// When that takes longer than `limit`.
    pub async fn each_starts(&self, mark: usize, workers: &[Actor], limit: Duration) {
        let each_started = |world: &World| {
            let history = world.history();
            let since = &history.entries()[mark..];
            let started = |worker: &Actor| {
                let number = worker.number();
                since
                    .iter()
                    .any(|entry| entry.actor == number && is_start(entry))
            };
            workers.iter().all(started).then_some(())
        };
        let what = "each worker to start a job";
        self.until(what, limit, each_started).await;
    }
}

fn is_start(entry: &Entry) -> bool {
    matches!(entry.event, Event::Start { .. })
}

/// The longest that a producer waited for an answer.
#[must_use]
pub fn longest_call(history: &History) -> Duration {
    let mut asked = HashMap::<JobId, u64>::new();
    let mut longest = 0;
    for entry in history.entries() {
        match entry.event {
            Event::Intent { id, .. } => {
                asked.insert(id, entry.at);
            }
            Event::Accepted { id } | Event::Unknown { id } | Event::Refused { id } => {
                let began = asked.remove(&id).unwrap_or(entry.at);
                longest = longest.max(entry.at - began);
            }
            _ => {}
        }
    }
    Duration::from_millis(longest)
}

/// Claims whose token a worker was given for two different jobs: of these, one could settle the
/// other.
#[must_use]
pub fn tokens_given_twice(history: &History) -> Vec<String> {
    let mut given = HashMap::<(&str, &str, &str), JobId>::new();
    let mut found = Vec::new();
    for entry in history.entries() {
        if let Event::Claimed {
            queue,
            worker,
            token,
            id,
            ..
        }
        | Event::Adopted {
            queue,
            worker,
            token,
            id,
            ..
        } = &entry.event
        {
            let before = given.insert((queue, worker, token), *id);
            if before.is_some_and(|before| before != *id) {
                found.push(format!(
                    "{worker} was given {token} of {queue} for {before:?} and {id}"
                ));
            }
        }
    }
    found
}

/// How many entries there are of a kind.
#[must_use]
pub fn count(history: &History, is: impl Fn(&Event) -> bool) -> usize {
    let events = history.entries().iter().map(|entry| &entry.event);
    events.filter(|event| is(event)).count()
}
