//! What happens outside the processes: late requests are carried out, and people intervene.

use super::marks::of_request;
use super::step::Next;
use super::{Ask, Job, Limit, Mutant, Rule, Step, System, Worker};

impl System {
    /// Requests that were given up are carried out.
    pub(super) fn late_ones(&self, mutant: Option<Mutant>, next: Next<'_>) {
        for (place, request) in self.late.iter().enumerate() {
            if place > 0 && self.late[place - 1] == *request {
                continue;
            }
            let mut then = self.clone();
            then.late.remove(place);
            let answer = then.carry_out(request, mutant);
            let mut marks = of_request(self, request, &answer, &then);
            let late = match request.ask {
                Ask::Claim { .. } => Some(Rule::ClaimRanLate),
                Ask::Adopt(_) => Some(Rule::AdoptRanLate),
                Ask::Wait => Some(Rule::HandedLate),
                Ask::Settle { .. } => Some(Rule::SettledLate),
                _ => None,
            };
            late.into_iter().for_each(|rule| marks.put_if(true, rule));
            let step = Step {
                marks,
                process: None,
                about: request.worker,
            };
            next(step, then);
        }
    }

    /// What people do to a queue.
    pub(super) fn people(&self, next: Next<'_>) {
        let mut act = |limit: Limit, rule: Rule, about: Worker, act: &dyn Fn(&mut Self)| {
            if let Some(budget) = self.budget.spend(limit) {
                let mut then = Self {
                    budget,
                    ..self.clone()
                };
                act(&mut then);
                then.queue.ended.sort_unstable();
                let step = Step {
                    marks: rule.into(),
                    process: None,
                    about,
                };
                next(step, then);
            }
        };
        if self.queue.paused {
            let mut then = self.clone();
            then.queue.paused = false;
            let marks = Rule::Resumed.into();
            next(
                Step {
                    marks,
                    process: None,
                    about: 0,
                },
                then,
            );
            return;
        }
        act(Limit::Pause, Rule::Paused, 0, &|s| s.queue.paused = true);
        for id in 0..self.jobs {
            act(Limit::Cancel, Rule::Cancelled, id, &|s| s.queue.cancel(id));
        }
        if let Some(&record) = self.queue.dead.first() {
            let (id, fresh) = (record.id(), Job::new(record.id()));
            act(Limit::TakeDead, Rule::DeadTaken, id, &|s| {
                s.queue.take_dead(&record, Some((id, fresh)), true);
            });
        }
        if let Some(&(_, delayed)) = self.queue.delayed.first() {
            let id = delayed.id();
            act(Limit::RunNow, Rule::RanNow, id, &|s| {
                s.queue.run_now(&delayed, id, Job::new(id));
            });
        }
        act(Limit::Purge, Rule::Purged, 0, &|s| {
            s.queue.purge_ready();
        });
    }
}
