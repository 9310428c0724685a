//! Reads answers. What does not fit is an error, never a panic: the server may hold anything.

use std::time::Duration;

use redis::Value;

use super::fault::corrupt;
use super::value::{bytes, list, number, score, text};
use crate::broker::{Adopted, Claimed, Counts, Grant, Promoted, Renewed, Settled};
use crate::error::BrokerError;
use crate::id::{Token, WorkerId};
use crate::timestamp::At;

mod operate;

pub(super) use self::operate::{ordered, registered, seen, tallies};

/// The items of a script's answer, which begins with a word.
struct Reply {
    items: std::vec::IntoIter<Value>,
    what: &'static str,
}

impl Reply {
    fn new(value: Value, what: &'static str) -> Result<Self, BrokerError> {
        match value {
            Value::Array(items) => Ok(Self {
                items: items.into_iter(),
                what,
            }),
            _ => Err(corrupt(what)),
        }
    }

    fn next(&mut self) -> Result<Value, BrokerError> {
        self.items.next().ok_or_else(|| corrupt(self.what))
    }

    fn word(&mut self) -> Result<Vec<u8>, BrokerError> {
        match self.next()? {
            Value::BulkString(word) => Ok(word),
            _ => Err(corrupt(self.what)),
        }
    }

    fn number(&mut self) -> Result<u64, BrokerError> {
        let value = self.next()?;
        number(&value).ok_or_else(|| corrupt(self.what))
    }

    fn flag(&mut self) -> Result<bool, BrokerError> {
        Ok(self.number()? != 0)
    }

    fn ms(&mut self) -> Result<Option<Duration>, BrokerError> {
        match self.next()? {
            Value::Nil => Ok(None),
            value => match number(&value) {
                Some(ms) => Ok(Some(Duration::from_millis(ms))),
                None => Err(corrupt(self.what)),
            },
        }
    }

    fn rest<T>(self, read: impl Fn(Value) -> Option<T>) -> Result<Vec<T>, BrokerError> {
        let read: Option<Vec<T>> = self.items.map(read).collect();
        read.ok_or_else(|| corrupt(self.what))
    }

    fn other<T>(&self) -> Result<T, BrokerError> {
        Err(corrupt(self.what))
    }
}

pub(super) fn claimed(value: Value) -> Result<Claimed, BrokerError> {
    let mut reply = Reply::new(value, "a claim's answer")?;
    match &reply.word()?[..] {
        b"reaped" => Ok(Claimed::Reaped),
        b"granted" => Ok(Claimed::Granted(Grant {
            counter: reply.number()?,
            next_due: reply.ms()?,
            paused: reply.flag()?,
            suspects: reply.number()?,
            cancelled: reply.flag()?,
            envelopes: reply.rest(bytes)?,
        })),
        _ => reply.other(),
    }
}

/// The places, from 0, of the commands that the user may not run.
pub(super) fn missing_rights(value: Value) -> Result<Vec<usize>, BrokerError> {
    let mut reply = Reply::new(value, "a list of missing rights")?;
    match &reply.word()?[..] {
        b"missing" => reply.rest(|place| usize::try_from(number(&place)?).ok()?.checked_sub(1)),
        _ => reply.other(),
    }
}

/// For each id that was asked for whether it counts as cancelled `now`: the set keeps some longer.
pub(super) fn cancelled(value: Value, ids: usize, now: At) -> Result<Vec<bool>, BrokerError> {
    let scores = list(value, SCORES)?;
    if scores.len() != ids {
        return Err(corrupt(SCORES));
    }
    let counts = |value: &Value| match value {
        Value::Nil => Ok(false),
        value => match score(value) {
            Some(until) => Ok(until > now),
            None => Err(corrupt(SCORES)),
        },
    };
    scores.iter().map(counts).collect()
}

const SCORES: &str = "a time for each id";

