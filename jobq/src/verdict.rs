//! What a handler's error decides about its job, and how that decision is found again after
//! `anyhow`, `eyre`, `.context()` or `#[from]` have wrapped it.
//!
//! Those box wrappers of their own, so a downcast of the outer error does not find [`JobError`].
//! Its `source()` does: it is a private [`Verdict`], which every wrapper keeps in its chain.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::error::{BoxError, cut, plain};

/// What an error decides about the job.
///
/// ```
/// use std::time::Duration;
/// use jobq::{Decision, JobError};
///
/// let error = JobError::snooze(Duration::from_secs(60));
/// assert_eq!(error.decision(), Decision::Snooze(Duration::from_secs(60)));
/// ```
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
///
/// `?` turns an error into what the function returns, and no error but a boxed one turns into a
/// `JobError` by itself: say what the failure means, with [`JobError::retry`] where it means nothing
/// special. Where most do not, return `anyhow::Result` or `Result<_, BoxError>` instead: both take
/// any error by `?`, and a `JobError` among them keeps its decision.
///
/// ```
/// use jobq::{BoxError, job, JobError};
///
/// #[job]
/// async fn import(path: String) -> Result<(), JobError> {
///     let text = std::fs::read_to_string(&path).map_err(JobError::retry)?;
///     let _rows: u32 = text.trim().parse().map_err(JobError::fatal)?;
///     Ok(())
/// }
///
/// #[job]
/// async fn import_boxed(path: String) -> Result<(), BoxError> {
///     let text = std::fs::read_to_string(&path)?;
///     let _rows: u32 = text.trim().parse().map_err(JobError::fatal)?;
///     Ok(())
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
    /// Any error, with what it decided already; else to be retried.
    fn from(error: BoxError) -> Self {
        Self::new(decision(&*error).unwrap_or_default(), Some(error))
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
/// 4,096 bytes, without jobq's own wrappers and without causes that the error before already
/// spelled out.
///
/// Of several decisions in one chain the outermost holds.
#[must_use]
pub fn judge(error: &(dyn StdError + 'static)) -> (Decision, String) {
    let mut text = BoundedText::default();
    let mut before = BoundedText::default();
    for error in causes(error) {
        let part = match error.downcast_ref::<Verdict>() {
            Some(verdict) if verdict.source.is_none() => BoundedText::of(verdict),
            Some(_) => continue,
            // A `JobError`, or what anyhow, eyre or `#[error(transparent)]` made of it.
            None if error.source().is_some_and(<dyn StdError>::is::<Verdict>) => continue,
            None => BoundedText::of(error),
        };
        if !before.0.contains(&part.0) {
            text.push(&part.0);
        }
        before = part;
    }
    (decision(error).unwrap_or_default(), text.0)
}

/// The outermost decision in a chain of errors.
fn decision(error: &(dyn StdError + 'static)) -> Option<Decision> {
    causes(error).find_map(|error| Some(error.downcast_ref::<Verdict>()?.decision))
}

/// An error and what caused it; as much of it as is looked at.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source()).take(MAX_CAUSES)
}

/// Text that stops growing at [`MAX_ERROR_LEN`], whatever a `Display` writes into it.
#[derive(Default)]
struct BoundedText(String);

impl BoundedText {
    fn of(error: impl fmt::Display) -> Self {
        let mut text = Self::default();
        // An error here is our own bound, or a broken `Display`: what was written is kept.
        let _ = fmt::write(&mut text, format_args!("{error}"));
        text
    }

    fn push(&mut self, part: &str) {
        let parts = if self.0.is_empty() {
            ["", part]
        } else {
            [": ", part]
        };
        for part in parts {
            self.0.push_str(cut(part, MAX_ERROR_LEN - self.0.len()));
        }
    }
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let kept = cut(s, MAX_ERROR_LEN - self.0.len());
        self.0.push_str(kept);
        if kept.len() < s.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
