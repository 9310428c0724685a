//! Which workers of a queue stand still, by the observer's own clock. Pure.
//!
//! Only answered looks count: one that took longer than a second, or that came more than two
//! intervals after the one before, starts the window again. So does one at which the observer's own
//! counter has stood still, though it was renewed in vain: the store answers and takes no writes.
//! So after an outage every worker has a whole lease to renew first.

use std::collections::HashMap;
use std::time::Duration;

use jobq::WorkerId;
use tokio::time::Instant;

/// The longest an answer may take to count.
const SLOWEST_ANSWER: Duration = Duration::from_secs(1);

/// A worker and the counter it stood still at.
pub(super) type Still = (WorkerId, u64);

/// What one worker saw of the members of one queue.
#[derive(Debug)]
pub(super) struct Watch {
    lease: Duration,
    /// How long the observer's own counter may stand still while writes are taken.
    patience: Duration,
    /// The longest between two looks that belong together.
    longest_gap: Duration,
    /// The counter and when it was seen first.
    seen: HashMap<WorkerId, (u64, Instant)>,
    last: Option<Instant>,
}

impl Watch {
    pub(super) fn new(lease: Duration, renew_every: Duration, look_every: Duration) -> Self {
        // Others renewed up to `renew_every` before an outage and do so up to `renew_every` after:
        // one that is shorter than the rest of the lease makes nobody look dead.
        let patience = (lease - 2 * renew_every).max(renew_every * 3 / 2);
        Self {
            lease,
            patience,
            longest_gap: 2 * look_every,
            seen: HashMap::new(),
            last: None,
        }
    }

    /// Notes a look of `own` that was asked and answered at these times; answers the other members
    /// whose counter has stood still for a whole lease.
    pub(super) fn observe(
        &mut self,
        own: &WorkerId,
        asked: Instant,
        answered: Instant,
        members: &[(WorkerId, u64)],
    ) -> Vec<Still> {
        let slow = answered - asked > SLOWEST_ANSWER;
        let gap = self
            .last
            .is_some_and(|last| asked - last > self.longest_gap);
        self.last = (!slow).then_some(answered);
        if slow || gap {
            self.restart();
        }
        let before = std::mem::take(&mut self.seen);
        let since = |worker: &WorkerId, counter| match before.get(worker) {
            Some((seen, since)) if *seen == counter => *since,
            _ => answered,
        };
        let stood = |since| asked.saturating_duration_since(since);
        let in_vain = members.iter().any(|(worker, counter)| {
            worker == own && stood(since(worker, *counter)) > self.patience
        });
        let mut still = Vec::new();
        for (worker, counter) in members {
            let since = match in_vain && worker != own {
                true => answered,
                false => since(worker, *counter),
            };
            if worker != own && stood(since) >= self.lease {
                still.push((worker.clone(), *counter));
            }
            self.seen.insert(worker.clone(), (*counter, since));
        }
        still
    }

    /// Starts the window of everyone again.
    pub(super) fn restart(&mut self) {
        self.seen.clear();
    }

    /// Whether it was a member at the last look.
    pub(super) fn knows(&self, worker: &WorkerId) -> bool {
        self.seen.contains_key(worker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(7);
    const RENEW_EVERY: Duration = Duration::from_secs(2);
    const MS: Duration = Duration::from_millis(1);

    /// Looks at these seconds, each answered at once, at a worker with these counters.
    fn looks(at: &[(u64, u64)]) -> Vec<bool> {
        let start = Instant::now();
        let worker = WorkerId::random();
        let mut watch = Watch::new(LEASE, RENEW_EVERY, Duration::from_secs(1));
        let look = |&(second, counter): &(u64, u64)| {
            let asked = start + Duration::from_secs(second);
            !watch
                .observe(
                    &WorkerId::random(),
                    asked,
                    asked + MS,
                    &[(worker.clone(), counter)],
                )
                .is_empty()
        };
        at.iter().map(look).collect()
    }

    #[test]
    fn a_counter_that_stands_still_for_a_lease_is_dead() {
        let at: Vec<_> = (0..=8).map(|second| (second, 5)).collect();
        assert_eq!(
            looks(&at),
            [false, false, false, false, false, false, false, false, true]
        );
    }

    #[test]
    fn a_counter_that_moves_is_alive() {
        let at: Vec<_> = (0..30).map(|second| (second, second / 6)).collect();
        assert!(!looks(&at).contains(&true));
    }

    #[test]
    fn a_gap_between_looks_starts_the_window_again() {
        let before = (0..7).map(|second| (second, 5));
        let after = (10..17).map(|second| (second, 5));
        let at: Vec<_> = before.chain(after).collect();
        assert!(!looks(&at).contains(&true));
    }

    #[test]
    fn a_slow_answer_starts_the_window_again() {
        let start = Instant::now();
        let (own, members) = (WorkerId::random(), [(WorkerId::random(), 5)]);
        let mut watch = Watch::new(LEASE, RENEW_EVERY, Duration::from_secs(1));
        for second in 0..7 {
            let asked = start + Duration::from_secs(second);
            watch.observe(&own, asked, asked + MS, &members);
        }
        let asked = start + Duration::from_secs(7);
        assert!(
            watch
                .observe(&own, asked, asked + SLOWEST_ANSWER + MS, &members)
                .is_empty()
        );
        let asked = start + Duration::from_secs(9);
        assert!(watch.observe(&own, asked, asked + MS, &members).is_empty());
    }

    /// Looks once a second, with a counter of its own that rises by `own`, at a worker whose counter
    /// stands still; answers when that worker looked dead first.
    fn dead_at(own: impl Fn(u64) -> u64) -> Option<u64> {
        let start = Instant::now();
        let (me, other) = (WorkerId::random(), WorkerId::random());
        let mut watch = Watch::new(LEASE, RENEW_EVERY, Duration::from_secs(1));
        (0..60).find(|&second| {
            let asked = start + Duration::from_secs(second);
            let members = [(me.clone(), own(second)), (other.clone(), 5)];
            !watch.observe(&me, asked, asked + MS, &members).is_empty()
        })
    }

    #[test]
    fn an_observer_that_renews_sees_the_dead() {
        assert_eq!(dead_at(|second| second / 2), Some(8));
    }

    #[test]
    fn an_observer_that_renews_in_vain_calls_nobody_dead() {
        assert_eq!(dead_at(|_| 1), None);
        // Refused until the twentieth second: then the others have a whole lease to renew.
        let refused = |second: u64| second.saturating_sub(20) / 2;
        assert!(dead_at(refused).is_some_and(|second| second >= 20 + LEASE.as_secs()));
    }

    #[test]
    fn an_observer_is_never_dead_to_itself() {
        let start = Instant::now();
        let own = WorkerId::random();
        let mut watch = Watch::new(LEASE, RENEW_EVERY, Duration::from_secs(1));
        for second in 0..60 {
            let asked = start + Duration::from_secs(second);
            let still = watch.observe(&own, asked, asked + MS, &[(own.clone(), 5)]);
            assert!(still.is_empty());
        }
    }
}
