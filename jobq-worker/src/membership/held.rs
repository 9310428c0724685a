//! The jobs that a worker holds on one queue, by token, and how to end them.

use std::collections::BTreeMap;

use jobq::Token;
use tokio::task::AbortHandle;

/// Jobs held, by claim and index: one tree entry for a batch, not one for a job.
#[derive(Debug, Default)]
pub(super) struct Held(BTreeMap<u64, ClaimJobs>);

/// The jobs of one claim.
#[derive(Debug)]
struct ClaimJobs {
    /// By index, whether it is held.
    held: Vec<bool>,
    live: usize,
    /// Of the tasks that run them.
    aborts: Vec<AbortHandle>,
}

impl Held {
    /// Adds so many jobs of a claim.
    pub(super) fn insert(&mut self, claim: u64, jobs: usize) {
        if jobs > 0 {
            let batch = ClaimJobs {
                held: vec![true; jobs],
                live: jobs,
                aborts: Vec::new(),
            };
            self.0.insert(claim, batch);
        }
    }

    /// Attaches how to abort tasks that run jobs of a claim.
    pub(super) fn attach(&mut self, claim: u64, aborts: Vec<AbortHandle>) {
        if let Some(batch) = self.0.get_mut(&claim) {
            batch.aborts.extend(aborts);
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

    /// How to end the tasks that run what is held.
    pub(super) fn aborts(&self) -> impl Iterator<Item = &AbortHandle> {
        self.0.values().flat_map(|batch| &batch.aborts)
    }
}

fn place(token: Token) -> Option<usize> {
    (token.index as usize).checked_sub(1)
}
