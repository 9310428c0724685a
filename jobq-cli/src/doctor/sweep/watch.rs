//! Who has been silent for a whole lease, by this process' own clock: as a worker's reaper judges it.
//! Pure.
//!
//! Only answered looks count: one that took long, or came long after the one before, starts the
//! window of everyone again, for they may all have been kept from renewing by what kept this.

use std::collections::HashMap;
use std::time::Duration;

use jobq::WorkerId;
use tokio::time::Instant;

/// Between two looks.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long one is waited for whose id does not say its lease.
const LONG_LEASE: Duration = Duration::from_secs(60);

/// What is known of a worker: its counter, or that it is not registered.
pub(super) type Seen = (WorkerId, Option<u64>);

/// What was seen of those who own something on a queue.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The counter, and since when it is that.
    seen: HashMap<WorkerId, (Option<u64>, Instant)>,
    /// When the last look was answered.
    last: Option<Instant>,
}

impl Watch {
    /// Notes a look that was asked and answered at these times; answers who has been silent for
    /// its whole lease.
    pub(super) fn observe(&mut self, asked: Instant, answered: Instant, all: &[Seen]) -> Vec<Seen> {
        let last = self.last.replace(answered).unwrap_or(asked);
        let gap = asked.saturating_duration_since(last);
        let blind = answered - asked > LOOK_EVERY || gap > 2 * LOOK_EVERY;
        let before = std::mem::take(&mut self.seen);
        let mut silent = Vec::new();
        for (worker, counter) in all {
            let since = match before.get(worker) {
                Some((seen, since)) if seen == counter && !blind => *since,
                _ => answered,
            };
            self.seen.insert(worker.clone(), (*counter, since));
            if asked.saturating_duration_since(since) >= lease(worker) {
                silent.push((worker.clone(), *counter));
            }
        }
        silent
    }
}

/// How long a worker may be silent.
fn lease(worker: &WorkerId) -> Duration {
    worker.lease().unwrap_or(LONG_LEASE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The first second at which a worker of a lease of 3 s is called silent that is seen with these
    /// counters, one look a second; each look takes as long as is said.
    fn silent_at(look: impl Fn(u64) -> (Option<u64>, Duration)) -> Option<u64> {
        let worker = WorkerId::leased(Duration::from_secs(3));
        let (mut watch, start) = (Watch::default(), Instant::now());
        (0..20).find(|&second| {
            let (counter, took) = look(second);
            let asked = start + Duration::from_secs(second);
            let all = [(worker.clone(), counter)];
            let silent = watch.observe(asked, asked + took, &all);
            assert!(silent.is_empty() || silent == all);
            !silent.is_empty()
        })
    }

    #[test]
    fn a_lease_without_a_sign_is_silence() {
        for counter in [None, Some(0), Some(7)] {
            assert_eq!(silent_at(|_| (counter, MS)), Some(4), "{counter:?}");
        }
    }

    #[test]
    fn whoever_renews_or_registers_again_lives() {
        assert_eq!(silent_at(|second| (Some(second / 2), MS)), None);
        assert_eq!(
            silent_at(|second| ((second % 3 == 0).then_some(1), MS)),
            None
        );
    }

    #[test]
    fn looks_that_are_answered_late_count_for_nothing() {
        assert_eq!(silent_at(|_| (None, LOOK_EVERY + MS)), None);
        let once = |second| match second {
            3 => (None, LOOK_EVERY + MS),
            _ => (None, MS),
        };
        assert!(silent_at(once) > Some(6), "{:?}", silent_at(once));
    }

    #[test]
    fn a_gap_between_looks_starts_the_window_again() {
        let worker = WorkerId::leased(Duration::from_secs(3));
        let (mut watch, start) = (Watch::default(), Instant::now());
        let mut silent = |second| {
            let asked = start + Duration::from_secs(second);
            let all = [(worker.clone(), None)];
            !watch.observe(asked, asked + MS, &all).is_empty()
        };
        for second in [0, 1, 2, 6, 7, 8, 9] {
            assert!(!silent(second), "{second}");
        }
        assert!(silent(10));
    }

    #[test]
    fn an_id_that_says_nothing_is_waited_for_long() {
        assert_eq!(lease(&WorkerId::from_stored("ghost")), LONG_LEASE);
        assert_eq!(lease(&WorkerId::leased(MS * 500)), MS * 500);
    }
}
