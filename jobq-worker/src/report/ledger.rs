//! What of a queue's tallies the broker has counted, and the one report that is on its way.
//!
//! A report whose answer is not known stays as it is, and is sent again under its number until it is
//! answered: the broker counts each number once. If the worker loses its id meanwhile nobody can say
//! whether it was counted: then it is taken for counted, for nothing may count twice.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::broker::{MAX_TALLIES, Member, Report, Reported};
use jobq::{Tally, Totals, WorkerId};

use super::tallies::Tallies;

/// The reports of one worker on one queue.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By the place of the name.
    counted: Vec<Totals>,
    pending: Option<Pending>,
    /// Where the next report begins: a name that comes again and again must not keep others out.
    begins: usize,
    /// The number of the last report of this id.
    last: u64,
    worker: Option<WorkerId>,
}

/// A report without an answer.
#[derive(Debug)]
struct Pending {
    report: Report,
    /// What is counted once it is, by the place of the name.
    counts: Vec<(usize, Totals)>,
    /// Whether it may have been counted already when it was sent last.
    resent: bool,
}

impl Ledger {
    /// The report to be sent: the one without an answer, or what has come since. `None` if there is
    /// nothing to be told.
    pub(super) fn next(&self, member: &Member, tallies: &Tallies, index: usize) -> Option<Report> {
        let mut state = self.state();
        if state.worker.as_ref() != Some(&member.worker) {
            state.count_pending();
            (state.worker, state.last) = (Some(member.worker.clone()), 0);
        }
        if let Some(pending) = &mut state.pending {
            pending.resent = true;
            return Some(pending.report.clone());
        }
        let (mut news, mut counts) = (Vec::new(), Vec::new());
        for place in (state.begins..tallies.len()).chain(0..state.begins) {
            if news.len() == MAX_TALLIES {
                state.begins = place;
                break;
            }
            let (name, now) = tallies.get(index, place);
            let (now, before) = (whole(now), state.counted.get(place));
            let before = before.copied().unwrap_or_default();
            if now != before {
                news.push(Tally::new(name, minus(now, before)));
                counts.push((place, now));
            }
        }
        if news.is_empty() {
            return None;
        }
        let report = Report {
            queue: member.queue.clone(),
            worker: member.worker.clone(),
            number: state.last + 1,
            tallies: news,
        };
        state.pending = Some(Pending {
            report: report.clone(),
            counts,
            resent: false,
        });
        Some(report)
    }

