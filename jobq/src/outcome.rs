//! How a run ended and what follows from it: one enum each, and one pure function between them.

use std::time::Duration;

use crate::envelope::Reason;
use crate::retry::{Backoff, LONGEST};
use crate::verdict::Decision;

/// Between retries of a job whose name no worker knows: 1 s·2ⁿ up to this.
const UNKNOWN_MAX_DELAY: Duration = Duration::from_secs(300);

/// A job whose name nobody knows is buried this long after it was enqueued or due.
pub const UNKNOWN_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Ended {
    /// The handler returned without an error.
    Done,
    /// The handler returned an error: what it said, and whether it decided more than "failed".
    Failed {
        /// The error and its causes, as text.
        error: String,
        /// What the error decided.
        decision: Decision,
    },
    /// The handler panicked: message and place.
    Panicked(String),
    /// The handler did not end within its timeout.
    TimedOut(Duration),
    /// The worker ended the run: it shuts down, or it lost its lease.
    Interrupted,
    /// The envelope cannot be read, or the arguments do not fit.
    Undecodable(String),
    /// No job of this name is registered; met so `times` times before, `age` after it was enqueued
    /// or due.
    UnknownName {
        /// How often a worker met it before.
        times: u32,
        /// How long ago it was enqueued or due.
        age: Duration,
    },
}

/// What becomes of the job.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// Gone, done.
    Done,
    /// Gone, dropped on purpose.
    Discard,
    /// Runs again after a delay; the failure counts.
    Retry {
        /// How long from now.
        delay: Duration,
        /// What went wrong.
        error: String,
    },
    /// Runs again after a delay; nothing counts.
    Snooze {
        /// How long from now.
        delay: Duration,
    },
    /// Nobody here knows the name: back to delayed, to be tried by another worker.
    Postpone {
        /// How long from now.
        delay: Duration,
    },
    /// Back to the front of ready; nothing counts.
    Release,
    /// To the dead list.
    Bury {
        /// Why.
        reason: Reason,
        /// What went wrong.
        error: String,
    },
}

/// What of the job's policy the decision depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Runs allowed after a failed first one.
    pub retries: u32,
    /// The delays between them.
    pub backoff: Backoff,
}

/// What follows from how a run ended, for a job that had failed `failures` times before.
/// `draw` is a uniform number from `0.0..1.0`.
#[must_use]
pub fn decide(ended: Ended, policy: Policy, failures: u32, draw: f64) -> Outcome {
    let failed = |error: String, delay: Option<Duration>| {
        if failures >= policy.retries {
            return Outcome::Bury {
                reason: Reason::Exhausted,
                error,
            };
        }
        let delay = delay.unwrap_or_else(|| policy.backoff.delay(failures.saturating_add(1), draw));
        Outcome::Retry { delay, error }
    };
    match ended {
        Ended::Done => Outcome::Done,
        Ended::Interrupted => Outcome::Release,
        Ended::Failed { error, decision } => match decision {
            Decision::Retry => failed(error, None),
            Decision::RetryAfter(delay) => failed(error, Some(delay.min(LONGEST))),
            Decision::Fatal => Outcome::Bury {
                reason: Reason::Fatal,
                error,
            },
            Decision::Snooze(delay) => Outcome::Snooze {
                delay: delay.min(LONGEST),
            },
            Decision::Discard => Outcome::Discard,
        },
        Ended::Panicked(message) => failed(format!("panicked: {message}"), None),
        Ended::TimedOut(limit) => failed(
            format!("timed out after {}", crate::error::plain(limit)),
            None,
        ),
        Ended::Undecodable(error) => Outcome::Bury {
            reason: Reason::Undecodable,
            error,
        },
        Ended::UnknownName { age, .. } if age >= UNKNOWN_LIFETIME => Outcome::Bury {
            reason: Reason::UnknownJob,
            error: "no worker knows a job of this name".to_owned(),
        },
        Ended::UnknownName { times, .. } => {
            let delay = Duration::from_secs(1u64 << times.min(16)).min(UNKNOWN_MAX_DELAY);
            Outcome::Postpone { delay }
        }
    }
}

/// What becomes of a job whose worker died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterCrash {
    /// Back to the front of ready.
    Ready,
    /// To the suspects, to be run alone.
    Suspect,
    /// To the dead list, as crashed.
    Bury,
}

/// Crashes after which a job is a suspect, run alone.
pub const SUSPECT_AFTER: u32 = 2;

/// What becomes of a job that has now seen `crashes` of its workers, this one included.
#[must_use]
pub fn after_crash(crashes: u32) -> AfterCrash {
    match crashes {
        0..SUSPECT_AFTER => AfterCrash::Ready,
        SUSPECT_AFTER => AfterCrash::Suspect,
        _ => AfterCrash::Bury,
    }
}

#[cfg(test)]
mod tests;
