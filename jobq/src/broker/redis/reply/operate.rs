//! What workers told of themselves, as it is stored. Anyone may have written there: what does not fit
//! is passed over.

use std::time::Duration;

use bytes::Bytes;
use redis::Value;

use crate::broker::redis::fault::corrupt;
use crate::broker::redis::value::text;
use crate::broker::{Order, Registered, Tally, Totals};
use crate::error::BrokerError;
use crate::id::WorkerId;
use crate::timestamp::At;

/// The totals of a queue.
pub(in crate::broker::redis) fn tallies(value: Value) -> Result<Vec<Tally>, BrokerError> {
    let Value::Map(fields) = value else {
        return Err(corrupt("a map of totals"));
    };
    let tally = |(name, figures): &(Value, Value)| {
        let totals = totals(text(figures)?);
        Some(Tally::new(text(name)?, totals))
    };
    Ok(fields.iter().filter_map(tally).collect())
}

/// Figures that are missing, or are none, count as 0.
fn totals(figures: &str) -> Totals {
    let mut figures = figures.split(' ').map(|figure| figure.parse().unwrap_or(0));
    let mut next = || figures.next().unwrap_or(0);
    Totals {
        done: next(),
        failed: next(),
        retried: next(),
        dead: next(),
        spent: Duration::from_millis(next()),
    }
}

/// A worker and what it told, unless it has been silent for too long.
pub(in crate::broker::redis) fn registered(
    worker: &Value,
    told: Value,
    now: At,
) -> Option<Registered> {
    let worker = WorkerId::from_stored(text(worker)?);
    let Value::BulkString(told) = told else {
        return None;
    };
    let (seen, kept, begins) = stamp(&told)?;
    let record = Bytes::from(told).slice(begins..);
    let registered = Registered {
        worker,
        seen,
        record,
    };
    (now <= seen.after(kept)).then_some(registered)
}

/// Whether what a worker told is there, and not too old.
pub(in crate::broker::redis) fn seen(told: &Value, now: At) -> bool {
    let Value::BulkString(told) = told else {
        return false;
    };
    stamp(told).is_some_and(|(seen, kept, _)| now <= seen.after(kept))
}

/// When it was told, for how long that is kept, and where it begins.
fn stamp(told: &[u8]) -> Option<(At, Duration, usize)> {
    let mut parts = told.splitn(3, |byte| *byte == b' ');
    let mut ms = || {
        let digits = parts.next()?;
        let ms: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        Some((ms, digits.len() + 1))
    };
    let ((seen, first), (kept, second)) = (ms()?, ms()?);
    let begins = parts.next().map(|_| first + second)?;
    Some((At::from_ms(seen), Duration::from_millis(kept), begins))
}

/// An order. One of another version is none.
pub(in crate::broker::redis) fn ordered(value: &Value) -> Option<Order> {
    match text(value)? {
        "quiet" => Some(Order::Quiet),
        "stop" => Some(Order::Stop),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> Value {
        Value::BulkString(bytes.to_vec())
    }

    #[test]
    fn figures_that_are_none_count_as_nothing() {
        let spent = Duration::from_millis(5);
        let all = Totals {
            done: 1,
            failed: 2,
            retried: 3,
            dead: 4,
            spent,
        };
        assert_eq!(totals("1 2 3 4 5 6 7"), all);
        let done = |done| Totals {
            done,
            ..Totals::default()
        };
        for (figures, expected) in [("", 0), ("7", 7), ("-1", 0), ("x 0", 0), (" ", 0)] {
            assert_eq!(totals(figures), done(expected), "{figures:?}");
        }
    }

    #[test]
    fn what_a_worker_told_is_read_until_it_has_been_silent_for_too_long() {
        let worker = told(b"w1");
        let read = |bytes: &[u8], now| registered(&worker, told(bytes), At::from_ms(now));
        let record = |bytes: &[u8]| read(bytes, 1).map(|registered| registered.record);
        assert_eq!(record(b"1 2 a b\0c"), Some(Bytes::from_static(b"a b\0c")));
        assert_eq!(record(b"1 2 "), Some(Bytes::new()));
        for none in [&b""[..], b" ", b"1", b"1 2", b"x 2 a", b"1 x a", b"-1 2 a"] {
            assert_eq!(record(none), None, "{none:?}");
        }
        for (now, there) in [(1, true), (12, true), (13, false), (u64::MAX, false)] {
            assert_eq!(read(b"2 10 a", now).is_some(), there, "{now}");
            assert_eq!(seen(&told(b"2 10 a"), At::from_ms(now)), there, "{now}");
        }
        assert!(read(b"18446744073709551615 18446744073709551615 a", u64::MAX).is_some());
        assert_eq!(registered(&worker, Value::Nil, At::from_ms(1)), None);
    }
}
