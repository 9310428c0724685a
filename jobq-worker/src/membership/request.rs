//! A claim or an adoption on its way: answered, or given up.

use std::sync::MutexGuard;

use jobq::WorkerId;
use tokio::time::Instant;

use super::{Membership, State, Tenure};

/// A claim or adoption that was sent. Dropped without an answer, it is given up: it may still be
/// carried out, and a reconcile finds what it took.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(super) membership: &'a Membership,
    pub(super) id: u64,
    pub(super) worker: WorkerId,
    pub(super) sent: Instant,
    pub(super) open: bool,
}

impl<'a> Request<'a> {
    /// Notes the counter of the answer before its jobs are taken: a server that has lost its latest
    /// writes would else give out the same one again meanwhile, and with it the same tokens.
    pub(crate) fn heard(&self, counter: u64) {
        let mut state = self.membership.state();
        if state.worker() == &self.worker {
            self.note(&mut state, counter);
        }
    }

    /// The first counter makes the worker a member.
    fn note(&self, state: &mut State, counter: u64) {
        if state.known == 0 {
            state.tenure.lease.renewed(self.sent);
        }
        state.known = state.known.max(counter);
    }

    /// No longer outstanding. `None` if the worker was reaped meanwhile.
    fn close(&mut self) -> Option<MutexGuard<'a, State>> {
        self.open = false;
        let mut state = self.membership.state();
        if state.worker() != &self.worker {
            return None;
        }
        state.outstanding.remove(&self.id);
        Some(state)
    }

    /// Takes the answer: from now on so many jobs are held, under tokens `counter.1` … Gives the id
    /// they are held under; `None`, and nothing is taken, if the worker was reaped meanwhile: what
    /// the answer holds is someone else's by now.
    pub(crate) fn answered(mut self, counter: u64, jobs: usize) -> Option<Tenure> {
        let mut state = self.close()?;
        self.note(&mut state, counter);
        state.held.insert(counter, jobs);
        Some(state.tenure.clone())
    }

    /// The answer was that nothing was done: nothing was taken, and the worker is no more of a member
    /// than before.
    pub(crate) fn declined(mut self) {
        self.close();
    }

    /// The answer was that the worker was adopted. Gives the id that was.
    pub(crate) fn reaped(mut self) -> WorkerId {
        self.open = false;
        self.worker.clone()
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        if let Some(mut state) = self.close() {
            state.reconcile = true;
        }
    }
}
