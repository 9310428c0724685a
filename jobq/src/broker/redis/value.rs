//! Single values of an answer, read as what they should be.

use bytes::Bytes;
use redis::Value;

use super::fault::corrupt;
use crate::error::BrokerError;
use crate::timestamp::At;

/// An integer, or digits; a negative number counts as 0.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => Some(u64::try_from(*number).unwrap_or(0)),
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}

pub(super) fn bytes(value: Value) -> Option<Bytes> {
    match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        _ => None,
    }
}

pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

pub(super) fn list(value: Value, what: &'static str) -> Result<Vec<Value>, BrokerError> {
    match value {
        Value::Array(items) | Value::Set(items) => Ok(items),
        Value::Nil => Ok(Vec::new()),
        _ => Err(corrupt(what)),
    }
}

/// A ZSET's score as a time: whole ms, up.
pub(super) fn score(value: &Value) -> Option<At> {
    let score = match value {
        Value::Double(score) => *score,
        other => text(other)?.parse().ok()?,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates: what no time can be becomes the first or the last there is"
    )]
    let ms = score.ceil() as u64;
    Some(At::from_ms(ms))
}

/// The answer of TIME: seconds and microseconds.
pub(super) fn time(value: &Value) -> Option<At> {
    let Value::Array(items) = value else {
        return None;
    };
    let [seconds, micros] = &items[..] else {
        return None;
    };
    let ms = number(seconds)?.saturating_mul(1000);
    Some(At::from_ms(ms.saturating_add(number(micros)? / 1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value as the server writes it.
    fn value(wire: &str) -> Value {
        redis::parse_redis_value(wire.as_bytes()).unwrap()
    }

    #[test]
    fn times_and_scores_saturate() {
        let cases = [
            (",1700000000000\r\n", 1_700_000_000_000),
            (",1.5\r\n", 2),
            (",-7\r\n", 0),
            (",inf\r\n", u64::MAX),
            ("$3\r\n1e3\r\n", 1000),
        ];
        for (wire, ms) in cases {
            assert_eq!(score(&value(wire)), Some(At::from_ms(ms)), "{wire:?}");
        }
        let now = time(&value("*2\r\n$2\r\n10\r\n$6\r\n999999\r\n"));
        assert_eq!(now, Some(At::from_ms(10_999)));
        let never = time(&value("*2\r\n$20\r\n18446744073709551615\r\n$1\r\n0\r\n"));
        assert_eq!(never, Some(At::from_ms(u64::MAX)));
        assert_eq!(time(&value("*1\r\n:1\r\n")), None);
    }
}
