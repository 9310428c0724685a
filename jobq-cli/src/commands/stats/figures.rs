//! The figures of a queue, and of several together.

use std::time::Duration;

use jobq::{QueueStats, Timestamp};

/// What is told of a queue.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) ready: u64,
    pub(super) suspects: u64,
    pub(super) delayed: u64,
    pub(super) in_flight: u64,
    pub(super) dead: u64,
    pub(super) paused: bool,
    pub(super) oldest: Option<Duration>,
    pub(super) next_due: Option<Timestamp>,
    /// `None` if nothing can be read of them.
    pub(super) workers: Option<u64>,
    pub(super) done: u64,
    pub(super) failed: u64,
}

/// In a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    pub(super) done: f64,
    pub(super) failed: f64,
}

impl Figures {
    pub(super) fn new(stats: &QueueStats, workers: Option<u64>) -> Self {
        Self {
            ready: stats.ready,
            suspects: stats.suspects,
            delayed: stats.delayed,
            in_flight: stats.in_flight,
            dead: stats.dead,
            paused: stats.paused,
            oldest: stats.oldest_ready_age,
            next_due: stats.next_due,
            workers,
            done: stats.totals.done,
            failed: stats.totals.failures(),
        }
    }

    /// Both together. A worker of several queues counts in each of them.
    pub(super) fn plus(&self, other: &Self) -> Self {
        Self {
            ready: self.ready + other.ready,
            suspects: self.suspects + other.suspects,
            delayed: self.delayed + other.delayed,
            in_flight: self.in_flight + other.in_flight,
            dead: self.dead + other.dead,
            paused: false,
            oldest: self.oldest.max(other.oldest),
            next_due: self.next_due.into_iter().chain(other.next_due).min(),
            workers: self.workers.zip(other.workers).map(|(one, two)| one + two),
            done: self.done.saturating_add(other.done),
            failed: self.failed.saturating_add(other.failed),
        }
    }

    /// How fast they rose. Totals that fell were begun anew: no rate is below zero.
    pub(super) fn rates_since(&self, earlier: &Self, time: Duration) -> Rates {
        let rate = |now: u64, then: u64| {
            now.saturating_sub(then) as f64 / time.as_secs_f64().max(f64::EPSILON)
        };
        Rates {
            done: rate(self.done, earlier.done),
            failed: rate(self.failed, earlier.failed),
        }
    }
}

impl Rates {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            failed: self.failed + other.failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(done: u64, failed: u64) -> Figures {
        Figures {
            done,
            failed,
            ..Figures::default()
        }
    }

    #[test]
    fn rates_are_those_between_two_looks() {
        for (then, now, secs, done, failed) in [
            (figures(0, 0), figures(10, 4), 2, 5.0, 2.0),
            (figures(7, 7), figures(7, 7), 2, 0.0, 0.0),
            (figures(100, 9), figures(3, 0), 1, 0.0, 0.0),
        ] {
            let rates = now.rates_since(&then, Duration::from_secs(secs));
            assert_eq!(rates, Rates { done, failed });
        }
    }

    #[test]
    fn a_total_has_the_oldest_job_and_the_first_that_is_due() {
        let at = |secs| Timestamp::from_second(secs).ok();
        let one = Figures {
            ready: 1,
            oldest: Some(Duration::from_secs(3)),
            next_due: at(9),
            ..Figures::default()
        };
        let other = Figures {
            ready: 2,
            oldest: None,
            next_due: at(5),
            ..Figures::default()
        };
        let total = one.plus(&other);
        assert_eq!(
            (total.ready, total.oldest),
            (3, Some(Duration::from_secs(3)))
        );
        assert_eq!(total.next_due, at(5));
        assert_eq!(one.plus(&Figures::default()).next_due, at(9));
    }
}
