//! What can go wrong between here and the server, and what it means to the caller.

mod open;
mod words;
mod wrong_type;

use std::time::Duration;

use redis::{Cmd, RedisError, ServerError, Value};

pub(super) use self::open::OpenError;
use self::open::is_transient;
use self::words::{Cause, told};
use super::config::RedisConfig;
use super::rights;
use super::step::Script;
use crate::error::{BrokerError, BrokerErrorKind};

/// A [`BrokerError`] in the making. One lost answer fails every step that waited for it, so this
/// one can be cloned.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    kind: BrokerErrorKind,
    message: String,
    outcome_unknown: bool,
    source: Option<RedisError>,
}

impl Fault {
    fn new(kind: BrokerErrorKind, message: String, source: Option<RedisError>) -> Self {
        Self {
            kind,
            message,
            outcome_unknown: false,
            source,
        }
    }

    /// Nothing was sent: there was no connection within the time allowed.
    pub(super) fn unreachable(config: &RedisConfig, source: Option<RedisError>) -> Self {
        let message = format!("no Redis answers at {}", config.address());
        Self::new(BrokerErrorKind::Unavailable, message, source)
    }

    /// Nothing was sent, for the caller has no runtime: the first timer would panic.
    pub(super) fn no_runtime() -> Self {
        let message = "no tokio runtime runs here, and connections to a server need one";
        Self::new(BrokerErrorKind::Unavailable, message.to_owned(), None)
    }

    /// Nothing was sent, for the runtime that was about to has ended.
    pub(super) fn runtime_ended() -> Self {
        let message = "the tokio runtime that sends the jobs of several callers has ended";
        Self::new(BrokerErrorKind::Unavailable, message.to_owned(), None)
    }

    /// It was sent; then the connection was lost.
    pub(super) fn lost(config: &RedisConfig, source: RedisError) -> Self {
        let message = format!("the connection to {} was lost", config.address());
        Self {
            outcome_unknown: true,
            ..Self::new(BrokerErrorKind::Unavailable, message, Some(source))
        }
    }

    /// It was sent; there was no answer in time.
    pub(super) fn unanswered(config: &RedisConfig, waited: Duration) -> Self {
        // To the tenth: more would only look exact.
        let (address, seconds) = (config.address(), waited.as_secs_f64());
        let message = format!("no answer from {address} within {seconds:.1} s");
        Self {
            outcome_unknown: true,
            ..Self::new(BrokerErrorKind::Timeout, message, None)
        }
    }

    /// The server answered with an error: nothing happened.
    fn answered(error: ServerError) -> Self {
        let (kind, message) = told(error.code());
        Self::new(kind, message, Some(error.into()))
    }

    /// The server answered that the user lacks a right: nothing happened.
    fn forbidden(error: ServerError, what: &str, user: &str) -> Self {
        let message = format!("Redis refused {what} to user {user} (NOPERM)");
        Self::new(BrokerErrorKind::Forbidden, message, Some(error.into()))
    }

    /// What opening a connection failed with, for a caller that had one before.
    pub(super) fn from_open(config: &RedisConfig, error: OpenError) -> Self {
        match error {
            OpenError::TooOld(found) => Self::new(
                BrokerErrorKind::Refused,
                format!(
                    "{} runs Redis {found} now; jobq needs 7.0 or newer",
                    config.address()
                ),
                None,
            ),
            // Only someone who changes a certificate or the configuration ends this.
            OpenError::Tls { reason, source } => Self::new(
                BrokerErrorKind::Refused,
                format!("TLS with {} fails now: {reason}", config.address()),
                Some(source),
            ),
            OpenError::Redis(error) if is_transient(&error) => {
                Self::unreachable(config, Some(error))
            }
            OpenError::Redis(error) => Self::new(
                BrokerErrorKind::Refused,
                format!("{} refuses to let jobq in again", config.address()),
                Some(error),
            ),
        }
    }

    pub(super) fn outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }

    pub(super) fn with_outcome_unknown(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// The same, told by somebody who knows what it means.
    pub(super) fn in_words(self, message: String) -> BrokerError {
        Self { message, ..self }.into()
    }

    /// Whether the user lacks a right.
    pub(super) fn is_forbidden(&self) -> bool {
        self.kind == BrokerErrorKind::Forbidden
    }

    /// Whether a key holds something else than jobq keeps there.
    pub(super) fn is_wrong_type(&self) -> bool {
        self.code() == Some("WRONGTYPE")
    }

    /// Whether the user lacks the right to a channel, not to the command.
    pub(super) fn is_about_channel(&self) -> bool {
        let said = self.source.as_ref().and_then(RedisError::detail);
        self.is_forbidden() && said.is_some_and(|said| said.contains("channel"))
    }

    /// Whether the server cannot take more data.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.code() == Some("OOM")
    }

    /// Whether the server does not know the script's name.
    pub(super) fn is_no_script(&self) -> bool {
        self.code() == Some("NOSCRIPT")
    }

    /// Whether what was to begin is under way already.
    pub(super) fn is_in_progress(&self) -> bool {
        let said = self.source.as_ref().and_then(RedisError::detail);
        said.is_some_and(|said| said.contains("already in progress"))
    }

    /// Whether the server is a replica, which takes no steps that write.
    pub(super) fn is_read_only(&self) -> bool {
        self.code() == Some("READONLY")
    }

    fn code(&self) -> Option<&str> {
        self.source.as_ref().and_then(RedisError::code)
    }
}

impl From<Fault> for BrokerError {
    fn from(fault: Fault) -> Self {
        let mut error = Self::new(fault.kind, fault.message);
        if fault.outcome_unknown {
            error = error.with_outcome_unknown();
        }
        match fault.source {
            Some(source) => error.with_source(Cause(source)),
            None => error,
        }
    }
}

/// An answer that is not what the step answers.
pub(super) fn corrupt(what: &'static str) -> BrokerError {
    BrokerError::new(
        BrokerErrorKind::Corrupt,
        format!("Redis answered something else than {what}"),
    )
}

/// One answer, judged by itself, to what was asked.
pub(super) fn judge(
    value: Value,
    command: &Cmd,
    script: Option<&Script>,
    config: &RedisConfig,
) -> Result<Value, Fault> {
    match value {
        Value::ServerError(error) if rights::is_missing(&error) => {
            let what = rights::refused(&error, command, script);
            Err(Fault::forbidden(error, &what, &config.quoted_user()))
        }
        Value::ServerError(error) if error.code() == "WRONGTYPE" => {
            let message = wrong_type::told(&error, command, script);
            let kind = BrokerErrorKind::Corrupt;
            Err(Fault::new(kind, message, Some(error.into())))
        }
        Value::ServerError(error) => Err(Fault::answered(error)),
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests;
