//! The ids of jobs that are not to run, as a sorted set that expires keeps them.

use std::collections::BTreeMap;

use crate::broker::{CANCELLED_FOR, MAX_CANCELLED};
use crate::id::JobId;
use crate::timestamp::At;

#[derive(Debug, Default)]
pub(super) struct Cancelled {
    when: BTreeMap<JobId, At>,
    /// The last of all cancellations: after it has run out, none counts.
    last: At,
}

impl Cancelled {
    /// Adds an id, or moves it to this time; one too many drops the oldest.
    pub(super) fn add(&mut self, id: JobId, now: At) {
        self.last = now;
        self.when.insert(id, now);
        if self.when.len() > MAX_CANCELLED as usize {
            let oldest = self.when.iter().min_by_key(|&(id, when)| (*when, *id));
            let oldest = oldest.map(|(id, _)| *id);
            oldest.and_then(|id| self.when.remove(&id));
        }
    }

    /// Whether there are any: asked by every claim.
    pub(super) fn any(&self, now: At) -> bool {
        !self.when.is_empty() && counts(self.last, now)
    }

    pub(super) fn contains(&self, id: &JobId, now: At) -> bool {
        self.when.get(id).is_some_and(|when| counts(*when, now))
    }

    pub(super) fn remove(&mut self, id: &JobId) {
        self.when.remove(id);
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = JobId> {
        self.when.keys().copied()
    }
}

fn counts(when: At, now: At) -> bool {
    now.since(when) < CANCELLED_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> JobId {
        let mut bytes = [0; 16];
        bytes[12..].copy_from_slice(&number.to_be_bytes());
        JobId::from_bytes(bytes)
    }

    #[test]
    fn an_id_counts_for_seven_days_from_the_last_time() {
        let mut cancelled = Cancelled::default();
        let start = At::from_ms(1);
        let day = |days| start.after(CANCELLED_FOR / 7 * days);
        cancelled.add(id(1), day(0));
        cancelled.add(id(2), day(0));
        cancelled.add(id(2), day(3));
        assert!(cancelled.any(day(6)) && cancelled.contains(&id(1), day(6)));
        assert!(!cancelled.contains(&id(1), day(7)));
        assert!(cancelled.any(day(9)) && cancelled.contains(&id(2), day(9)));
        assert!(!cancelled.any(day(10)) && !cancelled.contains(&id(2), day(10)));
        cancelled.add(id(3), day(10));
        assert!(cancelled.any(day(10)) && !cancelled.contains(&id(2), day(10)));
    }

    #[test]
    fn one_too_many_drops_the_oldest() {
        let mut cancelled = Cancelled::default();
        // The first is cancelled again and so is not the oldest.
        for number in (0..MAX_CANCELLED).chain([0, MAX_CANCELLED]) {
            let now = At::from_ms(u64::from(number) + 1);
            cancelled.add(id(number), now.after(cancelled.last.since(At::default())));
        }
        let now = cancelled.last;
        assert_eq!(cancelled.ids().count(), MAX_CANCELLED as usize);
        assert!(cancelled.contains(&id(0), now) && !cancelled.contains(&id(1), now));
        assert!(cancelled.contains(&id(2), now) && cancelled.contains(&id(MAX_CANCELLED), now));
    }

    #[test]
    fn the_last_that_is_removed_leaves_none() {
        let (mut cancelled, now) = (Cancelled::default(), At::from_ms(1));
        cancelled.add(id(1), now);
        cancelled.remove(&id(2));
        assert!(cancelled.any(now));
        cancelled.remove(&id(1));
        assert!(!cancelled.any(now));
    }
}
