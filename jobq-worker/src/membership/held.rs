//! The jobs that a worker holds on one queue, by token, and how to end them.

use std::collections::BTreeMap;

use jobq::Token;
use jobq::runtime::Cancellation;
use tokio::task::AbortHandle;

/// Jobs held, by claim and index: one tree entry for a batch, not one for a job.
#[derive(Debug, Default)]
pub(super) struct Held(BTreeMap<u64, ClaimJobs>);

/// The jobs of one claim, by index.
#[derive(Debug)]
struct ClaimJobs {
    jobs: Vec<Option<Running>>,
    live: usize,
}

/// How to end a job that is held.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) cancellation: Cancellation,
    /// `None` before it starts, and for what cannot be aborted.
    pub(super) abort: Option<AbortHandle>,
}

impl Held {
    /// Adds the jobs of a claim: none if there are no cancellations.
    pub(super) fn insert(&mut self, claim: u64, cancellations: &[Cancellation]) {
        let running = |cancellation: &Cancellation| {
            let cancellation = cancellation.clone();
            Some(Running {
                cancellation,
                abort: None,
            })
        };
        let jobs: Vec<_> = cancellations.iter().map(running).collect();
        let live = jobs.len();
        if live > 0 {
            self.0.insert(claim, ClaimJobs { jobs, live });
        }
    }

    /// Attaches how to abort the jobs of a claim.
    pub(super) fn attach(&mut self, claim: u64, aborts: Vec<Option<AbortHandle>>) {
        let Some(batch) = self.0.get_mut(&claim) else {
            return;
        };
        for (job, abort) in batch.jobs.iter_mut().zip(aborts) {
            if let Some(job) = job {
                job.abort = abort;
            }
        }
    }

    pub(super) fn contains(&self, token: Token) -> bool {
        let place = (token.index as usize).checked_sub(1);
        let batch = self.0.get(&token.claim);
        batch
            .zip(place)
            .is_some_and(|(batch, place)| matches!(batch.jobs.get(place), Some(Some(_))))
    }

    pub(super) fn forget(&mut self, token: Token) {
        if !self.contains(token) {
            return;
        }
        if let Some(batch) = self.0.get_mut(&token.claim) {
            batch.jobs[token.index as usize - 1] = None;
            batch.live -= 1;
            if batch.live == 0 {
                self.0.remove(&token.claim);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(|batch| batch.live).sum()
    }

    pub(super) fn tokens(&self) -> Vec<Token> {
        let tokens = self.0.iter().flat_map(|(&claim, batch)| {
            let jobs = (1..).zip(&batch.jobs).filter(|(_, job)| job.is_some());
            jobs.map(move |(index, _)| Token { claim, index })
        });
        tokens.collect()
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = &Running> {
        self.0
            .values()
            .flat_map(|batch| batch.jobs.iter().flatten())
    }

    pub(super) fn into_jobs(self) -> impl Iterator<Item = Running> {
        self.0.into_values().flat_map(|batch| batch.jobs).flatten()
    }
}
