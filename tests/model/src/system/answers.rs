//! An answer arrives, or is given up: what the process makes of it.

use super::process::{Call, Held, Lane, Leg, Run};
use super::{Answer, Ask, Given, Mutant, Process, Request, System, Worker};
use crate::store::{Action, Adoption, Token};

impl System {
    /// What a process waits for on this lane has come.
    pub(super) fn arrive(&mut self, index: usize, lane: Lane, mutant: Option<Mutant>) {
        let process = &mut self.processes[index];
        let Some(call) = process.calls.remove(&lane) else {
            return;
        };
        match (call.leg, call.request.ask) {
            (Leg::Back(Answer::Reaped), _) => self.reaped(index, mutant),
            (Leg::Back(Answer::Given(given)), ask @ Ask::Claim { .. })
                if must_ask(&given, mutant) =>
            {
                // The number is known; the request stays open, so that no reconcile takes its jobs
                // for lost.
                process.known = process.known.max(given.counter);
                let open = mutant != Some(Mutant::ClaimIsClosedBeforeItAsks);
                let known = if open { call.known } else { u64::MAX };
                let leg = Leg::Asking(given);
                let worker = process.worker;
                let request = Request { worker, ask };
                let call = Call {
                    known,
                    request,
                    leg,
                };
                process.calls.insert(lane, call);
            }
            (Leg::Back(Answer::Given(given)), Ask::Claim { .. }) => {
                let none = vec![false; given.jobs.len()];
                self.start(index, &given, &none);
            }
            (Leg::Told(given, cancelled), _) => self.start(index, &given, &cancelled),
            (Leg::Back(Answer::Given(given)), Ask::Adopt(adoption)) => {
                self.adopted(index, &given, &adoption);
            }
            (Leg::Back(Answer::Alive), Ask::Adopt(adoption)) => {
                process.judge(adoption.target);
                process.former.retain(|former| *former != adoption.target);
            }
            (Leg::Back(Answer::Done), Ask::Settle { token, .. }) => {
                process.held.remove(&token);
            }
            (Leg::Back(Answer::Counted(counter)), _)
                if mutant != Some(Mutant::RenewTellsNothing) =>
            {
                process.known = process.known.max(counter);
            }
            (Leg::Back(Answer::Tokens(tokens)), Ask::Held { limit }) => {
                self.release_unknown(index, limit, tokens);
            }
            (Leg::Back(Answer::Left(true)), _) => self.end(index),
            _ => {}
        }
    }

    /// From the answer of a claim to running jobs.
    fn start(&mut self, index: usize, given: &Given, cancelled: &[bool]) {
        self.check_owned(index, given);
        let process = &mut self.processes[index];
        process.known = process.known.max(given.counter);
        for ((token, job, was_cancelled), dropped) in given.jobs.iter().zip(cancelled) {
            let run = match dropped {
                true => Run::Ended(Action::Ack),
                false => Run::Running,
            };
            process.held.insert(*token, Held { job: *job, run });
            if *was_cancelled && !dropped {
                self.wrong = Some("a job started that was cancelled before it was claimed");
            }
        }
    }

    /// What an answer gives is in flight, unless its worker was adopted: nobody releases it before.
    fn check_owned(&mut self, index: usize, given: &Given) {
        let worker = self.processes[index].worker;
        let owned = |token| self.queue.in_flight.contains_key(&(worker, token));
        let mut tokens = given.jobs.iter().map(|(token, ..)| *token);
        if !self.is_adopted(worker) && !tokens.all(owned) {
            self.accuse("a job was released while the answer of its claim was on its way");
        }
    }

