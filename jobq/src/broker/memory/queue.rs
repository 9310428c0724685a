//! One queue and its steps: plain data in, plain data out; no lock, no clock, no waiting. Those of
//! a membership are in `membership.rs`, those of people in `intervene.rs` and `look.rs`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use super::batch::{Batch, push_front_in_order};
use super::by_time::ByTime;
use super::cancelled::Cancelled;
use super::dead::DeadList;
use super::waiter::Waiting;
use crate::broker::{
    Action, Claim, Claimed, Due, Entry, Grant, MAX_PROMOTE, Promoted, ReleaseTo, Settle, Settled,
    Settlement, TIMEKEEPER_TTL, Totals,
};
use crate::id::{Token, WorkerId};
use crate::timestamp::At;

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The front is the first out.
    pub(super) ready: VecDeque<Bytes>,
    /// By due time.
    pub(super) delayed: ByTime<Bytes>,
    pub(super) suspects: VecDeque<Bytes>,
    pub(super) owned: BTreeMap<WorkerId, Owned>,
    /// Counters of the members; 0 is one being adopted.
    pub(super) members: BTreeMap<WorkerId, u64>,
    /// The highest counter of members that are gone.
    pub(super) gone: u64,
    pub(super) dead: DeadList,
    pub(super) cancelled: Cancelled,
    /// The timekeeper, and until when.
    pub(super) office: Option<(WorkerId, At)>,
    pub(super) paused: bool,
    /// Whether anything was ever enqueued.
    pub(super) listed: bool,
    /// By job name.
    pub(super) totals: BTreeMap<String, Totals>,
    /// Numbers of the members' last reports.
    pub(super) reports: BTreeMap<WorkerId, u64>,
    /// Longest waiting first.
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) due_signal: Arc<Notify>,
}

/// What one worker owns, be it a member or not.
#[derive(Debug, Default, Clone)]
pub(super) struct Owned {
    pub(super) in_flight: BTreeMap<Token, Bytes>,
    /// First handed, first out.
    pub(super) handoff: VecDeque<Bytes>,
}

impl Owned {
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty() && self.handoff.is_empty()
    }
}

impl Queue {
    pub(super) fn enqueue(&mut self, entries: &[Entry], now: At) {
        self.listed = true;
        for Entry { envelope, due } in entries {
            let envelope = envelope.clone();
            match due {
                Due::Now => self.ready.push_back(envelope),
                Due::After(delay) => self.delayed.insert(envelope, due_after(now, *delay)),
                Due::At(at) => self.delayed.insert(envelope, *at),
            }
        }
    }

    pub(super) fn claim(&mut self, claim: &Claim, now: At) -> Claimed {
        let Some(counter) = self.pass_guard(&claim.member) else {
            return Claimed::Reaped;
        };
        self.move_due(now);
        let worker = &claim.member.worker;
        let envelopes = match claim.suspect {
            true => self.take_suspect(claim.max),
            false => self.take_ready(worker, claim.max),
        };
        self.own(worker, counter, &envelopes);
        Claimed::Granted(Grant {
            counter,
            envelopes,
            next_due: self.next_due().map(|due| due.since(now)),
            paused: self.paused,
            suspects: self.suspects.len() as u64,
            cancelled: self.cancelled.any(now),
        })
    }

    fn take_suspect(&mut self, max: u32) -> Vec<Bytes> {
        if self.paused || max == 0 {
            return Vec::new();
        }
        self.suspects.pop_front().into_iter().collect()
    }

    /// What was handed over goes back to the front first: it is the first to be taken again.
    fn take_ready(&mut self, worker: &WorkerId, max: u32) -> Vec<Bytes> {
        if let Some(owned) = self.owned.get_mut(worker) {
            push_front_in_order(&mut self.ready, owned.handoff.drain(..));
        }
        if self.paused {
            return Vec::new();
        }
        let mut batch = Batch::new(max);
        batch.take_from(&mut self.ready);
        batch.envelopes
    }

    pub(super) fn own(&mut self, worker: &WorkerId, counter: u64, envelopes: &[Bytes]) {
        if envelopes.is_empty() {
            return;
        }
        let tokens = (1..).map(|index| Token {
            claim: counter,
            index,
        });
        let owned = self.owned.entry(worker.clone()).or_default();
        owned
            .in_flight
            .extend(tokens.zip(envelopes.iter().cloned()));
    }

    pub(super) fn settle(&mut self, settle: &Settle, now: At) -> Settled {
        let reaped = self.members.get(&settle.worker).copied().unwrap_or(0) == 0;
        let dead_before = self.dead.len();
        let mut front = Vec::new();
        let mut accepted = Vec::with_capacity(settle.settlements.len());
        for Settlement { token, action } in &settle.settlements {
            let owned = self.owned.get_mut(&settle.worker);
            let stored = owned.and_then(|owned| owned.in_flight.remove(token));
            accepted.push(stored.is_some());
            if let Some(stored) = stored {
                self.apply(action, stored, &mut front, now);
            }
        }
        push_front_in_order(&mut self.ready, front.into_iter());
        let dropped = match self.dead.len() > dead_before {
            true => self.dead.trim(&settle.caps, now),
            false => 0,
        };
        Settled {
            accepted,
            dropped,
            reaped,
        }
    }

    /// Releases to the front are only gathered here: of one batch the first is the first out.
    fn apply(&mut self, action: &Action, stored: Bytes, front: &mut Vec<Bytes>, now: At) {
        match action {
            Action::Ack => {}
            Action::Retry { delay, envelope } => {
                self.delayed
                    .insert(envelope.clone(), due_after(now, *delay));
            }
            Action::Bury { record } => self.dead.bury(record.clone()),
            Action::Release { to, envelope } => {
                let envelope = envelope.clone().unwrap_or(stored);
                match to {
                    ReleaseTo::Front => front.push(envelope),
                    ReleaseTo::Suspects => self.suspects.push_back(envelope),
                }
            }
        }
    }

    pub(super) fn promote(&mut self, worker: &WorkerId, now: At) -> Promoted {
        let timekeeper = self.timekeeper(now).is_none_or(|holder| holder == worker);
        let mut moved = 0;
        if timekeeper {
            self.office = Some((worker.clone(), now.after(TIMEKEEPER_TTL)));
            moved = self.move_due(now);
        }
        Promoted {
            timekeeper,
            moved,
            next_due: self.next_due().map(|due| due.since(now)),
        }
    }

    pub(super) fn timekeeper(&self, now: At) -> Option<&WorkerId> {
        let (holder, until) = self.office.as_ref()?;
        (now < *until).then_some(holder)
    }

    /// Due is a time, not a place at the back: what is due goes to the front, earliest first out.
    fn move_due(&mut self, now: At) -> u64 {
        let due = std::iter::from_fn(|| self.delayed.pop_due(now));
        let due = due.take(MAX_PROMOTE as usize).collect::<Vec<_>>();
        let moved = due.len() as u64;
        push_front_in_order(&mut self.ready, due.into_iter());
        moved
    }

    /// Tells the timekeeper when the first of delayed is due earlier than it was `before`.
    pub(super) fn signal_earlier_due(&self, before: Option<At>) {
        let earlier = match (before, self.next_due()) {
            (Some(before), Some(after)) => after < before,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if earlier {
            self.due_signal.notify_one();
        }
    }
}

/// The end of a delay, rounded up: a job is never early.
fn due_after(now: At, delay: Duration) -> At {
    now.after(delay.saturating_add(Duration::from_nanos(999_999)))
}
