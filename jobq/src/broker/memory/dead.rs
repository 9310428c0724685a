//! The dead list: records, newest first, within caps.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::broker::DeadCaps;
use crate::timestamp::At;

#[derive(Debug, Default)]
pub(super) struct DeadList {
    /// Newest in front.
    records: VecDeque<Bytes>,
    bytes: u64,
}

impl DeadList {
    pub(super) fn bury(&mut self, record: Bytes) {
        self.bytes += record.len() as u64;
        self.records.push_front(record);
    }

    /// Drops the oldest until the rest is within the caps; answers how many.
    pub(super) fn trim(&mut self, caps: &DeadCaps, now: At) -> u64 {
        let mut dropped = 0;
        while self.records.back().is_some_and(|oldest| {
            self.records.len() as u64 > caps.count
                || self.bytes > caps.bytes
                || died_at(oldest).is_some_and(|died| now.since(died) > caps.age)
        }) {
            self.remove(self.records.len() - 1);
            dropped += 1;
        }
        dropped
    }

    /// Removes a record of exactly these bytes, the first from one end.
    pub(super) fn take(&mut self, record: &Bytes, from_newest: bool) -> bool {
        let mut records = self.records.iter();
        let found = match from_newest {
            true => records.position(|other| other == record),
            false => records.rposition(|other| other == record),
        };
        found.is_some_and(|index| self.remove(index))
    }

    fn remove(&mut self, index: usize) -> bool {
        let removed = self.records.remove(index);
        self.bytes -= removed.as_ref().map_or(0, |record| record.len() as u64);
        removed.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Newest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Bytes> {
        self.records.iter()
    }
}

/// When the job of a record was given up. It stands at a fixed place, behind one byte of array
/// header and an id of 2 + 16 bytes, so nothing is decoded; other bytes have no age.
fn died_at(record: &Bytes) -> Option<At> {
    const UINT_64: u8 = 0xcf;
    if record.get(19) != Some(&UINT_64) {
        return None;
    }
    let ms = record.get(20..28)?.try_into().ok()?;
    Some(At::from_ms(u64::from_be_bytes(ms)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::envelope::{DeadRecord, Reason};
    use crate::id::JobId;

    fn record(died_at: At) -> Bytes {
        let record = DeadRecord {
            id: JobId::new(),
            died_at,
            reason: Reason::Fatal,
            error: "no".to_owned(),
            envelope: Bytes::from_static(b"x"),
            history: Vec::new(),
        };
        record.encode()
    }

    #[test]
    fn the_time_of_death_is_read_where_a_record_has_it() {
        let died = At::from_ms(0x0102_0304_0506);
        assert_eq!(died_at(&record(died)), Some(died));
    }

    #[test]
    fn a_record_is_dropped_when_it_is_older_than_the_age_and_not_before() {
        let caps = DeadCaps {
            age: Duration::from_millis(10),
            ..DeadCaps::default()
        };
        let mut dead = DeadList::default();
        dead.bury(record(At::from_ms(5)));
        assert_eq!(dead.trim(&caps, At::from_ms(15)), 0);
        assert_eq!(dead.trim(&caps, At::from_ms(16)), 1);
    }

    #[test]
    fn bytes_that_are_no_record_have_no_age() {
        for bytes in [&b""[..], b"short", &[0xcf; 27], &[0; 40]] {
            assert_eq!(died_at(&Bytes::copy_from_slice(bytes)), None);
        }
    }
}
