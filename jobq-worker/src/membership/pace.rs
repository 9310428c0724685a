//! How many jobs of a queue one task may begin.

use std::sync::atomic::{AtomicU32, Ordering};

/// The largest cohort: enough that its task costs each of its jobs little.
const LARGEST: u32 = 32;

/// Jobs that must have been over at once for each that a cohort has.
const PROOF: u32 = 8;

/// Counts how many of the latest jobs were over when they were first polled. A task of their own is
/// most of what such jobs cost; where others are among them, each is to run beside the rest.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicU32);

impl Pace {
    /// How many jobs the next cohort may have.
    pub(crate) fn cohort(&self) -> usize {
        (self.0.load(Ordering::Relaxed) / PROOF).max(1) as usize
    }

    /// Whether jobs leave their slots at once: so many did that cohorts are as large as they get.
    pub(crate) fn is_brief(&self) -> bool {
        self.cohort() == LARGEST as usize
    }

    /// So many jobs were over at once. Where two tell at the same time, one may go unheard.
    pub(crate) fn over_at_once(&self, jobs: u32) {
        let before = self.0.load(Ordering::Relaxed);
        if before < LARGEST * PROOF {
            let after = before.saturating_add(jobs).min(LARGEST * PROOF);
            self.0.store(after, Ordering::Relaxed);
        }
    }

    /// One was not.
    pub(crate) fn goes_on(&self) {
        if self.0.load(Ordering::Relaxed) > 0 {
            self.0.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cohorts_grow_while_jobs_are_over_at_once_and_end_with_the_first_that_is_not() {
        let pace = Pace::default();
        assert_eq!(pace.cohort(), 1);
        pace.over_at_once(15);
        assert_eq!(pace.cohort(), 1);
        pace.over_at_once(1);
        assert_eq!(pace.cohort(), 2);
        pace.over_at_once(239);
        assert_eq!((pace.cohort(), pace.is_brief()), (31, false));
        pace.over_at_once(1_000_000);
        assert_eq!((pace.cohort(), pace.is_brief()), (32, true));
        pace.goes_on();
        assert_eq!((pace.cohort(), pace.is_brief()), (1, false));
    }
}
