//! All faults end: what is late runs, what was sent is answered, the living do their rounds. Then
//! everything is to come to its end.

use super::process::{Lane, Leg, Run};
use super::{Ask, Limit, Mutant, System};
use crate::store::Action;

/// Rounds in which everything must have come to its end.
const ROUNDS: usize = 24;

impl System {
    /// What is left undone though all faults have ended, if anything is.
    #[must_use]
    pub fn left_undone(&self, mutant: Option<Mutant>) -> Option<&'static str> {
        let mut system = self.clone();
        system.queue.paused = false;
        system.catch_up(mutant);
        for _ in 0..ROUNDS {
            for index in 0..system.processes.len() {
                system.look_after(index, mutant);
                system.work(index, mutant);
            }
        }
        system.wrong.or_else(|| system.remains())
    }

    /// What is not given back though its worker renews and reconciles, and is too busy to claim.
    #[must_use]
    pub fn withheld(&self, mutant: Option<Mutant>) -> Option<&'static str> {
        let mut system = self.clone();
        system.catch_up(mutant);
        for _ in 0..3 {
            for index in 0..system.processes.len() {
                system.reconcile(index, mutant);
            }
        }
        let lives = |worker| {
            system
                .processes
                .iter()
                .find(|p| p.worker == worker && p.known > 0)
        };
        let mut records = system.queue.in_flight.keys();
        let ghost = records.any(|(worker, token)| {
            lives(*worker).is_some_and(|process| !process.held.contains_key(token))
        });
        ghost.then_some("a living worker does not know what is in flight under its id")
    }

    /// Whatever is on its way arrives.
    fn catch_up(&mut self, mutant: Option<Mutant>) {
        while let Some(request) = self.late.pop() {
            self.carry_out(&request, mutant);
        }
        for index in 0..self.processes.len() {
            while let Some(lane) = self.processes[index].calls.keys().next().copied() {
                self.advance(index, lane, mutant);
            }
        }
        while let Some(request) = self.late.pop() {
            self.carry_out(&request, mutant);
        }
    }

    fn advance(&mut self, index: usize, lane: Lane, mutant: Option<Mutant>) {
        let Some(call) = self.processes[index].calls.get(&lane).cloned() else {
            return;
        };
        let leg = match call.leg {
            Leg::Out => Leg::Back(self.carry_out(&call.request, mutant)),
            Leg::Asking(given) => {
                let cancelled = self.which_are_cancelled(&given);
                Leg::Told(given, cancelled)
            }
            Leg::Back(_) | Leg::Told(..) => return self.arrive(index, lane, mutant),
        };
        if let Some(call) = self.processes[index].calls.get_mut(&lane) {
            call.leg = leg;
        }
    }

    fn ask(&mut self, index: usize, ask: Ask, mutant: Option<Mutant>) {
        if mutant.is_some_and(|mutant| mutant.forbids(self, &ask)) {
            return;
        }
        self.processes[index].send(ask);
        self.catch_up(mutant);
    }

    /// Renews, and releases what it owns and does not hold.
    fn reconcile(&mut self, index: usize, mutant: Option<Mutant>) {
        let known = self.processes[index].known;
        if known > 0 {
            self.ask(index, Ask::Renew { known }, mutant);
            let limit = self.processes[index].reconcile_limit();
            self.ask(index, Ask::Held { limit }, mutant);
        }
    }

    /// The reaper's round. Who lives is not adopted: that is what leases are for.
    fn look_after(&mut self, index: usize, mutant: Option<Mutant>) {
        self.reconcile(index, mutant);
        let lives = |system: &Self, worker| system.processes.iter().any(|p| p.worker == worker);
        for (_, ask) in self.asks(index) {
            if matches!(&ask, Ask::Adopt(adoption) if !lives(self, adoption.target)) {
                self.ask(index, ask, mutant);
            }
        }
    }

    /// Every run ends well; then it claims.
    fn work(&mut self, index: usize, mutant: Option<Mutant>) {
        for (token, held) in self.processes[index].held.clone() {
            let action = match held.run {
                Run::Running => Action::Ack,
                Run::Orphan(_) => continue,
                Run::Ended(action) => action,
            };
            let job = held.job.id();
            self.ask(index, Ask::Settle { token, action, job }, mutant);
        }
        for (limit, ask) in self.asks(index) {
            if matches!(limit, Limit::Claim | Limit::Suspect) {
                self.ask(index, ask, mutant);
            }
        }
    }

    fn remains(&self) -> Option<&'static str> {
        let queue = &self.queue;
        let holds = self
            .processes
            .iter()
            .any(|process| !process.held.is_empty());
        let lives = |worker: &u8| self.processes.iter().any(|p| p.worker == *worker);
        let joined = |process: &super::Process| queue.members.contains_key(&process.worker);
        match () {
            () if !queue.in_flight.is_empty() => Some("a job stays in flight for ever"),
            () if !queue.handoffs.is_empty() => Some("a job stays in a handoff for ever"),
            () if !queue.ready.is_empty() || !queue.delayed.is_empty() => {
                Some("a job that could run is never claimed")
            }
            () if !queue.suspects.is_empty() => Some("a suspect is never claimed"),
            () if holds => Some("a process holds a job for ever"),
            () if !queue.members.keys().all(lives) => Some("a dead worker stays a member"),
            () if !self.processes.iter().all(joined) => Some("a process claims and is no member"),
            () => None,
        }
    }
}
