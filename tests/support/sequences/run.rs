//! One sequence: each step filled in, put to the model and to every subject, and compared.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Instant;

use bytes::Bytes;
use jobq::broker::{
    Action, Adoption, Claim, Due, Entry, Member, Requeue, Settle, Settlement, TIMEKEEPER_TTL,
    TakeDead,
};
use jobq::{At, JobId, QueueName, Token, WorkerId};

use super::calendar::HOUR;
use super::model::Model;
use super::request::Request;
use super::step::{Claims, IDS, Knows, Outcome, Pick, SLOTS, Seen, Settles, Step, When};
use super::subject::Subject;

pub(crate) struct Run {
    model: Model,
    subjects: Vec<Subject>,
    /// All workers there ever were; the last [`SLOTS`] by slot.
    workers: Vec<WorkerId>,
    slots: [usize; SLOTS],
    /// The highest counters that workers were told.
    known: BTreeMap<WorkerId, u64>,
    /// Names are given out in order: what is delayed later never sorts before what was earlier.
    names: u32,
    sent: Vec<Request>,
    /// When the timekeeper was last confirmed, at the earliest.
    office: Option<Instant>,
    queue: QueueName,
}

impl Run {
    pub(crate) fn new(subjects: Vec<Subject>) -> Self {
        let mut run = Self {
            model: Model::default(),
            subjects,
            workers: Vec::new(),
            slots: [0; SLOTS],
            known: BTreeMap::new(),
            names: 0,
            sent: Vec::new(),
            office: None,
            queue: QueueName::new("replaced").expect("the name is legal"),
        };
        (0..SLOTS).for_each(|slot| run.give_birth(slot));
        run
    }

    pub(crate) async fn all(mut self, steps: &[Step]) -> Result<(), String> {
        for (number, step) in steps.iter().enumerate() {
            if let Some((request, lost)) = self.fill_in(step) {
                if matches!(step, Step::Again { .. }) && request.reads_the_clock() {
                    self.next_tick().await;
                }
                let compared = self.put(request.clone(), lost).await;
                compared.map_err(|why| format!("step {number}, {request:?}: {why}"))?;
            }
        }
        Ok(())
    }

    /// Names that come again sort before newer ones, so their times must tell them apart.
    async fn next_tick(&self) {
        for subject in &self.subjects {
            subject.next_tick().await;
        }
    }

    async fn put(&mut self, request: Request, lost: bool) -> Result<(), String> {
        if matches!(request, Request::Promote(_)) {
            self.office = Some(Instant::now());
        }
        let answer = self.model.ask(&request);
        let state = self.model.state();
        if !self.model.is_complete() {
            return Err("the model lost an element".to_owned());
        }
        for subject in &mut self.subjects {
            let asked = crate::within("an answer", subject.ask(&request)).await;
            equal(subject.name, "answers", &answer, &asked)?;
            let found = subject.state().await;
            equal(subject.name, "then holds", &state, &found)?;
        }
        if let (Some(member), Some(counter), false) = (request.member(), answer.counter(), lost) {
            self.known.insert(member.worker.clone(), counter);
        }
        self.sent.push(request);
        Ok(())
    }

    /// The request, and whether its answer gets lost; `None` if the step makes no sense now.
    fn fill_in(&mut self, step: &Step) -> Option<(Request, bool)> {
        let (request, lost) = match *step {
            Step::Enqueue { count, when, equal } => (self.enqueue(count, when, equal), false),
            Step::Round {
                slot,
                ref settles,
                ref claim,
            } => {
                let worker = self.worker(slot);
                let lost = claim.as_ref().is_some_and(|claim| claim.lost);
                let settles = settles.iter().map(|settles| self.settle(&worker, settles));
                let settles = settles.collect();
                let claim = claim.as_ref().map(|claim| self.claim(&worker, claim));
                (Request::Round(settles, claim), lost)
            }
            Step::Renew { slot, knows, lost } => {
                (Request::Renew(self.member(&self.worker(slot), knows)), lost)
            }
            Step::Promote { slot } => (Request::Promote(self.worker(slot)), false),
            Step::Adopt {
                slot,
                target,
                seen,
                max,
                knows,
                lost,
            } => {
                let target = self.workers[target % self.workers.len()].clone();
                let stored = self.model.state().members.get(&target).copied();
                let seen = match seen {
                    Seen::AsItIs => stored,
                    Seen::Before => stored.map(|counter| counter.saturating_sub(1)),
                    Seen::Never => None,
                };
                let member = self.member(&self.worker(slot), knows);
                (
                    Request::Adopt(Adoption {
                        member,
                        target,
                        seen,
                        max,
                    }),
                    lost,
                )
            }
            Step::Leave { slot } => (Request::Leave(self.worker(slot)), false),
            Step::Pause(paused) => (Request::Pause(paused), false),
            Step::TakeDead { ref places, near } => (self.take_dead(places, near), false),
            Step::Purge(state) => (Request::Purge(state), false),
            Step::RunNow { place, id, rewrite } => (self.run_now(place, id, rewrite), false),
            Step::Cancel { id: number } => (Request::Cancel(id(number)), false),
            Step::WhichCancelled => (Request::WhichCancelled((0..IDS).map(id).collect()), false),
            Step::Wait { slot } => (Request::Wait(self.worker(slot)), false),
            Step::Reborn { slot } => {
                self.give_birth(slot);
                return None;
            }
            Step::Again { back, lost } => {
                let place = self
                    .sent
                    .len()
                    .checked_sub(1 + back % self.sent.len().max(1))?;
                (self.sent[place].clone().again(), lost)
            }
        };
        self.makes_sense(&request).then_some((request, lost))
    }

