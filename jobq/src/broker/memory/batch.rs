//! Taking several envelopes at once, and putting several back.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::broker::{MAX_BATCH, MAX_BATCH_BYTES};

/// Puts several at the front so that the first of them is the first out.
pub(super) fn push_front_in_order(
    list: &mut VecDeque<Bytes>,
    envelopes: impl DoubleEndedIterator<Item = Bytes>,
) {
    for envelope in envelopes.rev() {
        list.push_front(envelope);
    }
}

/// What one step takes, bounded in jobs and in bytes.
pub(super) struct Batch {
    max: usize,
    bytes: usize,
    pub(super) envelopes: Vec<Bytes>,
}

impl Batch {
    pub(super) fn new(max: u32) -> Self {
        Self {
            max: max.min(MAX_BATCH) as usize,
            bytes: 0,
            envelopes: Vec::new(),
        }
    }

    pub(super) fn fits(&self, envelope: &Bytes) -> bool {
        let room = self.envelopes.is_empty() || self.bytes + envelope.len() <= MAX_BATCH_BYTES;
        room && self.envelopes.len() < self.max
    }

    pub(super) fn push(&mut self, envelope: Bytes) {
        self.bytes += envelope.len();
        self.envelopes.push(envelope);
    }

    pub(super) fn take_from(&mut self, list: &mut VecDeque<Bytes>) {
        while list.front().is_some_and(|next| self.fits(next)) {
            list.pop_front()
                .into_iter()
                .for_each(|next| self.push(next));
        }
    }
}
