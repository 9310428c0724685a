//! Batches outcomes and judges the broker's answers to them.
//!
//! Jobs put their outcomes into the [`Outbox`]; every round of the fetcher takes what has gathered
//! since the last, so that batches are small when idle and large under load. An outcome leaves the
//! outbox for good only when the broker answered; one that was sent without an answer is sent
//! again, marked as such, and the token sees to it that it acts once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jobq::broker::{Action, DeadCaps, MAX_BATCH, MAX_BATCH_BYTES, Settle, Settled, Settlement};
use jobq::{BrokerError, JobId, Token, WorkerId};
use tokio::sync::Notify;

use crate::shared::Shared;

/// The outcome of one job, to be settled.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The queue.
    pub(crate) index: usize,
    /// The id the job was claimed under.
    pub(crate) worker: WorkerId,
    pub(crate) token: Token,
    pub(crate) action: Action,
    pub(crate) note: Note,
}

/// What is told and counted about an outcome once it is accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    /// `None` if the envelope could not be read.
    pub(crate) id: Option<JobId>,
    pub(crate) kind: Kind,
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Done,
    Discarded,
    Retried,
    Snoozed,
    Released,
    Dead,
}

/// Outcomes that wait to be settled.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pending: Mutex<Pending>,
    answered: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    finished: Vec<Finished>,
    /// Sent before without an answer: they go first.
    unanswered: Vec<Batch>,
    /// Taken and not answered yet.
    on_the_way: usize,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.finished.is_empty() && self.unanswered.is_empty() && self.on_the_way == 0
    }
}

/// Outcomes of one worker id on one queue, to be sent in one settle, and what is to be told about
/// each.
pub(crate) type Batch = (Settle, Notes);

/// What goes with a [`Settle`] and stays here.
#[derive(Debug)]
pub(crate) struct Notes {
    /// The queue.
    index: usize,
    notes: Vec<Note>,
}

impl Outbox {
    /// Puts an outcome in; answers whether it is the first since the last [`Outbox::take`].
    pub(crate) fn push(&self, finished: Finished) -> bool {
        let mut pending = self.pending();
        pending.finished.push(finished);
        pending.finished.len() == 1
    }

    /// Takes what one round may carry: at most [`MAX_BATCH`] outcomes and about
    /// [`MAX_BATCH_BYTES`], all of what was sent before, or new ones.
    pub(crate) fn take(&self, shared: &Shared) -> Vec<Batch> {
        let mut pending = self.pending();
        let batches = if pending.unanswered.is_empty() {
            let count = how_many(&pending.finished);
            let rest = pending.finished.split_off(count);
            let taken = std::mem::replace(&mut pending.finished, rest);
            group(shared, taken)
        } else {
            std::mem::take(&mut pending.unanswered)
        };
        pending.on_the_way += batches.len();
        batches
    }

    /// Takes the broker's answer to a batch; an error has it sent again.
    pub(crate) fn judge(
        &self,
        shared: &Shared,
        (mut settle, notes): Batch,
        answer: Result<Settled, BrokerError>,
    ) -> Result<(), BrokerError> {
        let result = answer.map(|settled| accept(shared, &settle, &notes, &settled));
        let mut pending = self.pending();
        pending.on_the_way -= 1;
        if let Err(error) = &result {
            settle.resent |= error.is_outcome_unknown();
            pending.unanswered.push((settle, notes));
        }
        drop(pending);
        self.answered.notify_waiters();
        result
    }

    /// Waits until every outcome was answered.
    pub(crate) async fn emptied(&self) {
        loop {
            let answered = self.answered.notified();
            if self.pending().is_empty() {
                return;
            }
            answered.await;
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn how_many(finished: &[Finished]) -> usize {
    let mut bytes = 0;
    let fits = finished.iter().take(MAX_BATCH as usize).take_while(|one| {
        let before = bytes;
        bytes += size(&one.action);
        before == 0 || bytes <= MAX_BATCH_BYTES
    });
    fits.count()
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

fn group(shared: &Shared, finished: Vec<Finished>) -> Vec<Batch> {
    let capacity = finished.len();
    let mut batches: Vec<Batch> = Vec::new();
    for one in finished {
        let same = |b: &&mut Batch| b.1.index == one.index && b.0.worker == one.worker;
        // Mostly there is one batch, and it is the last.
        let (settle, notes) = match batches.iter_mut().rev().find(same) {
            Some(batch) => batch,
            None => {
                batches.push(empty_batch(shared, &one, capacity));
                batches.last_mut().expect("one was just pushed")
            }
        };
        settle.settlements.push(Settlement {
            token: one.token,
            action: one.action,
        });
        notes.notes.push(one.note);
    }
    batches
}

fn empty_batch(shared: &Shared, one: &Finished, capacity: usize) -> Batch {
    let settle = Settle {
        queue: shared.memberships[one.index].queue.clone(),
        worker: one.worker.clone(),
        resent: false,
        caps: DeadCaps::default(),
        settlements: Vec::with_capacity(capacity),
    };
    (
        settle,
        Notes {
            index: one.index,
            notes: Vec::with_capacity(capacity),
        },
    )
}

/// Forgets what was held, counts and tells.
fn accept(shared: &Shared, settle: &Settle, notes: &Notes, settled: &Settled) {
    let tokens = settle.settlements.iter().map(|settlement| settlement.token);
    shared.memberships[notes.index].settled(&settle.worker, tokens);
    for (i, note) in notes.notes.iter().enumerate() {
        let accepted = settled.accepted.get(i).copied().unwrap_or(false);
        count(shared, settle, *note, accepted);
    }
    if settled.dropped > 0 {
        tracing::warn!(
            job.queue = %settle.queue, dropped = settled.dropped,
            "the dead list is full: its oldest records were dropped"
        );
    }
}

fn count(shared: &Shared, settle: &Settle, note: Note, accepted: bool) {
    let counters = &shared.counters;
    let id = note.id.map(tracing::field::display);
    // What is sent again and found settled had acted the first time: nothing was lost.
    if !accepted && !settle.resent {
        counters.stale.add(1);
        tracing::warn!(
            job.id = id, job.queue = %settle.queue,
            "lease lost: the outcome of a run came too late and was not taken"
        );
        return;
    }
    let (counter, what) = match note.kind {
        Kind::Done => (&counters.done, "done"),
        Kind::Discarded => (&counters.discarded, "discarded"),
        Kind::Retried => (&counters.retried, "retry"),
        Kind::Snoozed => (&counters.snoozed, "snoozed"),
        Kind::Released => (&counters.released, "released"),
        Kind::Dead => (&counters.dead, "dead"),
    };
    counter.add(1);
    tracing::debug!(job.id = id, job.queue = %settle.queue, outcome = what, "settled");
}
