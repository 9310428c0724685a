//! The jobs of a claim that were not begun, each with its slot.

use std::sync::Arc;
use std::vec;

use bytes::Bytes;
use jobq::broker::{Action, ReleaseTo};
use jobq::{Envelope, Token};

use super::owner::{Ending, Owner};
use crate::outbox::{Kind, Note};
use crate::slots::Filled;

/// Jobs of one claim that were not begun. Dropped, they are given back.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) owner: Arc<Owner>,
    pub(super) claim: u64,
    /// Where they were taken from, and are given back to.
    pub(super) from: ReleaseTo,
    /// With the places of their tokens.
    pub(super) envelopes: vec::IntoIter<(u32, Bytes)>,
    pub(super) slots: Filled,
}

/// A job that is about to begin.
pub(super) struct Next {
    pub(super) token: Token,
    pub(super) bytes: Bytes,
    pub(super) slot: Filled,
}

impl Jobs {
    pub(super) fn new(
        owner: Arc<Owner>,
        claim: u64,
        from: ReleaseTo,
        envelopes: Vec<Bytes>,
        slots: Filled,
    ) -> Self {
        let envelopes: Vec<_> = (1..).zip(envelopes).collect();
        Self {
            owner,
            claim,
            from,
            envelopes: envelopes.into_iter(),
            slots,
        }
    }

    pub(super) fn next(&mut self) -> Option<Next> {
        let (index, bytes) = self.envelopes.next()?;
        let claim = self.claim;
        Some(Next {
            token: Token { claim, index },
            bytes,
            slot: self.slots.split(1),
        })
    }

    /// The first of them, or all.
    pub(super) fn split(&mut self, jobs: usize) -> Self {
        let envelopes: Vec<_> = self.envelopes.by_ref().take(jobs).collect();
        let count = u32::try_from(envelopes.len()).expect("a grant has few jobs");
        Self {
            owner: self.owner.clone(),
            claim: self.claim,
            from: self.from,
            slots: self.slots.split(count),
            envelopes: envelopes.into_iter(),
        }
    }

    /// Settles those that somebody cancelled, by their places, and leaves the others; all if nothing
    /// is said.
    pub(super) fn drop_cancelled(&mut self, cancelled: &[bool]) {
        if !cancelled.contains(&true) {
            return;
        }
        let is_cancelled = |token: Token| cancelled.get(token.index as usize - 1) == Some(&true);
        let mut left = Vec::with_capacity(self.envelopes.len());
        while let Some(next) = self.next() {
            if is_cancelled(next.token) {
                self.owner.drop_job(next);
            } else {
                left.push((next.token.index, next.bytes));
                self.slots.join(next.slot);
            }
        }
        self.envelopes = left.into_iter();
    }

    /// Gives back what is left, with no attempt used.
    pub(super) fn give_back(&mut self) {
        while let Some(Next { token, bytes, slot }) = self.next() {
            let id = Envelope::id_of(&bytes);
            let ending = Ending::given_back(token, self.from, id, Some(slot));
            self.owner.settle(ending);
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl Owner {
    fn drop_job(&self, job: Next) {
        let Next { token, bytes, slot } = job;
        let (id, queue) = (Envelope::id_of(&bytes), self.queue());
        let envelope = Envelope::decode(bytes).ok();
        tracing::info!(
            job.id = id.map(tracing::field::display),
            job.name = envelope.as_ref().map(Envelope::name),
            job.queue = %queue,
            "dropped: the job is cancelled"
        );
        let note = Note::not_run(id, Kind::Cancelled);
        let ending = Ending::new(token, Action::Ack, note, Some(slot));
        self.settle(ending);
    }
}
