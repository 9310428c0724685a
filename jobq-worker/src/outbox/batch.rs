//! What is sent in one go: how much that may be, and its parts.

use jobq::WorkerId;
use jobq::broker::{Action, DeadCaps, MAX_BATCH, MAX_BATCH_BYTES, Settle, Settlement};

use super::Note;
use crate::shared::Shared;

/// Outcomes of one worker id on one queue, to be sent in one settle, and what is to be told about
/// each.
pub(crate) type Batch = (Settle, Notes);

/// What goes with a [`Settle`] and stays here.
#[derive(Debug)]
pub(crate) struct Notes {
    /// The queue.
    pub(super) index: usize,
    pub(super) notes: Vec<Note>,
}

/// What a round has carried so far.
#[derive(Debug, Default)]
pub(super) struct Room {
    outcomes: usize,
    bytes: usize,
}

impl Room {
    /// How many of these fit in behind the others; the first of all always does.
    pub(super) fn for_these(&mut self, settlements: &[Settlement]) -> usize {
        let left = MAX_BATCH as usize - self.outcomes;
        let fits = settlements.iter().take(left).take_while(|one| {
            let before = self.bytes;
            self.bytes += size(&one.action);
            before == 0 || self.bytes <= MAX_BATCH_BYTES
        });
        let fits = fits.count();
        self.outcomes += fits;
        fits
    }
}

fn size(action: &Action) -> usize {
    match action {
        Action::Ack | Action::Release { envelope: None, .. } => 0,
        Action::Retry { envelope, .. }
        | Action::Release {
            envelope: Some(envelope),
            ..
        } => envelope.len(),
        Action::Bury { record } => record.len(),
    }
}

/// A refused batch as two: a damaged key stops those outcomes that need it, and no others.
pub(super) fn split((settle, notes): Batch) -> impl Iterator<Item = Batch> {
    let mut parts = [false, true].map(|_| {
        let none = Notes {
            index: notes.index,
            notes: Vec::new(),
        };
        (like(&settle), none)
    });
    for (settlement, note) in settle.settlements.iter().zip(&notes.notes) {
        let part = &mut parts[usize::from(settlement.action != Action::Ack)];
        part.0.settlements.push(settlement.clone());
        part.1.notes.push(*note);
    }
    parts
        .into_iter()
        .filter(|(settle, _)| !settle.settlements.is_empty())
}

/// Without outcomes, and else the same.
pub(super) fn like(settle: &Settle) -> Settle {
    Settle {
        queue: settle.queue.clone(),
        worker: settle.worker.clone(),
        resent: settle.resent,
        caps: settle.caps,
        settlements: Vec::new(),
    }
}

pub(super) fn empty(shared: &Shared, index: usize, worker: &WorkerId) -> Batch {
    let settle = Settle {
        queue: shared.memberships[index].queue.clone(),
        worker: worker.clone(),
        resent: false,
        caps: DeadCaps::default(),
        settlements: Vec::new(),
    };
    let notes = Vec::new();
    (settle, Notes { index, notes })
}
