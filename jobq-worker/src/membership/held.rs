//! The jobs that a worker holds on one queue, by token, and how to end them.

use std::collections::BTreeMap;

use std::sync::{Arc, Weak};

use jobq::Token;
use tokio::task::AbortHandle;

use crate::at_work::{AtWork, Works};

/// Jobs held, by claim and index: one tree entry for a batch, not one for a job.
#[derive(Debug, Default)]
pub(super) struct Held(BTreeMap<u64, ClaimJobs>);

/// The jobs of one claim.
#[derive(Debug)]
struct ClaimJobs {
    /// By index, whether it is held.
    held: Vec<bool>,
    live: usize,
    tasks: Vec<Task>,
}

/// A task that runs jobs of a claim: how to end it, and to see what it runs.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    abort: AbortHandle,
    works: Weak<dyn Works>,
}

impl Task {
    pub(crate) fn new<W: Works + 'static>(abort: AbortHandle, works: &Arc<W>) -> Self {
        let works = Arc::downgrade(works);
        Self { abort, works }
    }

    pub(crate) fn abort(&self) {
        self.abort.abort();
    }
}

impl Held {
    /// Adds so many jobs of a claim.
    pub(super) fn insert(&mut self, claim: u64, jobs: usize) {
        if jobs > 0 {
            let batch = ClaimJobs {
                held: vec![true; jobs],
                live: jobs,
                tasks: Vec::new(),
            };
            self.0.insert(claim, batch);
        }
    }

    /// Attaches tasks that run jobs of a claim.
    pub(super) fn attach(&mut self, claim: u64, tasks: Vec<Task>) {
        if let Some(batch) = self.0.get_mut(&claim) {
            batch.tasks.extend(tasks);
        }
    }

    pub(super) fn contains(&self, token: Token) -> bool {
        let batch = self.0.get(&token.claim);
        let held = batch
            .zip(place(token))
            .and_then(|(batch, place)| batch.held.get(place));
        held == Some(&true)
    }

    pub(super) fn forget(&mut self, token: Token) {
        let batch = self.0.get_mut(&token.claim).zip(place(token));
        let Some((batch, place)) = batch else { return };
        let Some(held @ true) = batch.held.get_mut(place) else {
            return;
        };
        *held = false;
        batch.live -= 1;
        if batch.live == 0 {
            self.0.remove(&token.claim);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(|batch| batch.live).sum()
    }

    pub(super) fn tokens(&self) -> Vec<Token> {
        let tokens = self.0.iter().flat_map(|(&claim, batch)| {
            let held = (1..).zip(&batch.held).filter(|(_, held)| **held);
            held.map(move |(index, _)| Token { claim, index })
        });
        tokens.collect()
    }

    /// The tasks that run what is held.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.0.values().flat_map(|batch| &batch.tasks)
    }

    /// What runs, that of the oldest claims first.
    pub(super) fn at_work(&self) -> impl Iterator<Item = AtWork> {
        self.tasks()
            .filter_map(|task| task.works.upgrade()?.at_work())
    }
}

fn place(token: Token) -> Option<usize> {
    (token.index as usize).checked_sub(1)
}