    fn makes_sense(&self, request: &Request) -> bool {
        match request {
            Request::Wait(_) => !self.model.state().ready.is_empty(),
            // An office that may lapse between two subjects' answers tells nothing.
            Request::Promote(_) => self
                .office
                .is_none_or(|at| at.elapsed() < TIMEKEEPER_TTL / 3),
            _ => true,
        }
    }

    fn give_birth(&mut self, slot: usize) {
        self.slots[slot] = self.workers.len();
        let id = format!("worker{}", self.workers.len());
        self.workers.push(WorkerId::from_stored(&id));
    }

    fn worker(&self, slot: usize) -> WorkerId {
        self.workers[self.slots[slot]].clone()
    }

    fn member(&self, worker: &WorkerId, knows: Knows) -> Member {
        let told = self.known.get(worker).copied().unwrap_or(0);
        let known = match knows {
            Knows::WhatItWasTold => told,
            Knows::Nothing => 0,
            Knows::MoreThanItShould => told + 3,
        };
        Member {
            queue: self.queue.clone(),
            worker: worker.clone(),
            known,
        }
    }

    fn name(&mut self) -> Bytes {
        self.names += 1;
        Bytes::from(format!("{:05}", self.names))
    }

    fn enqueue(&mut self, count: usize, when: When, equal: bool) -> Request {
        let due = match when {
            When::Now => Due::Now,
            When::Past(ms) => Due::At(At::from_ms(ms)),
            When::Hours(hours) => Due::After(HOUR * hours),
        };
        let mut envelope = self.name();
        let entries = (0..count).map(|_| {
            if !equal {
                envelope = self.name();
            }
            let envelope = envelope.clone();
            Entry { envelope, due }
        });
        Request::Enqueue(entries.collect())
    }

    fn take_dead(&mut self, places: &[(usize, Option<u8>)], near: u64) -> Request {
        let dead = self.model.state().dead;
        let takes = places.iter().map(|&(place, requeue)| TakeDead {
            record: dead.get(place).cloned().unwrap_or_default(),
            requeue: requeue.map(|id| self.job(id)),
        });
        Request::TakeDead(takes.collect(), near)
    }

    fn run_now(&mut self, place: usize, id: u8, rewrite: bool) -> Request {
        let delayed = self.model.state().delayed;
        let element = delayed.get(place).map(|(_, bytes)| bytes.clone());
        let element = element.unwrap_or_default();
        let mut job = self.job(id);
        if !rewrite {
            job.envelope = element.clone();
        }
        Request::RunNow(element, job)
    }

    fn job(&mut self, number: u8) -> Requeue {
        Requeue {
            id: id(number),
            envelope: self.name(),
        }
    }

    fn claim(&self, worker: &WorkerId, claims: &Claims) -> Claim {
        Claim {
            member: self.member(worker, claims.knows),
            max: claims.max,
            suspect: claims.suspect,
        }
    }

    fn settle(&mut self, worker: &WorkerId, settles: &Settles) -> Settle {
        let mut settlements = Vec::<Settlement>::new();
        for (pick, outcome) in &settles.outcomes {
            let token = self.token(worker, *pick);
            // Which of two with one token is accepted is open.
            if settlements.iter().all(|other| other.token != token) {
                let action = self.action(*outcome);
                settlements.push(Settlement { token, action });
            }
        }
        Settle {
            queue: self.queue.clone(),
            worker: worker.clone(),
            resent: false,
            caps: settles.caps,
            settlements,
        }
    }

    fn token(&self, worker: &WorkerId, pick: Pick) -> Token {
        let state = self.model.state();
        let owned = state.in_flight.get(worker);
        let owned = owned.map_or_else(Vec::new, |records| records.keys().copied().collect());
        let given = self.model.issued.get(worker).cloned().unwrap_or_default();
        let (from, place) = match pick {
            Pick::Owned(place) if !owned.is_empty() => (owned, place),
            Pick::Owned(place) | Pick::Given(place) => (given, place),
        };
        let none = Token {
            claim: 99,
            index: 1,
        };
        let place = place.checked_rem(from.len());
        place.map_or(none, |place| from[place])
    }

    fn action(&mut self, outcome: Outcome) -> Action {
        match outcome {
            Outcome::Ack => Action::Ack,
            Outcome::RetryInHours(hours) => Action::Retry {
                delay: HOUR * hours,
                envelope: self.name(),
            },
            Outcome::Bury => Action::Bury {
                record: self.name(),
            },
            Outcome::Release { to, rewrite } => Action::Release {
                to,
                envelope: rewrite.then(|| self.name()),
            },
        }
    }
}

fn id(number: u8) -> JobId {
    JobId::from_bytes([number; 16])
}

fn equal<T: PartialEq + Debug>(
    subject: &str,
    does: &str,
    expected: &T,
    found: &T,
) -> Result<(), String> {
    match expected == found {
        true => Ok(()),
        false => Err(format!(
            "{subject} {does}\n  {found:?}\nthe model says\n  {expected:?}"
        )),
    }
}
