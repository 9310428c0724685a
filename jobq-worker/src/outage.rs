//! Whether the broker is away, or refuses what it is asked, as one worker sees it: told once when
//! that begins, and once when it is over, however many components notice. A refusal that lasts is
//! told again now and then, for it waits for somebody to mend it.

mod refusals;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::BrokerError;
use jobq::runtime::text::chain;
use tokio::time::Instant;

use self::refusals::Refusals;
use crate::telemetry::rounded;

/// The present outage, if there is one, and what is refused at present.
#[derive(Debug)]
pub(crate) struct Outage(Mutex<State>);

#[derive(Debug)]
struct State {
    since: Option<Instant>,
    /// When the last one was over.
    ended: Option<Instant>,
    refusals: Refusals,
}

impl Outage {
    /// `patience`: a step that was refused is asked for again at least so often.
    pub(crate) fn new(patience: Duration) -> Self {
        Self(Mutex::new(State {
            since: None,
            ended: None,
            refusals: Refusals::new(patience),
        }))
    }

    /// A call failed, and will be tried again; what it was part of began at `began`.
    pub(crate) fn failed(&self, what: &'static str, error: &BrokerError, began: Instant) {
        if !error.is_retryable() {
            // A damaged key, a missing right: the broker is not away.
            return self.refused(what, error);
        }
        let begins = self.begin(began, Instant::now());
        let error = chain(error);
        if begins {
            tracing::warn!(component = what, error, "the broker failed; trying again");
        } else {
            tracing::debug!(component = what, error, "the broker failed again");
        }
    }

    /// A call was answered that was sent at `sent`.
    pub(crate) fn answered(&self, sent: Instant) {
        let now = Instant::now();
        if let Some(away) = self.end(sent, now) {
            tracing::info!(after = rounded(away), "the broker answers again");
        }
        let over = self.state().refusals.over(now);
        for (error, refused) in over {
            tracing::info!(
                error,
                refused,
                "the broker no longer refuses a step; going on"
            );
        }
    }

    /// Answers whether an outage begins with the failure now of what began then: not if that was
    /// before the last one was over, of which it tells.
    fn begin(&self, began: Instant, now: Instant) -> bool {
        let mut state = self.state();
        let begins = state.since.is_none();
        if begins && state.ended.is_some_and(|ended| began < ended) {
            return false;
        }
        state.since.get_or_insert(now);
        begins
    }

    /// Answers how long the outage took, if the answer to what was sent then ends it: one that was
    /// sent before it began tells nothing.
    fn end(&self, sent: Instant, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        let since = state.since.take_if(|since| *since <= sent)?;
        state.refusals.restart(now);
        state.ended = Some(now);
        Some(now - since)
    }

    /// A step was refused, and will be asked for again.
    pub(crate) fn refused(&self, what: &'static str, error: &BrokerError) {
        let error = chain(error);
        let told = self.state().refusals.note(&error, Instant::now());
        if let Some(refused) = told {
            tracing::warn!(
                component = what,
                error,
                refused,
                "the broker refused a step; trying again"
            );
        } else {
            tracing::debug!(component = what, error, "the broker refused a step again");
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
        let (outage, start) = (Outage::new(Duration::from_secs(1)), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(outage.end(at(0), at(1)), None);
        assert!(outage.begin(at(2), at(2)));
        assert!(!outage.begin(at(3), at(3)));
        assert_eq!(outage.end(at(1), at(4)), None);
        assert_eq!(outage.end(at(5), at(6)), Some(Duration::from_secs(4)));
        assert_eq!(outage.end(at(7), at(8)), None);
        assert!(outage.begin(at(9), at(9)));
    }

    #[test]
    fn what_began_in_an_outage_and_fails_after_it_begins_no_other() {
        let (outage, start) = (Outage::new(Duration::from_secs(1)), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(outage.begin(at(0), at(1)));
        assert_eq!(outage.end(at(2), at(3)), Some(Duration::from_secs(2)));
        assert!(!outage.begin(at(2), at(4)));
        assert_eq!(outage.end(at(5), at(6)), None);
        assert!(outage.begin(at(6), at(7)));
    }
}
