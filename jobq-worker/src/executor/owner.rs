//! Whose the claimed jobs are, and what a run of one of them leaves.

use std::sync::Arc;

use jobq::broker::{Action, ReleaseTo, Settlement};
use jobq::runtime::Surroundings;
use jobq::{JobId, QueueName, Token, WorkerId};

use crate::membership::{Membership, Tenure};
use crate::outbox::{Kind, Note};
use crate::shared::Shared;
use crate::slots::Filled;

/// Whose claimed jobs are: an id of this worker on a queue.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) shared: Arc<Shared>,
    pub(super) index: usize,
    pub(super) worker: WorkerId,
    pub(super) surroundings: Arc<Surroundings>,
}

impl Owner {
    pub(super) fn new(shared: &Arc<Shared>, index: usize, tenure: Tenure) -> Arc<Self> {
        let Tenure {
            worker,
            lease,
            cancellation,
        } = tenure;
        let surroundings = Surroundings {
            queue: shared.memberships[index].queue.clone(),
            client: shared.client.clone(),
            states: shared.states.clone(),
            cancellation,
            lease,
        };
        Arc::new(Self {
            shared: shared.clone(),
            index,
            worker,
            surroundings: Arc::new(surroundings),
        })
    }

    pub(super) fn membership(&self) -> &Membership {
        &self.shared.memberships[self.index]
    }

    pub(super) fn queue(&self) -> &QueueName {
        &self.surroundings.queue
    }

    /// Puts the outcome into the outbox, and gives the slot back after that: once all slots are
    /// free, every outcome is there.
    pub(super) fn settle(&self, ending: Ending) {
        let Ending {
            settlement,
            note,
            slot,
        } = ending;
        let (shared, outcome) = (&self.shared, [(settlement, note)]);
        shared
            .outbox
            .push(shared, self.index, &self.worker, outcome);
        match slot {
            // Tells the fetcher, which may have taken the outcome and not seen the slot.
            Some(slot) => drop(slot),
            None => shared.work.notify_one(),
        }
    }
}

/// What a run leaves: what is to be sent, and the slot that is free then. A blocking run that goes on
/// after its timeout keeps its own.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) settlement: Settlement,
    pub(super) note: Note,
    pub(super) slot: Option<Filled>,
}

impl Ending {
    pub(super) fn new(token: Token, action: Action, note: Note, slot: Option<Filled>) -> Self {
        Self {
            settlement: Settlement { token, action },
            note,
            slot,
        }
    }

    /// Released as it is, with no run and no attempt.
    pub(super) fn given_back(
        token: Token,
        to: ReleaseTo,
        id: Option<JobId>,
        slot: Option<Filled>,
    ) -> Self {
        let (envelope, note) = (None, Note::not_run(id, Kind::Released));
        Self::new(token, Action::Release { to, envelope }, note, slot)
    }
}
