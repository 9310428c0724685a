//! What the jobs of a worker came to, by queue and name. Jobs are counted when the broker has accepted
//! their outcome, many of a kind with one addition.

use std::time::Duration;

use jobq::Totals;
use jobq::broker::{MAX_NAMES, MAX_TALLIES, OTHER_JOBS};

use crate::meters::{Bucket, Histogram, JOB_TIMES};
use crate::outbox::{Kind, Note};
use crate::telemetry::Counter;

/// The place of a job's name among those that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JobIndex(pub(crate) u32);

impl JobIndex {
    /// Of a job with no place of its own: nobody here knows its name, or there are too many.
    pub(crate) const OTHER: Self = Self(u32::MAX);

    /// Of the name that has this place among all.
    pub(crate) fn new(place: usize) -> Self {
        match u32::try_from(place) {
            Ok(place) if (place as usize) < MAX_NAMES => Self(place),
            _ => Self::OTHER,
        }
    }
}

/// The figures of one worker while they grow.
#[derive(Debug)]
pub(crate) struct Tallies {
    /// The names that are counted apart, and that of the others.
    names: Vec<&'static str>,
    /// By queue and name.
    by_queue: Vec<Vec<Figures>>,
}

/// What the jobs of one name came to on one queue.
#[derive(Debug)]
pub(crate) struct Figures {
    by_outcome: [Counter; OUTCOMES.len()],
    /// Of those that ended in the dead list, the ones whose last run had failed.
    failed: Counter,
    /// How long runs took, in ns.
    pub(crate) runs: Histogram,
}

/// The outcomes of jobs, by their places; the first [`USUAL`] are those that every job may have.
pub(crate) const OUTCOMES: [&str; 7] = [
    "done",
    "retried",
    "dead",
    "discarded",
    "cancelled",
    "snoozed",
    "released",
];

/// See [`OUTCOMES`].
#[cfg(any(feature = "metrics", feature = "prometheus"))]
pub(crate) const USUAL: usize = 3;

const DONE: usize = 0;
const RETRIED: usize = 1;
const DEAD: usize = 2;

/// The place of an outcome; `None` of one that is counted elsewhere.
fn place(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Done => Some(DONE),
        Kind::Retried => Some(RETRIED),
        Kind::Dead { .. } => Some(DEAD),
        Kind::Discarded => Some(3),
        Kind::Cancelled => Some(4),
        Kind::Snoozed => Some(5),
        Kind::Released => Some(6),
        Kind::Adopted => None,
    }
}

impl Figures {
    fn new() -> Self {
        Self {
            by_outcome: Default::default(),
            failed: Counter::default(),
            runs: Histogram::new(&JOB_TIMES),
        }
    }

    /// By the place of the outcome.
    pub(crate) fn by_outcome(&self) -> [u64; OUTCOMES.len()] {
        self.by_outcome.each_ref().map(Counter::read)
    }

    fn totals(&self) -> Totals {
        let by_outcome = self.by_outcome();
        let mut totals = Totals::default();
        totals.done = by_outcome[DONE];
        totals.failed = by_outcome[RETRIED] + self.failed.read();
        totals.retried = by_outcome[RETRIED];
        totals.dead = by_outcome[DEAD];
        totals.spent = Duration::from_nanos(self.runs.sum());
        totals
    }
}

impl Tallies {
    /// For so many queues and jobs of these names, in the order of their places.
    pub(crate) fn new(queues: usize, names: impl IntoIterator<Item = &'static str>) -> Self {
        let names: Vec<_> = names.into_iter().take(MAX_NAMES).collect();
        let names: Vec<_> = names.into_iter().chain([OTHER_JOBS]).collect();
        let figures = || names.iter().map(|_| Figures::new()).collect();
        Self {
            by_queue: (0..queues).map(|_| figures()).collect(),
            names,
        }
    }

    /// How many reports tell of all names.
    pub(crate) fn reports(&self) -> usize {
        self.names.len().div_ceil(MAX_TALLIES)
    }

    /// The name of a job, or that of the others.
    pub(crate) fn name(&self, job: JobIndex) -> &'static str {
        self.names[self.place(job)]
    }

    /// How many names there are, the one of the others included.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The name of a place, and what its jobs came to on a queue.
    pub(super) fn get(&self, index: usize, place: usize) -> (&'static str, Totals) {
        (self.names[place], self.by_queue[index][place].totals())
    }

    /// What all jobs came to.
    pub(crate) fn sum(&self) -> Totals {
        let all = self.by_queue.iter().flatten().map(Figures::totals);
        all.fold(Totals::default(), Totals::plus)
    }

    /// Every name with its figures on a queue.
    #[cfg(any(feature = "metrics", feature = "prometheus"))]
    pub(crate) fn of_queue(&self, index: usize) -> impl Iterator<Item = (&'static str, &Figures)> {
        self.names.iter().copied().zip(&self.by_queue[index])
    }

    fn place(&self, job: JobIndex) -> usize {
        (job.0 as usize).min(self.names.len() - 1)
    }
}

