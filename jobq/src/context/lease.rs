//! Until when a worker may take what it holds for its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A worker's trust in its lease on one queue, seen by the worker and by every run there. The default
/// is one that nobody can lose.
#[derive(Debug, Clone, Default)]
pub struct Lease(Option<Arc<Trust>>);

#[derive(Debug)]
struct Trust {
    lasts: Duration,
    /// `None` before the first answer, and once the lease is lost.
    until: Mutex<Option<Instant>>,
}

impl Lease {
    /// A lease that is trusted for so long after the sending of what was answered last.
    #[must_use]
    pub fn new(lasts: Duration) -> Self {
        let until = Mutex::default();
        Self(Some(Arc::new(Trust { lasts, until })))
    }

    /// Notes that something was answered which keeps the lease, and when it was sent.
    pub fn renewed(&self, sent: Instant) {
        if let Some(trust) = &self.0 {
            let mut until = trust.until();
            *until = (*until).max(Some(sent + trust.lasts));
        }
    }

    /// Notes that others own by now what was held under it.
    pub fn lost(&self) {
        if let Some(trust) = &self.0 {
            *trust.until() = None;
        }
    }

    /// Whether it can be trusted at `now`.
    #[must_use]
    pub fn is_trusted(&self, now: Instant) -> bool {
        let until = |trust: &Arc<Trust>| trust.until().is_some_and(|until| now < until);
        self.0.as_ref().is_none_or(until)
    }
}

impl Trust {
    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_secs(6);

    #[test]
    fn it_is_trusted_for_so_long_after_the_last_answer_by_when_it_was_asked() {
        let (lease, start) = (Lease::new(LASTS), Instant::now());
        assert!(!lease.is_trusted(start));
        lease.renewed(start + LASTS);
        // An answer that comes late tells of a time before.
        lease.renewed(start);
        assert!(lease.is_trusted(start + 2 * LASTS - Duration::from_millis(1)));
        assert!(!lease.is_trusted(start + 2 * LASTS));
    }

    #[test]
    fn every_clone_of_a_lost_one_knows() {
        let (lease, start) = (Lease::new(LASTS), Instant::now());
        let clone = lease.clone();
        lease.renewed(start);
        assert!(clone.is_trusted(start));
        lease.lost();
        assert!(!clone.is_trusted(start));
    }

    #[test]
    fn the_default_is_never_lost() {
        let lease = Lease::default();
        lease.lost();
        assert!(lease.is_trusted(Instant::now() + 1000 * LASTS));
    }
}
