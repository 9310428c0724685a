//! Which owners of jobs have been no members of a queue for a whole lease, by the observer's own
//! clock. Pure.
//!
//! Where the members of a queue were lost, each of them that lives has that long to find it out
//! and to take back what it holds: nobody died with that.

use std::collections::HashMap;
use std::time::Duration;

use jobq::WorkerId;
use tokio::time::Instant;

/// The owners that are no members, and since when they were seen.
#[derive(Debug)]
pub(super) struct Strangers {
    /// The observer's, for those whose ids say nothing.
    lease: Duration,
    /// In the last whole pass of the sweep.
    before: HashMap<WorkerId, Instant>,
    /// In the one under way.
    now: HashMap<WorkerId, Instant>,
}

impl Strangers {
    pub(super) fn new(lease: Duration) -> Self {
        Self {
            lease,
            before: HashMap::new(),
            now: HashMap::new(),
        }
    }

    /// Notes those of one step of the sweep, the last of a pass or not; answers who is to be
    /// adopted.
    pub(super) fn observe(
        &mut self,
        strangers: impl Iterator<Item = WorkerId>,
        last: bool,
        at: Instant,
    ) -> Vec<WorkerId> {
        let mut overdue = Vec::new();
        for worker in strangers {
            let since = self.before.get(&worker).copied().unwrap_or(at);
            if at - since >= worker.lease().unwrap_or(self.lease) {
                overdue.push(worker.clone());
            }
            self.now.insert(worker, since);
        }
        if last {
            self.before = std::mem::take(&mut self.now);
        }
        overdue
    }

    /// Gives everyone a whole lease again.
    pub(super) fn restart(&mut self) {
        self.before.clear();
        self.now.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(7);

    #[test]
    fn a_stranger_has_the_lease_that_its_id_says_or_the_observers() {
        for (worker, lease) in [
            (WorkerId::leased(Duration::from_secs(2)), 2),
            (WorkerId::from_stored("ghost"), 7),
        ] {
            let (mut strangers, start) = (Strangers::new(LEASE), Instant::now());
            for second in 0..=lease {
                let at = start + Duration::from_secs(second);
                let overdue = strangers.observe([worker.clone()].into_iter(), true, at);
                assert_eq!(!overdue.is_empty(), second == lease, "{worker}, {second}");
            }
        }
    }

    #[test]
    fn one_that_was_missed_by_a_whole_pass_begins_anew() {
        let (worker, start) = (WorkerId::from_stored("ghost"), Instant::now());
        let mut strangers = Strangers::new(LEASE);
        let mut seen = |seconds, here: bool, last| {
            let at = start + Duration::from_secs(seconds);
            let here = here.then(|| worker.clone());
            !strangers.observe(here.into_iter(), last, at).is_empty()
        };
        assert!(!seen(0, true, false));
        // The rest of the pass in which it was.
        assert!(!seen(1, false, true));
        assert!(seen(7, true, true));
        assert!(!seen(8, false, true));
        assert!(!seen(9, true, true));
        assert!(!seen(15, true, true));
        assert!(seen(16, true, true));
    }
}
