//! Batches outcomes and judges the broker's answers to them.
//!
//! Jobs put their outcomes into the [`Outbox`]; every round of the fetcher takes what has gathered
//! since the last, so that batches are small when idle and large under load. An outcome leaves the
//! outbox for good only when the broker answered; one that was sent without an answer is sent
//! again, marked as such, and the token sees to it that it acts once.

mod batch;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::broker::{MAX_BATCH, Settle, Settled, Settlement};
use jobq::{BrokerError, JobId, WorkerId};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use self::batch::{Batch, Notes};
use self::batch::{Room, empty, like, split};
use crate::report::{JobIndex, Streak};
use crate::shared::Shared;

/// How long an outcome waits that the broker refused: it is full, or a key is damaged.
const REFUSED_WAIT: Duration = Duration::from_secs(1);

/// What is told and counted about an outcome once it is accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    /// `None` if the envelope could not be read.
    pub(crate) id: Option<JobId>,
    pub(crate) kind: Kind,
    pub(crate) job: JobIndex,
    /// How long the run took, in ns; 0 where there was none.
    pub(crate) spent_ns: u64,
}

impl Note {
    /// Of a job that was not run, and whose name does not matter.
    pub(crate) fn not_run(id: Option<JobId>, kind: Kind) -> Self {
        let (job, spent_ns) = (JobIndex::OTHER, 0);
        Self {
            id,
            kind,
            job,
            spent_ns,
        }
    }
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Done,
    Discarded,
    Cancelled,
    Retried,
    Snoozed,
    Released,
    /// Put back for the worker that held it is gone. It was counted when it was taken over.
    Adopted,
    /// Whether it was given up for a run that failed.
    Dead {
        failed: bool,
    },
}

/// Outcomes that wait to be settled.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pending: Mutex<Pending>,
    answered: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    /// Not sent yet.
    new: Vec<Batch>,
    /// To be sent again, not before the time beside them.
    unanswered: Vec<(Instant, Batch)>,
    /// Taken and not answered yet.
    on_the_way: usize,
}

impl Pending {
    /// What is due to be sent again.
    fn take_again(&mut self) -> Vec<Batch> {
        let now = Instant::now();
        let due = self.unanswered.extract_if(.., |(at, _)| *at <= now);
        due.map(|(_, batch)| batch).collect()
    }

    /// The new outcomes of `worker` on a queue. Mostly there is one batch, and it is the last.
    fn batch(&mut self, shared: &Shared, index: usize, worker: &WorkerId) -> &mut Batch {
        let same = |(settle, notes): &Batch| notes.index == index && settle.worker == *worker;
        let place = self.new.iter().rposition(same).unwrap_or(self.new.len());
        if place == self.new.len() {
            self.new.push(empty(shared, index, worker));
        }
        &mut self.new[place]
    }

    /// As much of what is new as one round may carry.
    fn take_new(&mut self) -> Vec<Batch> {
        let (mut taken, mut room) = (Vec::new(), Room::default());
        while let Some((settle, notes)) = self.new.first_mut() {
            match room.for_these(&settle.settlements) {
                0 => break,
                fits if fits < settle.settlements.len() => {
                    let rest = settle.settlements.split_off(fits);
                    let first = Settle {
                        settlements: std::mem::replace(&mut settle.settlements, rest),
                        ..like(settle)
                    };
                    let rest = notes.notes.split_off(fits);
                    let first_notes = Notes {
                        index: notes.index,
                        notes: std::mem::replace(&mut notes.notes, rest),
                    };
                    taken.push((first, first_notes));
                    break;
                }
                _ => taken.push(self.new.remove(0)),
            }
        }
        taken
    }

    fn is_empty(&self) -> bool {
        self.new.is_empty() && self.unanswered.is_empty() && self.on_the_way == 0
    }
}

impl Outbox {
    /// Puts in outcomes of jobs that `worker` claimed on a queue.
    pub(crate) fn push(
        &self,
        shared: &Shared,
        index: usize,
        worker: &WorkerId,
        outcomes: impl IntoIterator<Item = (Settlement, Note)>,
    ) {
        let mut pending = self.pending();
        let (settle, notes) = pending.batch(shared, index, worker);
        for (settlement, note) in outcomes {
            settle.settlements.push(settlement);
            notes.notes.push(note);
        }
    }

