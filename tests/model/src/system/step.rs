//! What may happen next.

use std::fmt;

use super::marks::of_request;
use super::process::{Lane, Leg, Run};
use super::{Ask, Job, Limit, Marks, Mutant, Rule, System, Worker};
use crate::store::{Action, Adoption, NOW};

/// One step, for a trace.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What happened.
    pub marks: Marks,
    /// Which process did it; none for late requests and for people.
    pub process: Option<usize>,
    /// Under which id, or what it is about.
    pub about: Worker,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process {
            Some(process) => write!(f, "process {process}: {}({})", self.marks, self.about),
            None => write!(f, "{}({})", self.marks, self.about),
        }
    }
}

/// Where the next states go.
pub(super) type Next<'a> = &'a mut dyn FnMut(Step, System);

impl System {
    /// Every state that one step leads to.
    pub fn steps(&self, mutant: Option<Mutant>, next: Next<'_>) {
        for index in 0..self.processes.len() {
            self.calls_move(index, mutant, next);
            self.outcomes(index, next);
            for (limit, ask) in self.asks(index) {
                self.send(index, limit, ask, mutant, next);
            }
            if let Some(budget) = self.budget.spend(Limit::Crash) {
                let mut then = Self {
                    budget,
                    ..self.clone()
                };
                then.end(index);
                next(self.step(Rule::Crashed, index), then);
            }
        }
        self.late_ones(mutant, next);
        self.people(next);
    }

    fn step(&self, rule: Rule, process: usize) -> Step {
        Step {
            marks: rule.into(),
            process: Some(process),
            about: self.processes[process].worker,
        }
    }

    /// Requests and answers arrive, or are given up.
    fn calls_move(&self, index: usize, mutant: Option<Mutant>, next: Next<'_>) {
        for (&lane, call) in &self.processes[index].calls {
            let mut then = self.clone();
            let mut step = self.step(Rule::Answered, index);
            match &call.leg {
                Leg::Out => {
                    let answer = then.carry_out(&call.request, mutant);
                    step.marks = of_request(self, &call.request, &answer, &then);
                    then.set_leg(index, lane, Leg::Back(answer));
                }
                Leg::Asking(given) => {
                    step.marks = Rule::Asked.into();
                    let cancelled = self.which_are_cancelled(given);
                    then.set_leg(index, lane, Leg::Told(given.clone(), cancelled));
                }
                Leg::Back(_) | Leg::Told(..) => {
                    then.arrive(index, lane, mutant);
                    step.marks
                        .add(super::marks::of_answer(self, index, lane, &then));
                }
            }
            next(step, then);
            let (limit, rule) = match (lane, &call.leg) {
                (Lane::Settle, _) => (Limit::SendAgain, Rule::SentAgain),
                (_, Leg::Asking(_)) => (Limit::GiveUp, Rule::GaveUpAsking),
                _ => (Limit::GiveUp, Rule::GaveUp),
            };
            if let Some(budget) = self.budget.spend(limit) {
                let mut then = Self {
                    budget,
                    ..self.clone()
                };
                then.give_up(index, lane);
                let mut step = self.step(rule, index);
                let half = lane == Lane::Adopt && self.processes[index].has_orphans();
                step.marks.put_if(half, Rule::JudgedHalf);
                next(step, then);
            }
        }
    }

    fn set_leg(&mut self, index: usize, lane: Lane, leg: Leg) {
        if let Some(call) = self.processes[index].calls.get_mut(&lane) {
            call.leg = leg;
        }
    }

    /// Runs end, and their outcomes are sent.
    fn outcomes(&self, index: usize, next: Next<'_>) {
        let process = &self.processes[index];
        if !process.is_free(Lane::Settle) {
            return;
        }
        for (&token, held) in &process.held {
            for (limit, rule, action) in ends(&held.run, held.job) {
                let Some(budget) = limit.map_or(Some(self.budget), |l| self.budget.spend(l)) else {
                    continue;
                };
                let mut then = Self {
                    budget,
                    ..self.clone()
                };
                let job = held.job.id();
                then.processes[index].send(Ask::Settle { token, action, job });
                next(self.step(rule, index), then);
            }
        }
    }

