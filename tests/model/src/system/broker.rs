//! A request is carried out: the rules of [`Store`](crate::store::Store), watched.

use super::{Answer, Ask, Given, Job, Leg, Mutant, Request, System, Worker};
use crate::store::{Action, Adopted, Adoption, DeadCaps, Token};

const NO_CAPS: DeadCaps = DeadCaps {
    count: u64::MAX,
    bytes: u64::MAX,
};

impl System {
    pub(super) fn carry_out(&mut self, request: &Request, mutant: Option<Mutant>) -> Answer {
        let worker = request.worker;
        let bent = mutant.map(|mutant| mutant.before(&mut self.queue, request));
        let answer = match &request.ask {
            Ask::Claim {
                known,
                max,
                suspect,
            } => self.claim(worker, *known, *max, *suspect),
            Ask::Settle { token, action, job } => self.settle(worker, *token, action, *job, mutant),
            Ask::Renew { known } => match self.queue.renew(&worker, *known) {
                Some(alive) => Answer::Counted(alive.counter),
                None => Answer::Reaped,
            },
            Ask::Promote => {
                self.queue.promote(&worker);
                // The office lapses by the clock: anyone may come next.
                self.queue.timekeeper = None;
                Answer::Done
            }
            Ask::Adopt(adoption) => self.adopt(worker, adoption, mutant),
            Ask::Leave => Answer::Left(self.queue.leave(&worker)),
            Ask::Wait => {
                self.queue.wait(&worker);
                Answer::Done
            }
            Ask::Held { .. } => Answer::Tokens(self.owned(worker)),
        };
        let answer = match (mutant, bent) {
            (Some(mutant), Some(bent)) => mutant.after(&mut self.queue, request, bent, answer),
            _ => answer,
        };
        if let Answer::Given(given) = &answer {
            self.check_given(worker, given);
            if self.queue.paused
                && matches!(request.ask, Ask::Claim { .. })
                && !given.jobs.is_empty()
            {
                self.accuse("a paused queue gave out jobs");
            }
        }
        self.queue.ended.sort_unstable();
        answer
    }

    fn claim(&mut self, worker: Worker, known: u64, max: usize, suspect: bool) -> Answer {
        let Some(grant) = self.queue.claim(&worker, known, max, suspect) else {
            return Answer::Reaped;
        };
        Answer::Given(Given {
            counter: grant.counter,
            jobs: self.with_tokens(grant.counter, &grant.elements),
            flag: grant.cancelled,
        })
    }

    fn with_tokens(&self, counter: u64, jobs: &[Job]) -> Vec<(Token, Job, bool)> {
        let tokens = (1..).map(|index| (counter, index));
        let jobs = tokens.zip(jobs);
        jobs.map(|(token, job)| (token, *job, self.queue.is_cancelled(job.id())))
            .collect()
    }

    fn settle(
        &mut self,
        worker: Worker,
        token: Token,
        action: &Action<Job>,
        job: u8,
        mutant: Option<Mutant>,
    ) -> Answer {
        let mut key = (worker, token);
        if mutant == Some(Mutant::SettleGoesByJob) && !self.queue.in_flight.contains_key(&key) {
            let mut records = self.queue.in_flight.iter().rev();
            let found = records.find(|(_, held)| held.id() == job);
            key = found.map_or(key, |(owned, _)| *owned);
        }
        match self.queue.in_flight.get(&key) {
            Some(stored) if stored.id() != job => self.accuse("an outcome met another job"),
            Some(_) if key != (worker, token) => self.accuse("an outcome met another run"),
            _ => {}
        }
        self.queue
            .settle(&key.0, [(key.1, action.clone())], NO_CAPS);
        Answer::Done
    }

    fn adopt(
        &mut self,
        worker: Worker,
        adoption: &Adoption<Worker>,
        mutant: Option<Mutant>,
    ) -> Answer {
        let stored = self.queue.members.get(&adoption.target).copied();
        let mut asked = adoption.clone();
        if mutant == Some(Mutant::AdoptWhoeverLives) {
            asked.seen = stored;
        }
        match self.queue.adopt(&worker, &asked) {
            Adopted::Reaped => Answer::Reaped,
            Adopted::Alive => Answer::Alive,
            Adopted::Taken {
                counter,
                elements,
                more,
            } => {
                if stored != adoption.seen && stored != Some(0) {
                    self.accuse("a worker was adopted that had moved since it was looked at");
                }
                self.adopted |= 1 << adoption.target;
                Answer::Given(Given {
                    counter,
                    jobs: self.with_tokens(counter, &elements),
                    flag: more,
                })
            }
        }
    }

    fn owned(&self, worker: Worker) -> Vec<(Token, u8)> {
        let records = self.queue.in_flight.iter();
        let own = records.filter(|((owner, _), _)| *owner == worker);
        own.map(|((_, token), job)| (*token, job.id())).collect()
    }

    /// Asked before the jobs of a claim start, where some of the queue are cancelled.
    pub(super) fn which_are_cancelled(&self, given: &Given) -> Vec<bool> {
        let jobs = given.jobs.iter();
        jobs.map(|(_, job, _)| self.queue.is_cancelled(job.id()))
            .collect()
    }

    /// Whether anyone could still use this token: holds it, is about to, or has sent an outcome.
    fn is_remembered(&self, worker: Worker, token: Token) -> bool {
        let settles = |request: &Request| {
            let same = matches!(request.ask, Ask::Settle { token: other, .. } if other == token);
            request.worker == worker && same
        };
        let gives = |given: &Given| given.jobs.iter().any(|(other, ..)| *other == token);
        let calls = self
            .processes
            .iter()
            .flat_map(|process| process.calls.values());
        let held = self
            .processes
            .iter()
            .any(|process| process.worker == worker && process.held.contains_key(&token));
        held || self.late.iter().any(settles)
            || calls.into_iter().any(|call| {
                let given = match &call.leg {
                    Leg::Back(Answer::Given(given)) | Leg::Asking(given) | Leg::Told(given, _) => {
                        call.request.worker == worker && gives(given)
                    }
                    _ => false,
                };
                given || settles(&call.request)
            })
    }

    fn check_given(&mut self, worker: Worker, given: &Given) {
        let again = |(token, ..): &(Token, Job, bool)| self.is_remembered(worker, *token);
        if given.jobs.iter().any(again) {
            self.accuse("a token was given out again");
        }
    }
}
