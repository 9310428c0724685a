//! What a handler's error decides about its job, and how that decision is found again after
//! `anyhow`, `eyre`, `.context()` or `#[from]` have wrapped it.
//!
//! Those box wrappers of their own, so a downcast of the outer error does not find [`JobError`].
//! Its `source()` does: it is a private [`Verdict`], which every wrapper keeps in its chain.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::error::{BoxError, plain};

/// What an error decides about the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Decision {
    /// A failed attempt: the retry policy decides. What every other error means.
    #[default]
    Retry,
    /// A failed attempt; the next one exactly this much later: no jitter, no cap.
    RetryAfter(Duration),
    /// Straight to the dead list.
    Fatal,
    /// Again, this much later; no attempt used.
    Snooze(Duration),
    /// Dropped on purpose.
    Discard,
}

/// An error that also decides what becomes of the job.
///
/// ```
/// use jobq::{job, JobError};
/// use std::time::Duration;
///
/// #[job]
/// async fn charge(order: u64) -> Result<(), JobError> {
///     match order {
///         0 => Err(JobError::discard("the order was withdrawn")),
///         1 => Err(JobError::snooze(Duration::from_secs(60))),
///         2 => Err(JobError::retry_after("rate limited", Duration::from_secs(30))),
///         3 => Err(JobError::fatal("no such order")),
///         _ => Ok(()),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct JobError {
    verdict: Verdict,
}

/// Carries the decision through the `source()` chain.
#[derive(Debug)]
struct Verdict {
    decision: Decision,
    source: Option<BoxError>,
}

impl JobError {
    /// A failed attempt, as any other error: for functions that return `Result<_, JobError>`.
    pub fn retry(error: impl Into<BoxError>) -> Self {
        Self::new(Decision::Retry, Some(error.into()))
    }

    /// Straight to the dead list: trying again cannot help.
    pub fn fatal(error: impl Into<BoxError>) -> Self {
        Self::new(Decision::Fatal, Some(error.into()))
    }

    /// A failed attempt; the next one exactly `delay` later, without jitter or cap.
    pub fn retry_after(error: impl Into<BoxError>, delay: Duration) -> Self {
        Self::new(Decision::RetryAfter(delay), Some(error.into()))
    }

    /// Not now: run again `delay` later, without using an attempt.
    #[must_use]
    pub fn snooze(delay: Duration) -> Self {
        Self::new(Decision::Snooze(delay), None)
    }

    /// Drop the job; it counts as discarded, neither done nor dead.
    pub fn discard(why: impl Into<BoxError>) -> Self {
        Self::new(Decision::Discard, Some(why.into()))
    }

    /// What it decides.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.verdict.decision
    }

    fn new(decision: Decision, source: Option<BoxError>) -> Self {
        Self {
            verdict: Verdict { decision, source },
        }
    }
}

impl From<BoxError> for JobError {
    fn from(error: BoxError) -> Self {
        Self::retry(error)
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("job failed")
    }
}

impl StdError for JobError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.verdict)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decision {
            Decision::Retry => f.write_str("to be retried"),
            Decision::RetryAfter(delay) => write!(f, "to be retried after {}", plain(delay)),
            Decision::Fatal => f.write_str("not to be retried"),
            Decision::Snooze(delay) => write!(f, "snoozed for {}", plain(delay)),
            Decision::Discard => f.write_str("discarded"),
        }
    }
}

impl StdError for Verdict {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

/// The longest error text that is kept, in bytes.
pub(crate) const MAX_ERROR_LEN: usize = 4096;

/// Causes looked at: a chain that is longer, or circular, is cut.
const MAX_CAUSES: usize = 64;

/// What a handler's error decides, and its text: the error and its causes joined by `: `, at most
/// [`MAX_ERROR_LEN`] bytes, without jobq's own wrappers and without causes that their parent
/// already spelled out.
#[must_use]
pub fn judge(error: &(dyn StdError + 'static)) -> (Decision, String) {
    let mut decision = None;
    let mut text = BoundedText::default();
    let mut cause = Some(error);
    for _ in 0..MAX_CAUSES {
        let Some(error) = cause else { break };
        if let Some(verdict) = error.downcast_ref::<Verdict>() {
            decision.get_or_insert(verdict.decision);
            if verdict.source.is_none() {
                text.push(verdict);
            }
        } else if !error.is::<JobError>() {
            text.push(error);
        }
        cause = error.source();
    }
    (decision.unwrap_or_default(), text.0)
}

/// Text that stops growing at [`MAX_ERROR_LEN`], whatever a `Display` writes into it.
#[derive(Default)]
struct BoundedText(String);

impl BoundedText {
    fn push(&mut self, part: impl fmt::Display) {
        let mut next = Self::default();
        // An error here is either our own bound or a broken `Display`: what was written is kept.
        let _ = fmt::write(&mut next, format_args!("{part}"));
        if next.0.is_empty() || self.0.ends_with(&next.0) {
            return;
        }
        if !self.0.is_empty() {
            let _ = fmt::Write::write_str(self, ": ");
        }
        let _ = fmt::Write::write_str(self, &next.0);
    }
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = MAX_ERROR_LEN - self.0.len();
        let end = (0..=s.len().min(room))
            .rev()
            .find(|&i| s.is_char_boundary(i))
            .unwrap_or(0);
        self.0.push_str(&s[..end]);
        if end < s.len() {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}
