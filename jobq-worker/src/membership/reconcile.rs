//! What a reconcile may release: tokens of claims that were answered or given up, whose jobs nobody
//! holds here.

use jobq::{Token, WorkerId};

use super::Membership;

impl Membership {
    /// Takes the wish for a reconcile.
    pub(crate) fn take_reconcile(&self) -> bool {
        std::mem::take(&mut self.state().reconcile)
    }

    /// Asks for a reconcile.
    pub(crate) fn want_reconcile(&self) {
        self.state().reconcile = true;
    }

    /// The highest claim number whose jobs a reconcile that begins now may release: that of the
    /// last answer before the oldest outstanding request was sent.
    pub(crate) fn reconcile_limit(&self) -> (WorkerId, u64) {
        let state = self.state();
        let limit = state
            .outstanding
            .values()
            .copied()
            .min()
            .unwrap_or(state.known);
        (state.worker().clone(), limit)
    }

    /// Of the tokens that the broker has for `worker`, those that nobody holds here and that are
    /// not above `limit`.
    pub(crate) fn unknown(&self, worker: &WorkerId, stored: &[Token], limit: u64) -> Vec<Token> {
        let state = self.state();
        if state.worker() != worker {
            return Vec::new();
        }
        let unknown = |token: &&Token| token.claim <= limit && !state.held.contains(**token);
        let mut tokens: Vec<Token> = stored.iter().filter(unknown).copied().collect();
        tokens.sort_unstable();
        tokens
    }
}
