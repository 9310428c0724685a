//! What keeps a connection from being opened, and what it means to who connects.

use std::fmt;

use redis::{ErrorKind, RedisError};

use super::words::{Cause, obstacle, told};
use crate::broker::redis::config::RedisConfig;
use crate::error::{BrokerErrorKind, ConnectError};

/// Why no connection was opened.
#[derive(Debug)]
pub(in crate::broker::redis) enum OpenError {
    Redis(RedisError),
    /// The version found.
    TooOld(String),
    /// Whoever answered is not trusted, or does not speak TLS as it should.
    #[cfg_attr(
        not(any(feature = "tls", test)),
        expect(dead_code, reason = "only TLS gives this reason")
    )]
    Tls {
        reason: String,
        source: RedisError,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(error) => error.fmt(f),
            Self::TooOld(found) => write!(f, "the server runs Redis {found}"),
            Self::Tls { reason, source } => write!(f, "{reason}: {source}"),
        }
    }
}

impl From<RedisError> for OpenError {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            // Only servers before 6.0 do not know HELLO.
            ErrorKind::RESP3NotSupported => Self::TooOld("5 or older".to_owned()),
            _ => Self::Redis(error),
        }
    }
}

impl OpenError {
    pub(in crate::broker::redis) fn is_transient(&self) -> bool {
        matches!(self, Self::Redis(error) if is_transient(error))
    }

    /// Whether the user lacks a right.
    pub(in crate::broker::redis) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Redis(error) if error.code() == Some("NOPERM"))
    }

    pub(in crate::broker::redis) fn into_connect_error(self, config: &RedisConfig) -> ConnectError {
        let address = config.address();
        match self {
            Self::TooOld(found) => ConnectError::TooOld { address, found },
            Self::Tls { reason, source } => ConnectError::Tls {
                address,
                reason,
                source: Cause(source).into(),
            },
            Self::Redis(error) if is_transient(&error) => ConnectError::Unavailable {
                address,
                source: Cause(error).into(),
            },
            Self::Redis(error) if is_unauthorized(&error) => ConnectError::Unauthorized {
                address,
                user: config.refused_user(),
                with_password: config.has_password(),
                source: Cause(error).into(),
            },
            Self::Redis(error) if is_no_redis(&error) => ConnectError::NotRedis {
                address,
                source: Cause(error).into(),
            },
            Self::Redis(error) => ConnectError::Refused {
                address,
                reason: obstacle(config, &error),
                source: Cause(error).into(),
            },
        }
    }
}

/// Whether another attempt may succeed without anyone changing anything.
pub(super) fn is_transient(error: &RedisError) -> bool {
    let waits = error
        .code()
        .is_some_and(|code| told(code).0 == BrokerErrorKind::Unavailable);
    let crowded = error
        .detail()
        .is_some_and(|detail| detail.starts_with("max number of clients"));
    error.is_io_error() || waits || crowded
}

/// Whether what came is no answer in the protocol.
fn is_no_redis(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType
    )
}

fn is_unauthorized(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("WRONGPASS" | "NOAUTH"))
}