/// Outcomes of one kind and name, one after the other. Dropped or followed by another kind they are
/// counted, together.
#[derive(Debug)]
pub(crate) struct Streak<'a> {
    tallies: &'a Tallies,
    index: usize,
    of: Sort,
    jobs: u64,
    spent_ns: u64,
}

/// What is counted together: jobs of one name and outcome, whose runs took about as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sort {
    job: JobIndex,
    kind: Kind,
    /// `None` without a run.
    bucket: Option<Bucket>,
}

impl Sort {
    fn of(note: &Note) -> Self {
        let bucket = (note.spent_ns > 0).then(|| JOB_TIMES.bucket_of(note.spent_ns));
        Self {
            job: note.job,
            kind: note.kind,
            bucket,
        }
    }

    fn is_of(&self, note: &Note) -> bool {
        let as_long = match self.bucket {
            Some(bucket) => bucket.has(note.spent_ns),
            None => note.spent_ns == 0,
        };
        as_long && self.job == note.job && self.kind == note.kind
    }
}

impl<'a> Streak<'a> {
    /// Of a queue.
    pub(crate) fn new(tallies: &'a Tallies, index: usize) -> Self {
        Self {
            tallies,
            index,
            of: Sort {
                job: JobIndex::OTHER,
                kind: Kind::Done,
                bucket: None,
            },
            jobs: 0,
            spent_ns: 0,
        }
    }

    pub(crate) fn add(&mut self, note: &Note) {
        if !self.of.is_of(note) {
            self.count();
            self.of = Sort::of(note);
        }
        self.jobs += 1;
        self.spent_ns = self.spent_ns.saturating_add(note.spent_ns);
    }

    fn count(&mut self) {
        let (jobs, spent_ns) = (
            std::mem::take(&mut self.jobs),
            std::mem::take(&mut self.spent_ns),
        );
        let Sort { job, kind, bucket } = self.of;
        if jobs == 0 {
            return;
        }
        let figures = &self.tallies.by_queue[self.index][self.tallies.place(job)];
        if let Some(place) = place(kind) {
            figures.by_outcome[place].add(jobs);
        }
        if kind == (Kind::Dead { failed: true }) {
            figures.failed.add(jobs);
        }
        if let Some(bucket) = bucket {
            figures.runs.add(bucket.index, jobs, spent_ns);
        }
    }
}

impl Drop for Streak<'_> {
    fn drop(&mut self) {
        self.count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(job: u32, kind: Kind, spent_ns: u64) -> Note {
        Note {
            id: None,
            kind,
            job: JobIndex(job),
            spent_ns,
        }
    }

    /// Done, failed, retried, dead and ns, by name.
    fn counted(tallies: &Tallies, index: usize) -> Vec<(&'static str, [u64; 5])> {
        let figures = |totals: Totals| {
            let ns = u64::try_from(totals.spent.as_nanos()).unwrap();
            [totals.done, totals.failed, totals.retried, totals.dead, ns]
        };
        let all = (0..tallies.len()).map(|place| tallies.get(index, place));
        all.map(|(name, totals)| (name, figures(totals))).collect()
    }

    #[test]
    fn every_kind_of_outcome_counts_for_its_name() {
        let tallies = Tallies::new(2, ["a", "b"]);
        let mut streak = Streak::new(&tallies, 1);
        for (job, kind, spent) in [
            (0, Kind::Done, 1),
            (0, Kind::Done, 2),
            (1, Kind::Done, 4),
            (0, Kind::Retried, 8),
            (0, Kind::Dead { failed: true }, 16),
            (1, Kind::Dead { failed: false }, 0),
            (1, Kind::Released, 32),
            (1, Kind::Discarded, 64),
            (1, Kind::Snoozed, 128),
            (u32::MAX, Kind::Cancelled, 0),
            (7, Kind::Done, 256),
        ] {
            streak.add(&note(job, kind, spent));
        }
        drop(streak);
        let expected = [
            ("a", [2, 2, 1, 1, 27]),
            ("b", [1, 0, 0, 1, 228]),
            (OTHER_JOBS, [1, 0, 0, 0, 256]),
        ];
        assert_eq!(counted(&tallies, 1), expected);
        assert!(counted(&tallies, 0).iter().all(|(_, all)| *all == [0; 5]));
        assert_eq!(tallies.sum().done, 4);
    }

    #[test]
    fn names_beyond_the_bound_are_counted_together() {
        let tallies = Tallies::new(1, vec!["x"; MAX_NAMES + 5]);
        assert_eq!(tallies.names.len(), MAX_NAMES + 1);
        assert_eq!(tallies.reports(), 11);
        for (place, name) in [(0, "x"), (MAX_NAMES - 1, "x"), (MAX_NAMES, OTHER_JOBS)] {
            assert_eq!(tallies.name(JobIndex::new(place)), name, "{place}");
        }
    }
}
