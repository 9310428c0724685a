//! What each fault cost: which runs it had begun anew, and when.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::Jobs;
use super::job::{Run, RunEnd};
use crate::history::History;
use crate::ledger::Event;
use crate::row::Figures;

/// What killed workers cost, and what nobody can explain.
#[derive(Debug, Default)]
pub struct Harm {
    /// By the process that was killed: how many of its runs were begun again.
    pub again: BTreeMap<usize, usize>,
    /// From a kill to the next start of each job that the worker had, in ms: of those that did not
    /// become suspects by it.
    pub waited: Vec<u64>,
    /// The same of those that did, and so waited for an empty worker.
    pub suspects_waited: Vec<u64>,
    /// Starts after a run that neither failed nor was ended with its process.
    pub unexplained: Vec<String>,
    /// How many workers were adopted, although nothing was done to them: by what they were told, and by
    /// what others took over from them.
    pub false_adoptions: usize,
    /// How many jobs were taken over.
    pub adopted: usize,
    /// How often a worker was told that it was adopted.
    pub reaped: usize,
}

impl Harm {
    /// Reads it from the ledgers.
    #[must_use]
    pub fn of(history: &History, jobs: &Jobs) -> Self {
        let killed = when_killed(history);
        let harmed = when_harmed(history);
        let events = |is: fn(&Event) -> bool| {
            history
                .entries()
                .iter()
                .filter(|entry| is(&entry.event))
                .count()
        };
        let mut harm = Self {
            again: killed.keys().map(|&actor| (actor, 0)).collect(),
            false_adoptions: false_adoptions(history, &harmed),
            adopted: events(|event| matches!(event, Event::Adopted { .. })),
            reaped: events(|event| matches!(event, Event::Reaped { .. })),
            ..Self::default()
        };
        for (id, job) in jobs.iter() {
            for pair in job.runs.windows(2) {
                let [before, after] = pair else { continue };
                match killed.get(&before.actor) {
                    Some(&at) if after.at >= at => {
                        // Where another worker died with it before it could start, too.
                        let between = at..=after.at;
                        let suspect = job.suspected.iter().any(|at| between.contains(at));
                        harm.note(before, after.at - at, suspect);
                    }
                    _ if has_cause(before) => {}
                    _ if harmed.get(&before.actor).is_some_and(|&at| at <= after.at) => {}
                    _ => harm
                        .unexplained
                        .push(format!("{id}: {before:?}, then {after:?}")),
                }
            }
        }
        harm
    }

    fn note(&mut self, before: &Run, waited: u64, suspect: bool) {
        if matches!(before.end, Some(RunEnd::Failed)) {
            return;
        }
        *self.again.entry(before.actor).or_default() += 1;
        match suspect {
            false => self.waited.push(waited),
            true => self.suspects_waited.push(waited),
        }
    }

    /// No worker that was alive was adopted, and no job was started again without a reason.
    ///
    /// # Panics
    ///
    /// Otherwise.
    pub fn assert_explained(&self) {
        assert_eq!(self.false_adoptions, 0, "living workers were adopted");
        assert!(
            self.unexplained.is_empty(),
            "started again for no reason: {:#?}",
            self.unexplained
        );
    }

    /// A kill cost at most so many runs, and each of them was begun again within a time.
    ///
    /// # Panics
    ///
    /// Otherwise.
    pub fn assert_bounds(&self, extra: usize, within: Duration) {
        assert!(
            self.most_again() <= extra,
            "a kill cost more than {extra} runs: {:?}",
            self.again
        );
        let longest = self.waited.iter().max().copied().unwrap_or(0);
        assert!(
            Duration::from_millis(longest) <= within,
            "ready again after {longest} ms"
        );
    }

    /// The most runs that one kill had begun again.
    #[must_use]
    pub fn most_again(&self) -> usize {
        self.again.values().copied().max().unwrap_or(0)
    }

    /// As they stand in the sheet.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let again: usize = self.again.values().sum();
        let kills = self.again.len();
        let figures = Figures::new()
            .with("kills", kills)
            .with("extra starts", again)
            .with(
                "extra starts per kill",
                format!(
                    "mean {:.2} max {}",
                    again as f64 / kills.max(1) as f64,
                    self.most_again()
                ),
            )
            .with("ready again, s", mean_and_max(&self.waited))
            .with("false adoptions", self.false_adoptions);
        match self.suspects_waited.is_empty() {
            true => figures,
            false => figures.with("suspects again, s", mean_and_max(&self.suspects_waited)),
        }
    }
}

/// `mean 1.2 max 3.4`, of times in ms.
#[must_use]
pub fn mean_and_max(ms: &[u64]) -> String {
    let seconds = |ms: f64| format!("{:.2}", ms / 1000.0);
    let mean = ms.iter().sum::<u64>() as f64 / ms.len().max(1) as f64;
    let max = ms.iter().copied().max().unwrap_or(0);
    format!("mean {} max {}", seconds(mean), seconds(max as f64))
}

/// The same of times.
#[must_use]
pub fn seconds(times: &[Duration]) -> String {
    let ms = times.iter().map(|time| u64::try_from(time.as_millis()));
    mean_and_max(&ms.map(|ms| ms.unwrap_or(u64::MAX)).collect::<Vec<_>>())
}

fn has_cause(run: &Run) -> bool {
    matches!(run.end, Some(RunEnd::Failed | RunEnd::Cancelled))
}

fn when_killed(history: &History) -> HashMap<usize, u64> {
    let kill = |entry: &crate::history::Entry| match entry.event {
        Event::Killed { actor } => Some((actor, entry.at)),
        _ => None,
    };
    history.entries().iter().filter_map(kill).collect()
}

/// When something was first done to a process.
fn when_harmed(history: &History) -> HashMap<usize, u64> {
    let mut harmed = HashMap::<usize, u64>::new();
    for entry in history.entries() {
        if let Event::Fault { actor, .. } | Event::Killed { actor } = entry.event {
            let first = harmed.entry(actor).or_insert(entry.at);
            *first = entry.at.min(*first);
        }
    }
    harmed
}

/// Workers to whose process nothing had been done when they were told that they were adopted, or when
/// one of their jobs was taken over.
fn false_adoptions(history: &History, harmed: &HashMap<usize, u64>) -> usize {
    let mut processes = HashMap::new();
    for entry in history.entries() {
        if let Event::Claimed { worker, .. } | Event::Settled { worker, .. } = &entry.event {
            processes.insert(worker, entry.actor);
        }
    }
    let adopted = history
        .entries()
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Reaped { worker } => Some((worker, entry.actor, entry.at)),
            Event::Adopted { target, .. } => Some((target, *processes.get(target)?, entry.at)),
            _ => None,
        });
    let sound = |&(_, process, at): &(_, usize, u64)| {
        harmed.get(&process).is_none_or(|&harmed| at < harmed)
    };
    let workers: HashSet<_> = adopted.filter(sound).map(|(worker, ..)| worker).collect();
    workers.len()
}
