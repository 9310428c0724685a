//! The jobs a worker can run, by name: checked as a whole when the worker is built.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jobq::runtime::text::{cut, quoted};
use jobq::runtime::{Registration, States};

use crate::error::BuildError;
use crate::nearest::nearest;
use crate::report::JobIndex;

/// Jobs by name.
#[derive(Debug)]
pub(crate) struct Registry {
    by_name: HashMap<&'static [u8], Arc<Entry>>,
    /// Names that were met and are not known, at most [`MAX_UNKNOWN`].
    unknown: Mutex<HashSet<String>>,
}

/// A job with the place of its name among all, sorted.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) index: JobIndex,
    pub(crate) registration: Registration,
}

/// Unknown names remembered, so that each is warned about once; beyond, none is.
const MAX_UNKNOWN: usize = 1000;

impl Registry {
    /// Checks that names are unique, that there is a job, and that every state is there.
    pub(crate) fn new(
        registrations: impl IntoIterator<Item = Registration>,
        states: &States,
    ) -> Result<Self, BuildError> {
        let mut by_name = HashMap::new();
        for job in registrations {
            if let Some(first) = by_name.insert(job.name.as_bytes(), job) {
                return Err(duplicate(&first, &job));
            }
            for state in job.states {
                if !states.has(state.id()) {
                    return Err(BuildError::MissingState {
                        job: job.name,
                        place: job.place.to_string(),
                        type_name: state.name(),
                        given: in_words(&states.names()),
                    });
                }
            }
        }
        if by_name.is_empty() {
            return Err(BuildError::NoJobs);
        }
        let mut sorted: Vec<_> = by_name.into_iter().collect();
        sorted.sort_by_key(|(name, _)| *name);
        let entry = |(place, (name, registration))| {
            let index = JobIndex::new(place);
            let entry = Entry {
                index,
                registration,
            };
            (name, Arc::new(entry))
        };
        Ok(Self {
            by_name: sorted.into_iter().enumerate().map(entry).collect(),
            unknown: Mutex::default(),
        })
    }

    /// By the bytes of its name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Arc<Entry>> {
        self.by_name.get(name)
    }

    /// The place of a name among all.
    pub(crate) fn index(&self, name: &[u8]) -> JobIndex {
        self.get(name).map_or(JobIndex::OTHER, |entry| entry.index)
    }

    /// Whether jobs of this name go to the queue by default.
    #[cfg(any(feature = "metrics", feature = "prometheus"))]
    pub(crate) fn is_default(&self, name: &str, queue: &jobq::QueueName) -> bool {
        let entry = self.get(name.as_bytes());
        entry.is_some_and(|entry| entry.registration.defaults.queue == queue.as_str())
    }

    /// Warns once about a name that no job here has.
    pub(crate) fn warn_unknown(&self, name: &str) {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.len() < MAX_UNKNOWN && unknown.insert(name.to_owned()) {
            tracing::warn!(
                job.name = name,
                "no job of this name is registered here; its jobs wait for a worker that has it. Does the \
                 binary name its crate (`use my_jobs as _;`), or call .register::<MyJob>()?"
            );
        }
    }

    /// The name of every job, sorted.
    pub(crate) fn names(&self) -> BTreeSet<&'static str> {
        let entries = self.by_name.values();
        entries.map(|entry| entry.registration.name).collect()
    }

    /// What may be wrong with a list of queues that was set: one that no job names, or names that
    /// are not in it. A queue may be meant for jobs that are sent there call by call, and other
    /// workers may serve the rest: so it is told, and no error.
    pub(crate) fn doubts<'a>(&self, listed: impl Iterator<Item = &'a str>) -> Option<String> {
        let listed: BTreeSet<&str> = listed.collect();
        let named: BTreeSet<&str> = self.defaults().collect();
        let odd = listed
            .difference(&named)
            .filter(|queue| **queue != "default");
        let odd: Vec<_> = odd.map(|queue| doubtful(queue, &named)).collect();
        let left_out: Vec<_> = named.difference(&listed).map(|q| quoted(q)).collect();
        let mut doubts = Vec::new();
        if !odd.is_empty() {
            let odd = in_a_row(&odd);
            doubts.push(format!("no job here goes by default to {odd}"));
        }
        if !left_out.is_empty() {
            let left_out = in_a_row(&left_out);
            doubts.push(format!(
                "jobs here go to {left_out}, which this worker leaves out"
            ));
        }
        (!doubts.is_empty()).then(|| doubts.join("; "))
    }

    /// The queues that jobs go to by default, `default` among them.
    pub(crate) fn queues(&self) -> BTreeSet<&'static str> {
        self.defaults().chain(["default"]).collect()
    }

    /// The queue of each job.
    fn defaults(&self) -> impl Iterator<Item = &'static str> {
        let entries = self.by_name.values();
        entries.map(|entry| entry.registration.defaults.queue)
    }
}

/// Types as they stand in a message: the first few of them.
fn in_words(types: &[&str]) -> String {
    const MOST: usize = 3;
    if types.is_empty() {
        return "no state".to_owned();
    }
    let named = types.iter().take(MOST);
    let named: Vec<_> = named
        .map(|name| format!("State<{}>", cut(name, 60)))
        .collect();
    match types.len().saturating_sub(MOST) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// `queue "a"`, `queues "a", "b"`
fn in_a_row(queues: &[String]) -> String {
    let plural = if queues.len() > 1 { "s" } else { "" };
    format!("queue{plural} {}", queues.join(", "))
}

/// A queue that no job names, with what may have been meant.
fn doubtful(queue: &str, named: &BTreeSet<&str>) -> String {
    match queue.rsplit_once(':') {
        Some((_, weight)) => format!(
            "{} (of which {} is no weight, but part of the name)",
            quoted(queue),
            quoted(weight)
        ),
        None => match nearest(queue, named.iter().copied().chain(["default"])) {
            Some(meant) => format!("{} (did you mean {}?)", quoted(queue), quoted(meant)),
            None => quoted(queue),
        },
    }
}

/// The places in the order of the source, so that the message is the same at every start.
pub(crate) fn duplicate(a: &Registration, b: &Registration) -> BuildError {
    let (a_place, b_place) = ((a.place.file, a.place.line), (b.place.file, b.place.line));
    let (first, second) = if a_place <= b_place { (a, b) } else { (b, a) };
    BuildError::DuplicateJob {
        name: a.name,
        first: first.place.to_string(),
        second: second.place.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_without_jobs_is_refused_with_the_cure() {
        let error = Registry::new([], &States::default()).expect_err("there is no job");
        assert!(matches!(error, BuildError::NoJobs));
        let message = error.to_string();
        assert!(message.contains("use my_jobs as _;"), "{message}");
        assert!(message.contains(".register::<MyJob>()"), "{message}");
    }
}
