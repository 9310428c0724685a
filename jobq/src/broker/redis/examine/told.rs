//! What an answer that is an error means to who only looks: nothing to know, damage, or a failure.

use redis::Value;

use crate::broker::redis::fault::Fault;
use crate::error::{BrokerError, BrokerErrorKind};

/// The answer to a question that a server may refuse, or not know, and that others bear to be without.
pub(super) fn told(answer: Result<Value, Fault>) -> Result<Option<Value>, BrokerError> {
    match answer.map_err(BrokerError::from) {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            BrokerErrorKind::Forbidden | BrokerErrorKind::Refused | BrokerErrorKind::Corrupt => {
                Ok(None)
            }
            BrokerErrorKind::Unavailable | BrokerErrorKind::Timeout => Err(error),
        },
    }
}

/// The same of what is judged by: who may not know it is told which right is missing.
pub(super) fn told_if_allowed(answer: Result<Value, Fault>) -> Result<Option<Value>, BrokerError> {
    match answer {
        Err(fault) if fault.is_forbidden() => Err(fault.into()),
        answer => told(answer),
    }
}

/// The answer to what only a key of one type can be asked; nothing if it is of another.
pub(super) fn of_its_type(answer: Result<Value, Fault>) -> Result<Option<Value>, BrokerError> {
    match answer {
        Err(fault) if fault.is_wrong_type() => Ok(None),
        answer => Ok(Some(answer?)),
    }
}