/// `places` says where in the caller's order each settlement stood that was sent.
pub(super) fn settled(value: Value, places: &[usize]) -> Result<Settled, BrokerError> {
    let mut reply = Reply::new(value, "a settle's answer")?;
    let reaped = match &reply.word()?[..] {
        b"settled" => false,
        b"reaped" => true,
        _ => return reply.other(),
    };
    let what = reply.what;
    let dropped = reply.number()?;
    let mut accepted = vec![true; places.len()];
    for position in reply.rest(|value| number(&value))? {
        let position = usize::try_from(position).unwrap_or(0).wrapping_sub(1);
        let place = *places.get(position).ok_or_else(|| corrupt(what))?;
        accepted[place] = false;
    }
    Ok(Settled {
        accepted,
        dropped,
        reaped,
    })
}

pub(super) fn renewed(value: Value) -> Result<Renewed, BrokerError> {
    let mut reply = Reply::new(value, "a renew's answer")?;
    match &reply.word()?[..] {
        b"reaped" => Ok(Renewed::Reaped),
        b"alive" => Ok(Renewed::Alive {
            counter: reply.number()?,
            in_flight: reply.number()?,
            handoff: reply.number()?,
            paused: reply.flag()?,
            suspects: reply.number()?,
        }),
        _ => reply.other(),
    }
}

pub(super) fn promoted(value: Value) -> Result<Promoted, BrokerError> {
    let mut reply = Reply::new(value, "a promote's answer")?;
    let timekeeper = match &reply.word()?[..] {
        b"timekeeper" => true,
        b"other" => false,
        _ => return reply.other(),
    };
    Ok(Promoted {
        timekeeper,
        moved: reply.number()?,
        next_due: reply.ms()?,
    })
}

pub(super) fn adopted(value: Value) -> Result<Adopted, BrokerError> {
    let mut reply = Reply::new(value, "an adoption's answer")?;
    match &reply.word()?[..] {
        b"reaped" => Ok(Adopted::Reaped),
        b"alive" => Ok(Adopted::Alive),
        b"taken" => Ok(Adopted::Taken {
            counter: reply.number()?,
            more: reply.flag()?,
            envelopes: reply.rest(bytes)?,
        }),
        _ => reply.other(),
    }
}

/// The figures of a queue, and its members at that moment.
pub(super) fn counted(value: Value) -> Result<(Counts, Vec<WorkerId>), BrokerError> {
    let mut reply = Reply::new(value, "the figures of a queue")?;
    match &reply.word()?[..] {
        b"counted" => {}
        _ => return reply.other(),
    }
    let counts = Counts {
        ready: reply.number()?,
        delayed: reply.number()?,
        suspects: reply.number()?,
        dead: reply.number()?,
        paused: reply.flag()?,
        in_flight: reply.number()?,
        oldest: bytes(reply.next()?),
        next_due: score(&reply.next()?),
    };
    let members = reply.rest(Some)?;
    // Anyone may have written there: what is no text was never a worker.
    let members = members.iter().filter_map(text);
    Ok((counts, members.map(WorkerId::from_stored).collect()))
}

/// A script's answer that is a word and how many.
pub(super) fn how_many(value: Value, word: &[u8]) -> Result<u64, BrokerError> {
    let mut reply = Reply::new(value, "a number of elements")?;
    match reply.word()? == word {
        true => reply.number(),
        false => reply.other(),
    }
}

/// What of these fields is a token: anyone may have written there.
pub(super) fn tokens<'a>(fields: impl Iterator<Item = &'a Value>) -> Vec<Token> {
    let tokens = fields.filter_map(|field| Token::from_stored(text(field)?));
    tokens.collect()
}

/// The answer of a scan: where it goes on, and what it found.
pub(super) fn scanned(value: Value) -> Result<(u64, Vec<Value>), BrokerError> {
    const SCAN: &str = "a scan's answer";
    let answer = <[Value; 2]>::try_from(list(value, SCAN)?);
    let [cursor, found] = answer.map_err(|_| corrupt(SCAN))?;
    let cursor = number(&cursor).ok_or_else(|| corrupt("a scan's cursor"))?;
    Ok((cursor, list(found, SCAN)?))
}

