//! What a broker could not do.

use std::error::Error as StdError;
use std::fmt;

use super::BoxError;

/// What kind of failure a [`BrokerError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrokerErrorKind {
    /// The server could not be reached, or the connection was lost.
    Unavailable,
    /// No answer within the time allowed.
    Timeout,
    /// The server answered, and refused: out of memory, read-only, the login is no longer right.
    Refused,
    /// The server answered that the user lacks a right.
    Forbidden,
    /// The server answered something that cannot be: damaged data, or keys of another type.
    Corrupt,
}

/// A step that a broker could not do. The client library's own error is the source.
pub struct BrokerError {
    kind: BrokerErrorKind,
    message: String,
    outcome_unknown: bool,
    source: Option<BoxError>,
}

impl BrokerError {
    /// A new error. `message` is what a person reads: no secret, no full stop.
    pub fn new(kind: BrokerErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            outcome_unknown: false,
            source: None,
        }
    }

    /// The same with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same, for a step that was sent and not answered: it may have happened.
    #[must_use]
    pub fn with_outcome_unknown(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> BrokerErrorKind {
        self.kind
    }

    /// Whether the same step may succeed later without anyone changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            BrokerErrorKind::Unavailable | BrokerErrorKind::Timeout
        )
    }

    /// Whether the step may have happened although it was not answered.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for BrokerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_error_says_what_it_is() {
        let error = BrokerError::new(BrokerErrorKind::Timeout, "no answer within 5s")
            .with_source(std::io::Error::other("reset"))
            .with_outcome_unknown();
        assert_eq!(error.to_string(), "no answer within 5s");
        assert_eq!(
            error.source().map(ToString::to_string),
            Some("reset".into())
        );
        assert!(error.is_retryable() && error.is_outcome_unknown());
        let refused = BrokerError::new(BrokerErrorKind::Refused, "full");
        assert!(!refused.is_retryable() && !refused.is_outcome_unknown());
        assert!(BrokerError::new(BrokerErrorKind::Unavailable, "gone").is_retryable());
        assert!(!BrokerError::new(BrokerErrorKind::Corrupt, "odd").is_retryable());
    }
}