    fn send(&self, index: usize, limit: Limit, ask: Ask, mutant: Option<Mutant>, next: Next<'_>) {
        let process = &self.processes[index];
        if !process.is_free(ask.lane()) || mutant.is_some_and(|m| m.forbids(self, &ask)) {
            return;
        }
        let Some(budget) = self.budget.spend(limit) else {
            return;
        };
        let mut step = self.step(sent(&ask, &process.former), index);
        if let Ask::Adopt(adoption) = &ask {
            step.about = adoption.target;
        }
        let mut then = Self {
            budget,
            ..self.clone()
        };
        let ask = match mutant {
            Some(mutant) => mutant.bend(ask),
            None => ask,
        };
        then.processes[index].send(ask);
        next(step, then);
    }

    /// What a process may ask for now, but for outcomes.
    pub(super) fn asks(&self, index: usize) -> Vec<(Limit, Ask)> {
        let process = &self.processes[index];
        let known = process.known;
        let claim = |max, suspect| Ask::Claim {
            known,
            max,
            suspect,
        };
        let mut asks = vec![
            (Limit::Claim, claim(process.free_slots(), false)),
            (Limit::Promote, Ask::Promote),
        ];
        if process.free_slots() > 0 && !self.queue.suspects.is_empty() {
            asks.push((Limit::Suspect, claim(1, true)));
        }
        if known > 0 {
            let limit = process.reconcile_limit();
            asks.push((Limit::Renew, Ask::Renew { known }));
            asks.push((Limit::Wait, Ask::Wait));
            asks.push((Limit::Reconcile, Ask::Held { limit }));
        }
        if process.held.is_empty() && process.calls.is_empty() && known > 0 {
            asks.push((Limit::Leave, Ask::Leave));
        }
        let adopt = |target, seen| {
            let adoption = Adoption {
                known,
                target,
                seen,
                max: 1,
            };
            (Limit::Adopt, Ask::Adopt(adoption))
        };
        asks.extend(
            self.targets(index)
                .into_iter()
                .map(|(t, seen)| adopt(t, seen)),
        );
        asks
    }

    /// Whom a process may want to adopt: members as it sees them now, its own remains, and owners
    /// that are no members.
    fn targets(&self, index: usize) -> Vec<(Worker, Option<u64>)> {
        let process = &self.processes[index];
        let members = &self.queue.members;
        let others = members
            .iter()
            .filter(|(worker, _)| **worker != process.worker);
        let mut targets: Vec<_> = others.map(|(w, seen)| (*w, Some(*seen))).collect();
        let owners = self.queue.in_flight.keys().map(|(owner, _)| *owner);
        let mut owners: Vec<_> = owners.chain(self.queue.handoffs.keys().copied()).collect();
        owners.sort_unstable();
        owners.dedup();
        let mut strangers = owners;
        strangers.retain(|owner| !members.contains_key(owner) && *owner != process.worker);
        let former = process
            .former
            .iter()
            .filter(|former| members.contains_key(former));
        strangers.extend(former);
        targets.extend(strangers.into_iter().map(|owner| (owner, None)));
        targets
    }
}

fn sent(ask: &Ask, former: &[Worker]) -> Rule {
    match ask {
        Ask::Claim { suspect: false, .. } => Rule::ClaimSent,
        Ask::Claim { suspect: true, .. } => Rule::SuspectSent,
        Ask::Settle { .. } => Rule::AckSent,
        Ask::Renew { .. } => Rule::RenewSent,
        Ask::Promote => Rule::PromoteSent,
        Ask::Adopt(adoption) if former.contains(&adoption.target) => Rule::OwnRemainsSent,
        Ask::Adopt(Adoption { seen: None, .. }) => Rule::SweepSent,
        Ask::Adopt(_) => Rule::AdoptSent,
        Ask::Leave => Rule::LeaveSent,
        Ask::Wait => Rule::WaitSent,
        Ask::Held { .. } => Rule::ReconcileSent,
    }
}

/// How a run may end.
fn ends(run: &Run, job: Job) -> Vec<(Option<Limit>, Rule, Action<Job>)> {
    let element = Job::new(job.id());
    match run {
        Run::Running => {
            let retry = Action::Retry { due: NOW, element };
            let bury = Action::Bury { record: element };
            let release = Action::Release {
                suspect: false,
                element: None,
            };
            vec![
                (None, Rule::AckSent, Action::Ack),
                (Some(Limit::Retry), Rule::RetrySent, retry),
                (Some(Limit::Bury), Rule::BurySent, bury),
                (Some(Limit::Release), Rule::ReleaseSent, release),
            ]
        }
        Run::Orphan(_) => vec![],
        Run::Ended(action) => vec![(None, Rule::Judged, action.clone())],
    }
}
