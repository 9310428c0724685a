//! Whether the broker is away, as one worker sees it: told once when it goes, and once when it is
//! back, however many components notice.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::BrokerError;
use jobq::runtime::text::plain;
use tokio::time::Instant;

use jobq::runtime::text::chain;

/// The time between two complaints about what the broker refuses.
const QUIET: Duration = Duration::from_secs(1);

/// The present outage, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Outage(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    since: Option<Instant>,
    complained: Option<Instant>,
}

impl Outage {
    /// A call failed, and will be tried again.
    pub(crate) fn failed(&self, what: &'static str, error: &BrokerError) {
        if !error.is_retryable() {
            // A damaged key, a missing right: the broker is not away.
            return self.complain(what, error);
        }
        let began = self.begin(Instant::now());
        let error = chain(error);
        if began {
            tracing::warn!(component = what, error, "the broker failed; trying again");
        } else {
            tracing::debug!(component = what, error, "the broker failed again");
        }
    }

    /// A call was answered that was sent at `sent`.
    pub(crate) fn answered(&self, sent: Instant) {
        if let Some(away) = self.end(sent, Instant::now()) {
            let away = Duration::from_millis(u64::try_from(away.as_millis()).unwrap_or(u64::MAX));
            tracing::info!(after = plain(away), "the broker answers again");
        }
    }

    /// Answers whether the outage begins with this failure.
    fn begin(&self, now: Instant) -> bool {
        let mut state = self.state();
        let begins = state.since.is_none();
        state.since.get_or_insert(now);
        begins
    }

    /// Answers how long the outage took, if the answer to what was sent then ends it: one that was
    /// sent before it began tells nothing.
    fn end(&self, sent: Instant, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        let since = state.since.take_if(|since| *since <= sent)?;
        Some(now - since)
    }

    fn complain(&self, what: &'static str, error: &BrokerError) {
        let mut state = self.state();
        let now = Instant::now();
        if state.complained.is_none_or(|at| now >= at + QUIET) {
            state.complained = Some(now);
            drop(state);
            let error = chain(error);
            tracing::warn!(
                component = what,
                error,
                "the broker refused a step; trying again"
            );
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_ends_with_the_answer_to_what_was_sent_after_it_began() {
        let (outage, start) = (Outage::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(outage.end(at(0), at(1)), None);
        assert!(outage.begin(at(2)));
        assert!(!outage.begin(at(3)));
        assert_eq!(outage.end(at(1), at(4)), None);
        assert_eq!(outage.end(at(5), at(6)), Some(Duration::from_secs(4)));
        assert_eq!(outage.end(at(7), at(8)), None);
        assert!(outage.begin(at(9)));
    }
}
