//! Who is a member of a queue: joining, staying, being adopted, leaving.

use bytes::Bytes;

use super::batch::{Batch, push_front_in_order};
use super::queue::Queue;
use crate::broker::{Adopted, Adoption, MAX_BATCH, Member, Renewed};
use crate::id::WorkerId;

impl Queue {
    /// The worker's new counter; `None` if it was adopted, or is being.
    pub(super) fn pass_guard(&mut self, member: &Member) -> Option<u64> {
        let counter = self.counter_after(member)?;
        self.members.insert(member.worker.clone(), counter);
        Some(counter)
    }

    fn counter_after(&self, member: &Member) -> Option<u64> {
        match self.members.get(&member.worker) {
            Some(0) => None,
            Some(stored) => Some(member.known.max(*stored) + 1),
            None if member.known > 0 => None,
            // A token of a membership before may still be on its way.
            None => Some(self.gone + 1),
        }
    }

    pub(super) fn renew(&mut self, member: &Member) -> Renewed {
        let Some(counter) = self.pass_guard(member) else {
            return Renewed::Reaped;
        };
        let owned = self.owned.get(&member.worker);
        Renewed::Alive {
            counter,
            in_flight: owned.map_or(0, |owned| owned.in_flight.len() as u64),
            handoff: owned.map_or(0, |owned| owned.handoff.len() as u64),
            paused: self.paused,
            suspects: self.suspects.len() as u64,
        }
    }

    pub(super) fn adopt(&mut self, adoption: &Adoption) -> Adopted {
        let Adoption { member, target, .. } = adoption;
        let Some(counter) = self.counter_after(member) else {
            return Adopted::Reaped;
        };
        let stored = self.members.get(target).copied();
        let as_seen = stored == adoption.seen || stored == Some(0);
        if *target == member.worker || !as_seen {
            return Adopted::Alive;
        }
        self.gone = self.gone.max(stored.unwrap_or(0));
        self.members.insert(member.worker.clone(), counter);
        let (envelopes, more) = self.take_over(target, adoption.max);
        match more {
            true => self.members.insert(target.clone(), 0),
            false => {
                self.reports.remove(target);
                self.members.remove(target)
            }
        };
        self.own(&member.worker, counter, &envelopes);
        Adopted::Taken {
            counter,
            envelopes,
            more,
        }
    }

    fn take_over(&mut self, target: &WorkerId, max: u32) -> (Vec<Bytes>, bool) {
        let Some(owned) = self.owned.get_mut(target) else {
            return (Vec::new(), false);
        };
        let mut batch = Batch::new(max);
        while let Some(first) = owned.in_flight.first_entry() {
            if !batch.fits(first.get()) {
                break;
            }
            batch.push(first.remove());
        }
        let stays = owned.handoff.len().saturating_sub(MAX_BATCH as usize);
        push_front_in_order(&mut self.ready, owned.handoff.drain(stays..));
        let more = !owned.is_empty();
        if !more {
            self.owned.remove(target);
        }
        (batch.envelopes, more)
    }

    pub(super) fn leave(&mut self, worker: &WorkerId) -> bool {
        if self
            .owned
            .get(worker)
            .is_some_and(|owned| !owned.is_empty())
        {
            return false;
        }
        self.owned.remove(worker);
        self.reports.remove(worker);
        let left = self.members.remove(worker);
        self.gone = self.gone.max(left.unwrap_or(0));
        self.office.take_if(|(holder, _)| holder == worker);
        true
    }
}
