//! The steps by the book: plain lists, no care for speed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jobq::broker::{
    Action, Adopted, Adoption, CANCELLED_FOR, Claim, Claimed, Due, Entry, Grant, MAX_PROMOTE,
    Member, Promoted, ReleaseTo, Renewed, Requeue, Settle, Settled, TakeDead, Wake,
};
use jobq::{At, JobId, JobState, Token, WorkerId};

use crate::calendar::{PAST, from_now, until};
use crate::request::{Answer, Request};
use crate::state::State;

#[derive(Debug, Default)]
pub(crate) struct Model {
    /// In its order: by coarse time, then by step unless that is exact, then by bytes.
    delayed: BTreeSet<(At, u64, Bytes)>,
    /// Everything else.
    state: State,
    timekeeper: Option<WorkerId>,
    /// All tokens a worker was ever given.
    pub(crate) issued: BTreeMap<WorkerId, Vec<Token>>,
    /// Counts the steps: of two, the later one reads the later time.
    step: u64,
    accepted: usize,
    /// Acknowledged, taken out of the dead list, dropped by its caps, purged, or equal to a delayed
    /// one.
    ended: usize,
}

impl Model {
    pub(crate) fn state(&self) -> State {
        let delayed = self.delayed.iter();
        State {
            delayed: delayed
                .map(|(due, _, bytes)| (*due, bytes.clone()))
                .collect(),
            ..self.state.clone()
        }
    }

