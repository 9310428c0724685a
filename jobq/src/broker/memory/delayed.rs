//! Elements by due time, as a sorted set keeps them: each bytes once, equal times by bytes.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use crate::timestamp::At;

#[derive(Debug, Default)]
pub(super) struct Delayed {
    order: BTreeSet<(At, Bytes)>,
    due: HashMap<Bytes, At>,
}

impl Delayed {
    /// Adds an element; one that is there already gets the new time.
    pub(super) fn insert(&mut self, envelope: Bytes, due: At) {
        if let Some(old) = self.due.insert(envelope.clone(), due) {
            self.order.remove(&(old, envelope.clone()));
        }
        self.order.insert((due, envelope));
    }

    /// Takes the first, if it is due.
    pub(super) fn pop_due(&mut self, now: At) -> Option<Bytes> {
        if self.next_due()? > now {
            return None;
        }
        let (_, envelope) = self.order.pop_first()?;
        self.due.remove(&envelope);
        Some(envelope)
    }

    /// Removes an element; answers whether it was there.
    pub(super) fn remove(&mut self, envelope: &Bytes) -> bool {
        let due = self.due.remove(envelope);
        due.is_some_and(|due| self.order.remove(&(due, envelope.clone())))
    }

    pub(super) fn next_due(&self) -> Option<At> {
        self.order.first().map(|&(due, _)| due)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// By due time.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(At, Bytes)> {
        self.order.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_stand_once_at_the_time_given_last() {
        let mut delayed = Delayed::default();
        for due in [5, 9, 7] {
            delayed.insert(Bytes::from_static(b"a"), At::from_ms(due));
        }
        assert_eq!(delayed.len(), 1);
        assert_eq!(delayed.next_due(), Some(At::from_ms(7)));
        assert_eq!(delayed.pop_due(At::from_ms(6)), None);
        assert!(delayed.pop_due(At::from_ms(7)).is_some());
        assert_eq!(delayed.pop_due(At::from_ms(99)), None);
    }

    #[test]
    fn equal_times_go_by_bytes() {
        let mut delayed = Delayed::default();
        for name in ["b", "c", "a"] {
            delayed.insert(Bytes::from_static(name.as_bytes()), At::from_ms(1));
        }
        let out = std::iter::from_fn(|| delayed.pop_due(At::from_ms(1))).collect::<Vec<_>>();
        assert_eq!(out, ["a", "b", "c"]);
    }
}
