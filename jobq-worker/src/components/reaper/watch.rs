//! Which workers of a queue stand still, by the observer's own clock. Pure.
//!
//! Only answered looks count: one that took longer than a second, or that came more than two
//! intervals after the one before, starts the window again. So after an outage every worker has a
//! whole lease to renew first.

use std::collections::HashMap;
use std::time::Duration;

use jobq::WorkerId;
use tokio::time::Instant;

/// The longest an answer may take to count.
const SLOWEST_ANSWER: Duration = Duration::from_secs(1);

/// What one worker saw of the members of one queue.
#[derive(Debug)]
pub(super) struct Watch {
    lease: Duration,
    /// The longest between two looks that belong together.
    longest_gap: Duration,
    /// The counter and when it was seen first.
    seen: HashMap<WorkerId, (u64, Instant)>,
    last: Option<Instant>,
}

impl Watch {
    pub(super) fn new(lease: Duration, look_every: Duration) -> Self {
        Self {
            lease,
            longest_gap: 2 * look_every,
            seen: HashMap::new(),
            last: None,
        }
    }

    /// Notes a look that was asked and answered at these times; answers the members whose counter
    /// has stood still for a whole lease.
    pub(super) fn observe(
        &mut self,
        asked: Instant,
        answered: Instant,
        members: &[(WorkerId, u64)],
    ) -> Vec<(WorkerId, u64)> {
        let slow = answered - asked > SLOWEST_ANSWER;
        let gap = self
            .last
            .is_some_and(|last| asked - last > self.longest_gap);
        self.last = (!slow).then_some(answered);
        if slow || gap {
            self.seen.clear();
        }
        let before = std::mem::take(&mut self.seen);
        let mut still = Vec::new();
        for (worker, counter) in members {
            let since = match before.get(worker) {
                Some((seen, since)) if seen == counter => *since,
                _ => answered,
            };
            if asked.saturating_duration_since(since) >= self.lease {
                still.push((worker.clone(), *counter));
            }
            self.seen.insert(worker.clone(), (*counter, since));
        }
        still
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
    const MS: Duration = Duration::from_millis(1);

    /// Looks at these seconds, each answered at once, at a worker with these counters.
    fn looks(at: &[(u64, u64)]) -> Vec<bool> {
        let start = Instant::now();
        let worker = WorkerId::random();
        let mut watch = Watch::new(LEASE, Duration::from_secs(1));
        let look = |&(second, counter): &(u64, u64)| {
            let asked = start + Duration::from_secs(second);
            !watch
                .observe(asked, asked + MS, &[(worker.clone(), counter)])
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
        let members = [(WorkerId::random(), 5)];
        let mut watch = Watch::new(LEASE, Duration::from_secs(1));
        for second in 0..7 {
            let asked = start + Duration::from_secs(second);
            watch.observe(asked, asked + MS, &members);
        }
        let asked = start + Duration::from_secs(7);
        assert!(
            watch
                .observe(asked, asked + SLOWEST_ANSWER + MS, &members)
                .is_empty()
        );
        let asked = start + Duration::from_secs(9);
        assert!(watch.observe(asked, asked + MS, &members).is_empty());
    }
}