/// A script's answer that is one word: whether it is `yes` (true) or `no` (false).
pub(super) fn one_of(value: Value, yes: &[u8], no: &[u8]) -> Result<bool, BrokerError> {
    let mut reply = Reply::new(value, "one of two words")?;
    match reply.word()? {
        word if word == yes => Ok(true),
        word if word == no => Ok(false),
        _ => reply.other(),
    }
}

#[cfg(test)]
mod any_answer;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// A value as the server writes it.
    fn value(wire: &str) -> Value {
        redis::parse_redis_value(wire.as_bytes()).unwrap()
    }

    #[test]
    fn a_claim_is_read() {
        let reply = "*7\r\n$7\r\ngranted\r\n$1\r\n7\r\n_\r\n:1\r\n:2\r\n:1\r\n$1\r\nx\r\n";
        let grant = Grant {
            counter: 7,
            envelopes: vec![Bytes::from("x")],
            next_due: None,
            paused: true,
            suspects: 2,
            cancelled: true,
        };
        assert_eq!(claimed(value(reply)).unwrap(), Claimed::Granted(grant));
        let reaped = claimed(value("*1\r\n$6\r\nreaped\r\n"));
        assert_eq!(reaped.unwrap(), Claimed::Reaped);
    }

    #[test]
    fn a_cancelled_id_counts_until_its_time_is_over() {
        let now = At::from_ms(10);
        let reply = value("*4\r\n,11\r\n_\r\n,10\r\n,1e300\r\n");
        assert_eq!(
            cancelled(reply.clone(), 4, now).unwrap(),
            [true, false, false, true]
        );
        assert!(cancelled(reply, 3, now).is_err());
    }

    #[test]
    fn stale_settlements_are_told_in_the_callers_order() {
        // Sent in the order 2, 0, 1 of the caller; the first and third were stale.
        let reply = value("*4\r\n$7\r\nsettled\r\n:5\r\n:1\r\n:3\r\n");
        let settled = settled(reply, &[2, 0, 1]).unwrap();
        assert_eq!(settled.accepted, [true, false, false]);
        assert_eq!((settled.dropped, settled.reaped), (5, false));
    }

    #[test]
    fn answers_that_cannot_be_are_errors() {
        let junk = [
            "_\r\n",
            "+OK\r\n",
            ":1\r\n",
            "*0\r\n",
            "*1\r\n$4\r\nwhat\r\n",
            "*1\r\n:7\r\n",
            "*1\r\n$7\r\ngranted\r\n",
            "*2\r\n$7\r\ngranted\r\n$1\r\nx\r\n",
            "*1\r\n$7\r\nsettled\r\n",
            "*3\r\n$7\r\nsettled\r\n:0\r\n:0\r\n",
            "*3\r\n$7\r\nsettled\r\n:0\r\n:9\r\n",
            "*1\r\n$5\r\nalive\r\n$1\r\nx\r\n",
            "*2\r\n$5\r\ntaken\r\n:1\r\n",
            "*4\r\n$5\r\ntaken\r\n:1\r\n:0\r\n:5\r\n",
        ];
        for wire in junk {
            assert!(claimed(value(wire)).is_err(), "{wire:?}");
            assert!(settled(value(wire), &[0]).is_err(), "{wire:?}");
            assert!(promoted(value(wire)).is_err(), "{wire:?}");
            assert!(counted(value(wire)).is_err(), "{wire:?}");
            assert!(
                cancelled(value(wire), 7, At::default()).is_err(),
                "{wire:?}"
            );
            assert!(one_of(value(wire), b"yes", b"no").is_err(), "{wire:?}");
            assert!(how_many(value(wire), b"gone").is_err(), "{wire:?}");
            assert!(scanned(value(wire)).is_err(), "{wire:?}");
            assert!(
                !matches!(renewed(value(wire)), Ok(Renewed::Alive { .. })),
                "{wire:?}"
            );
            assert!(
                !matches!(adopted(value(wire)), Ok(Adopted::Taken { .. })),
                "{wire:?}"
            );
        }
    }
}