    /// Each accepted element is in exactly one place, or has ended.
    pub(crate) fn is_complete(&self) -> bool {
        let state = &self.state;
        let lists = [&state.ready, &state.suspects, &state.dead].map(Vec::len);
        let handoffs = state.handoffs.values().map(Vec::len);
        let in_flight = state.in_flight.values().map(BTreeMap::len);
        let placed = lists
            .into_iter()
            .chain(handoffs)
            .chain(in_flight)
            .sum::<usize>();
        self.accepted == placed + self.delayed.len() + self.ended
    }

    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        self.step += 1;
        let answer = match request {
            Request::Enqueue(entries) => self.enqueue(entries),
            Request::Round(settles, claim) => {
                let settles = settles.iter().map(|settle| self.settle(settle)).collect();
                Answer::Round(settles, claim.as_ref().map(|claim| self.claim(claim)))
            }
            Request::Renew(member) => Answer::Renewed(self.renew(member)),
            Request::Promote(worker) => Answer::Promoted(self.promote(worker)),
            Request::Adopt(adoption) => Answer::Adopted(self.adopt(adoption)),
            Request::Leave(worker) => Answer::Left(self.leave(worker)),
            Request::Pause(paused) => {
                self.state.paused = *paused;
                Answer::Done
            }
            Request::TakeDead(takes, near) => Answer::Taken(self.take_dead(takes, *near)),
            Request::Purge(state) => Answer::Taken(self.purge(*state)),
            Request::RunNow(delayed, job) => Answer::Moved(self.run_now(delayed, job)),
            Request::Cancel(id) => self.cancel(*id),
            Request::WhichCancelled(ids) => {
                let cancelled = |id| self.state.cancelled.iter().any(|(_, other)| other == id);
                Answer::Cancelled(ids.iter().map(cancelled).collect())
            }
            Request::Wait(worker) => Answer::Woken(self.wait(worker)),
        };
        self.state.handoffs.retain(|_, handoff| !handoff.is_empty());
        self.state
            .in_flight
            .retain(|_, records| !records.is_empty());
        answer
    }

    fn enqueue(&mut self, entries: &[Entry]) -> Answer {
        self.accepted += entries.len();
        for entry in entries {
            let envelope = entry.envelope.clone();
            match entry.due {
                Due::Now => self.state.ready.push(envelope),
                Due::After(delay) => self.delay(from_now(delay), envelope),
                Due::At(at) => self.delay(at, envelope),
            }
        }
        Answer::Done
    }

    /// Equal bytes stand once, at the time given last.
    fn delay(&mut self, due: At, envelope: Bytes) {
        let before = self.delayed.len();
        self.delayed.retain(|(_, _, other)| *other != envelope);
        self.ended += before - self.delayed.len();
        let step = if due.as_ms() < PAST { 0 } else { self.step };
        self.delayed.insert((due, step, envelope));
    }

    fn next_due(&self) -> Option<At> {
        self.delayed.first().map(|(due, ..)| *due)
    }

    fn move_due(&mut self) -> u64 {
        let mut due = Vec::new();
        while due.len() < MAX_PROMOTE as usize && self.next_due() <= Some(At::from_ms(PAST)) {
            let Some((_, _, envelope)) = self.delayed.pop_first() else {
                break;
            };
            due.push(envelope);
        }
        let moved = due.len() as u64;
        self.put_in_front(due);
        moved
    }

    fn put_in_front(&mut self, envelopes: Vec<Bytes>) {
        self.state.ready.splice(0..0, envelopes);
    }

    fn is_reaped(&self, member: &Member) -> bool {
        match self.state.members.get(&member.worker) {
            Some(stored) => *stored == 0,
            None => member.known > 0,
        }
    }

    fn count(&mut self, member: &Member) -> u64 {
        let stored = self.state.members.get(&member.worker);
        let counter = stored.map_or(self.state.gone, |stored| member.known.max(*stored)) + 1;
        self.state.members.insert(member.worker.clone(), counter);
        counter
    }

    fn claim(&mut self, claim: &Claim) -> Claimed {
        if self.is_reaped(&claim.member) {
            return Claimed::Reaped;
        }
        let counter = self.count(&claim.member);
        self.move_due();
        let worker = &claim.member.worker;
        if !claim.suspect {
            let handed = self.state.handoffs.remove(worker);
            self.put_in_front(handed.unwrap_or_default());
        }
        let (from, max) = match claim.suspect {
            true => (&mut self.state.suspects, claim.max.min(1)),
            false => (&mut self.state.ready, claim.max),
        };
        let max = if self.state.paused { 0 } else { max as usize };
        let envelopes = from.drain(..max.min(from.len())).collect::<Vec<_>>();
        self.own(worker, counter, &envelopes);
        Claimed::Granted(Grant {
            counter,
            envelopes,
            next_due: self.next_due().map(until),
            paused: self.state.paused,
            suspects: self.state.suspects.len() as u64,
            cancelled: !self.state.cancelled.is_empty(),
        })
    }

    fn own(&mut self, worker: &WorkerId, claim: u64, envelopes: &[Bytes]) {
        for (index, envelope) in (1..).zip(envelopes) {
            let token = Token { claim, index };
            let records = self.state.in_flight.entry(worker.clone()).or_default();
            records.insert(token, envelope.clone());
            let issued = self.issued.entry(worker.clone()).or_default();
            assert!(!issued.contains(&token), "{token} was given out before");
            issued.push(token);
        }
    }

    fn settle(&mut self, settle: &Settle) -> Settled {
        let mut settled = Settled::default();
        let (mut front, mut buried) = (Vec::new(), false);
        for settlement in &settle.settlements {
            let records = self.state.in_flight.get_mut(&settle.worker);
            let stored = records.and_then(|records| records.remove(&settlement.token));
            settled.accepted.push(stored.is_some());
            let Some(stored) = stored else { continue };
            match settlement.action.clone() {
                Action::Ack => self.ended += 1,
                Action::Retry { delay, envelope } => self.delay(from_now(delay), envelope),
                Action::Bury { record } => {
                    buried = true;
                    self.state.dead.insert(0, record);
                }
                Action::Release { to, envelope } => {
                    let envelope = envelope.unwrap_or(stored);
                    match to {
                        ReleaseTo::Front => front.push(envelope),
                        ReleaseTo::Suspects => self.state.suspects.push(envelope),
                    }
                }
            }
        }
        self.put_in_front(front);
        while buried && self.is_over(settle) {
            self.state.dead.pop();
            self.ended += 1;
            settled.dropped += 1;
        }
        settled
    }

    fn is_over(&self, settle: &Settle) -> bool {
        let dead = &self.state.dead;
        let bytes = dead.iter().map(Bytes::len).sum::<usize>() as u64;
        dead.len() as u64 > settle.caps.count || bytes > settle.caps.bytes
    }

    fn renew(&mut self, member: &Member) -> Renewed {
        if self.is_reaped(member) {
            return Renewed::Reaped;
        }
        let worker = &member.worker;
        Renewed::Alive {
            counter: self.count(member),
            in_flight: self
                .state
                .in_flight
                .get(worker)
                .map_or(0, |own| own.len() as u64),
            handoff: self
                .state
                .handoffs
                .get(worker)
                .map_or(0, |own| own.len() as u64),
            paused: self.state.paused,
            suspects: self.state.suspects.len() as u64,
        }
    }

    fn promote(&mut self, worker: &WorkerId) -> Promoted {
        let timekeeper = self.timekeeper.get_or_insert_with(|| worker.clone()) == worker;
        let moved = if timekeeper { self.move_due() } else { 0 };
        Promoted {
            timekeeper,
            moved,
            next_due: self.next_due().map(until),
        }
    }

    fn adopt(&mut self, adoption: &Adoption) -> Adopted {
        let Adoption {
            member,
            target,
            seen,
            max,
        } = adoption;
        if self.is_reaped(member) {
            return Adopted::Reaped;
        }
        let stored = self.state.members.get(target).copied();
        if member.worker == *target || (stored != *seen && stored != Some(0)) {
            return Adopted::Alive;
        }
        let counter = self.count(member);
        self.state.gone = self.state.gone.max(stored.unwrap_or(0));
        let mut left = self.state.in_flight.remove(target).unwrap_or_default();
        let mut handed = self.state.handoffs.remove(target).unwrap_or_default();
        let mut envelopes = Vec::new();
        while envelopes.len() < *max as usize {
            match left.pop_first() {
                Some((_, envelope)) => envelopes.push(envelope),
                None if handed.is_empty() => break,
                None => envelopes.push(handed.remove(0)),
            }
        }
        let more = !left.is_empty() || !handed.is_empty();
        match more {
            true => self.state.members.insert(target.clone(), 0),
            false => self.state.members.remove(target),
        };
        self.state.in_flight.insert(target.clone(), left);
        self.state.handoffs.insert(target.clone(), handed);
        self.own(&member.worker, counter, &envelopes);
        Adopted::Taken {
            counter,
            envelopes,
            more,
        }
    }

    fn leave(&mut self, worker: &WorkerId) -> bool {
        let state = &mut self.state;
        if state.in_flight.contains_key(worker) || state.handoffs.contains_key(worker) {
            return false;
        }
        let counter = state.members.remove(worker);
        state.gone = state.gone.max(counter.unwrap_or(0));
        self.timekeeper.take_if(|holder| holder == worker);
        true
    }

    /// For as long as the last of delayed asks for, and no shorter than those before it or itself.
    fn cancel(&mut self, id: JobId) -> Answer {
        let last_due = self.delayed.last().map(|(due, ..)| until(*due));
        let counts = from_now(CANCELLED_FOR + last_due.unwrap_or_default());
        let before = self.state.cancelled.last().map(|(counts, _)| *counts);
        let counts = counts.max(before.unwrap_or_default());
        self.forget_cancelled(id);
        self.state.cancelled.push((counts, id));
        Answer::Done
    }

    fn forget_cancelled(&mut self, id: JobId) {
        self.state.cancelled.retain(|(_, other)| *other != id);
    }

    fn take_dead(&mut self, takes: &[TakeDead], near: u64) -> u64 {
        let newest_first = near < self.state.dead.len() as u64 / 2;
        let mut taken = 0;
        for TakeDead { record, requeue } in takes {
            let mut records = self.state.dead.iter();
            let found = match newest_first {
                true => records.position(|other| other == record),
                false => records.rposition(|other| other == record),
            };
            let Some(place) = found else { continue };
            taken += 1;
            self.state.dead.remove(place);
            match requeue {
                Some(Requeue { id, envelope }) => {
                    self.state.ready.push(envelope.clone());
                    self.forget_cancelled(*id);
                }
                None => self.ended += 1,
            }
        }
        taken
    }

    fn purge(&mut self, state: JobState) -> u64 {
        let lists = match state {
            JobState::Ready => vec![&mut self.state.ready, &mut self.state.suspects],
            JobState::Dead => vec![&mut self.state.dead],
            _ => vec![],
        };
        let mut purged = lists.into_iter().map(|list| list.drain(..).count()).sum();
        if state == JobState::Delayed {
            purged = self.delayed.len();
            self.delayed.clear();
        }
        self.ended += purged;
        purged as u64
    }

    fn run_now(&mut self, delayed: &Bytes, job: &Requeue) -> bool {
        let before = self.delayed.len();
        self.delayed.retain(|(_, _, element)| element != delayed);
        let moved = self.delayed.len() < before;
        if moved {
            self.put_in_front(vec![job.envelope.clone()]);
            self.forget_cancelled(job.id);
        }
        moved
    }

    /// Asked only when ready has a job.
    fn wait(&mut self, worker: &WorkerId) -> Wake {
        let job = self.state.ready.remove(0);
        self.state
            .handoffs
            .entry(worker.clone())
            .or_default()
            .push(job);
        Wake::Handed
    }
}