    /// Takes the answer to the report that was sent last.
    pub(super) fn answered(&self, answer: Reported) {
        let mut state = self.state();
        match answer {
            Reported::Counted => {
                state.last += 1;
                state.count_pending();
            }
            Reported::Reaped => {
                // One that was never sent before surely does not count: what it told is told anew,
                // under the next id.
                let resent = state.pending.take_if(|pending| !pending.resent).is_none();
                if resent {
                    state.count_pending();
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count_pending(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        for (place, totals) in pending.counts {
            if self.counted.len() <= place {
                self.counted.resize(place + 1, Totals::default());
            }
            self.counted[place] = totals;
        }
    }
}

/// Of the time the whole milliseconds, which alone are counted: the rest is told later.
fn whole(mut totals: Totals) -> Totals {
    let ms = u64::try_from(totals.spent.as_millis()).unwrap_or(u64::MAX);
    totals.spent = Duration::from_millis(ms);
    totals
}

fn minus(now: Totals, before: Totals) -> Totals {
    let mut news = Totals::default();
    news.done = now.done.saturating_sub(before.done);
    news.failed = now.failed.saturating_sub(before.failed);
    news.retried = now.retried.saturating_sub(before.retried);
    news.dead = now.dead.saturating_sub(before.dead);
    news.spent = now.spent.saturating_sub(before.spent);
    news
}

#[cfg(test)]
mod tests {
    use jobq::QueueName;

    use super::super::tallies::{JobIndex, Streak};
    use super::*;
    use crate::outbox::{Kind, Note};

    struct Desk {
        ledger: Ledger,
        tallies: Tallies,
        member: Member,
    }

    impl Desk {
        fn new(names: usize) -> Self {
            Self {
                ledger: Ledger::default(),
                tallies: Tallies::new(1, vec!["x"; names]),
                member: member("w1"),
            }
        }

        fn done(&self, job: u32, jobs: u64, spent_us: u64) {
            let mut streak = Streak::new(&self.tallies, 0);
            for _ in 0..jobs {
                streak.add(&Note {
                    id: None,
                    kind: Kind::Done,
                    job: JobIndex(job),
                    spent_ns: spent_us * 1000,
                });
            }
        }

        /// Worker, number, jobs done and ms of the next report.
        fn next(&self) -> Option<(String, u64, u64, u128)> {
            let report = self.ledger.next(&self.member, &self.tallies, 0)?;
            let sum = report.tallies.iter().map(|tally| tally.totals);
            let sum = sum.fold(Totals::default(), Totals::plus);
            let worker = report.worker.to_string();
            Some((worker, report.number, sum.done, sum.spent.as_millis()))
        }
    }

    fn member(worker: &str) -> Member {
        Member {
            queue: QueueName::new("mail").unwrap(),
            worker: WorkerId::from_stored(worker),
            known: 1,
        }
    }

    fn told(worker: &str, number: u64, done: u64, ms: u128) -> Option<(String, u64, u64, u128)> {
        Some((worker.to_owned(), number, done, ms))
    }

    #[test]
    fn a_report_tells_what_came_since_the_last_that_was_counted() {
        let desk = Desk::new(1);
        assert_eq!(desk.next(), None);
        desk.done(0, 3, 500);
        assert_eq!(desk.next(), told("w1", 1, 3, 1));
        desk.ledger.answered(Reported::Counted);
        assert_eq!(desk.next(), None);
        desk.done(0, 1, 500);
        assert_eq!(desk.next(), told("w1", 2, 1, 1), "no part of a ms is lost");
    }

    #[test]
    fn one_without_an_answer_is_sent_again_as_it_was() {
        let desk = Desk::new(1);
        desk.done(0, 3, 0);
        assert_eq!(desk.next(), told("w1", 1, 3, 0));
        desk.done(0, 4, 0);
        assert_eq!(desk.next(), told("w1", 1, 3, 0));
        assert_eq!(desk.next(), told("w1", 1, 3, 0));
        desk.ledger.answered(Reported::Counted);
        assert_eq!(desk.next(), told("w1", 2, 4, 0));
    }

    #[test]
    fn one_that_surely_does_not_count_is_told_under_the_next_id() {
        let mut desk = Desk::new(1);
        desk.done(0, 3, 0);
        assert_eq!(desk.next(), told("w1", 1, 3, 0));
        desk.ledger.answered(Reported::Reaped);
        desk.member = member("w2");
        assert_eq!(desk.next(), told("w2", 1, 3, 0));
    }

    #[test]
    fn one_that_may_count_is_not_told_under_another_id() {
        let mut desk = Desk::new(1);
        desk.done(0, 3, 0);
        assert_eq!(desk.next(), told("w1", 1, 3, 0));
        assert_eq!(desk.next(), told("w1", 1, 3, 0));
        desk.ledger.answered(Reported::Reaped);
        assert_eq!(desk.next(), None, "it was sent twice");
        desk.done(0, 1, 0);
        assert_eq!(desk.next(), told("w1", 1, 1, 0));
        desk.member = member("w2");
        assert_eq!(desk.next(), None, "it was not answered");
        desk.done(0, 5, 0);
        assert_eq!(desk.next(), told("w2", 1, 5, 0));
    }

    #[test]
    fn many_names_take_several_reports_and_none_is_left_out() {
        let desk = Desk::new(250);
        (0..250).for_each(|job| desk.done(job, 1, 0));
        for (number, jobs) in [(1, 100), (2, 100), (3, 150)] {
            assert_eq!(desk.next(), told("w1", number, jobs, 0));
            desk.ledger.answered(Reported::Counted);
            if number <= 2 {
                // Those that were told of first have news again.
                (0..50).for_each(|job| desk.done(job, 1, 0));
            }
        }
        assert_eq!(desk.next(), None);
    }
}