    fn adopted(&mut self, index: usize, given: &Given, adoption: &Adoption<Worker>) {
        self.check_owned(index, given);
        let process = &mut self.processes[index];
        process.known = process.known.max(given.counter);
        for (token, job, _) in &given.jobs {
            let run = Run::Orphan(adoption.target);
            process.held.insert(*token, Held { job: *job, run });
        }
        if given.flag {
            let known = process.known;
            process.send(Ask::Adopt(Adoption {
                known,
                ..adoption.clone()
            }));
        } else {
            process.judge(adoption.target);
            process.former.retain(|former| *former != adoption.target);
        }
    }

    fn release_unknown(&mut self, index: usize, limit: u64, tokens: Vec<(Token, u8)>) {
        let process = &self.processes[index];
        let worker = process.worker;
        let unknown =
            |(token, _): &(Token, u8)| token.0 <= limit && !process.held.contains_key(token);
        let unknown: Vec<_> = tokens.into_iter().filter(unknown).collect();
        for (token, job) in unknown {
            let action = RELEASE;
            self.abandon(Request {
                worker,
                ask: Ask::Settle { token, action, job },
            });
        }
    }

    /// It owns nothing any more and goes on under a new id. Its runs end, and their outcomes are
    /// sent under the old one.
    fn reaped(&mut self, index: usize, mutant: Option<Mutant>) {
        if mutant == Some(Mutant::ReapedKeepsItsId) {
            self.processes[index].held.clear();
            return;
        }
        let old = self.renew_process(index);
        let worker = old.worker;
        for (token, held) in old.held {
            let action = match held.run {
                Run::Running => Action::Ack,
                Run::Orphan(_) => continue,
                Run::Ended(action) => action,
            };
            let job = held.job.id();
            self.abandon(Request {
                worker,
                ask: Ask::Settle { token, action, job },
            });
        }
        let process = &mut self.processes[index];
        process.former = old.former;
        process.former.push(worker);
    }

    /// The process is no more; another takes its place, with an id of its own.
    pub(super) fn end(&mut self, index: usize) {
        self.renew_process(index);
    }

    fn renew_process(&mut self, index: usize) -> Process {
        let new = Process::new(self.new_worker());
        let mut old = std::mem::replace(&mut self.processes[index], new);
        for (_, call) in std::mem::take(&mut old.calls) {
            if call.leg == Leg::Out {
                self.abandon(call.request);
            }
        }
        old
    }

    /// The process waits no longer. An outcome is sent again until it is answered.
    pub(super) fn give_up(&mut self, index: usize, lane: Lane) {
        let process = &mut self.processes[index];
        let Some(call) = process.calls.remove(&lane) else {
            return;
        };
        match call.leg {
            Leg::Out | Leg::Back(_) if lane == Lane::Settle => {
                let leg = Leg::Out;
                let request = call.request.clone();
                process.calls.insert(
                    lane,
                    Call {
                        leg,
                        ..call.clone()
                    },
                );
                if call.leg == Leg::Out {
                    self.abandon(request);
                }
            }
            Leg::Out => self.abandon(call.request),
            Leg::Back(_) => {}
            // Nobody knows which of them are cancelled: all go back where they came from.
            Leg::Asking(given) | Leg::Told(given, _) => {
                process.known = process.known.max(given.counter);
                let suspect = lane == Lane::Suspect;
                for (token, job, _) in given.jobs {
                    let element = None;
                    let run = Run::Ended(Action::Release { suspect, element });
                    process.held.insert(token, Held { job, run });
                }
            }
        }
        let process = &mut self.processes[index];
        if let (Lane::Adopt, Some(target)) = (lane, process.half_adopted()) {
            process.judge(target);
        }
    }
}

const RELEASE: Action<super::Job> = Action::Release {
    suspect: false,
    element: None,
};

fn must_ask(given: &Given, mutant: Option<Mutant>) -> bool {
    given.flag && !given.jobs.is_empty() && mutant != Some(Mutant::StartsWithoutAsking)
}

impl Process {
    fn half_adopted(&self) -> Option<Worker> {
        self.held.values().find_map(|held| match held.run {
            Run::Orphan(target) => Some(target),
            _ => None,
        })
    }
}