    /// Takes what one round may carry: what is to be sent again, or else at most [`MAX_BATCH`] new
    /// outcomes of about [`MAX_BATCH_BYTES`].
    pub(crate) fn take(&self) -> Vec<Batch> {
        let mut pending = self.pending();
        let mut batches = pending.take_again();
        if batches.is_empty() {
            batches = pending.take_new();
        }
        pending.on_the_way += batches.len();
        batches
    }

    /// Whether so many outcomes of a queue were refused that it may not have more jobs: whatever
    /// refuses them would refuse theirs too, and they would gather here without end.
    pub(crate) fn is_stuck(&self, index: usize) -> bool {
        let pending = self.pending();
        let refused = pending.unanswered.iter().map(|(_, batch)| batch);
        let refused = refused.filter(|(_, notes)| notes.index == index);
        refused.map(|(_, notes)| notes.notes.len()).sum::<usize>() > MAX_BATCH as usize
    }

    /// When the first of what was refused is to be sent again.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        self.pending().unanswered.iter().map(|(at, _)| *at).min()
    }

    /// Takes the broker's answer to a batch; an error has it sent again: at once if the broker was
    /// away; later, and without failing the round for others, if it refused this one.
    pub(crate) fn judge(
        &self,
        shared: &Shared,
        (mut settle, notes): Batch,
        answer: Result<Settled, BrokerError>,
    ) -> Result<(), BrokerError> {
        let mut again = Vec::new();
        let mut result = Ok(());
        match answer {
            Ok(settled) => accept(shared, &settle, &notes, &settled),
            Err(error) => {
                let now = Instant::now();
                settle.resent |= error.is_outcome_unknown();
                if error.is_retryable() {
                    again.push((now, (settle, notes)));
                    result = Err(error);
                } else {
                    shared.outage.refused("outbox", &error);
                    again.extend(split((settle, notes)).map(|batch| (now + REFUSED_WAIT, batch)));
                }
            }
        }
        let mut pending = self.pending();
        pending.on_the_way -= 1;
        pending.unanswered.extend(again);
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

/// Forgets what was held, counts and tells.
fn accept(shared: &Shared, settle: &Settle, notes: &Notes, settled: &Settled) {
    let tokens = settle.settlements.iter().map(|settlement| settlement.token);
    shared.memberships[notes.index].settled(&settle.worker, tokens);
    let mut streak = Streak::new(&shared.tallies, notes.index);
    for (i, note) in notes.notes.iter().enumerate() {
        let accepted = settled.accepted.get(i).copied().unwrap_or(false);
        // Of a member that sends it again it had acted the first time. Once it is reaped nobody knows,
        // and whoever has adopted the job counts what it comes to: nothing may count twice.
        let acted = accepted || (settle.resent && !settled.reaped);
        if count(shared, settle, *note, acted) {
            streak.add(note);
        }
    }
    drop(streak);
    if settled.dropped > 0 {
        tracing::warn!(
            job.queue = %settle.queue, dropped = settled.dropped,
            "the dead list is full: its oldest records were dropped"
        );
    }
}

/// Counts and tells what became of an outcome that has acted, or has not; answers which.
fn count(shared: &Shared, settle: &Settle, note: Note, acted: bool) -> bool {
    let counters = &shared.counters;
    let id = note.id.map(tracing::field::display);
    if !acted {
        counters.stale.add(1);
        tracing::warn!(
            job.id = id, job.queue = %settle.queue,
            "lease lost: the outcome of a run came too late and does not count"
        );
        return false;
    }
    let (counter, what) = match note.kind {
        Kind::Done => (Some(&counters.done), "done"),
        Kind::Discarded => (Some(&counters.discarded), "discarded"),
        Kind::Cancelled => (Some(&counters.cancelled), "cancelled"),
        Kind::Retried => (Some(&counters.retried), "retry"),
        Kind::Snoozed => (Some(&counters.snoozed), "snoozed"),
        Kind::Released => (Some(&counters.released), "released"),
        Kind::Adopted => (None, "adopted"),
        Kind::Dead { .. } => (Some(&counters.dead), "dead"),
    };
    counter.into_iter().for_each(|counter| counter.add(1));
    tracing::debug!(job.id = id, job.queue = %settle.queue, outcome = what, "settled");
    true
}
