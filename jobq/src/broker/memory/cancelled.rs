//! The ids of jobs that are not to run, as a sorted set keeps them: by until when each counts.

use std::time::Duration;

use super::by_time::ByTime;
use crate::broker::{CANCELLED_FOR, LATEST_CANCELLED, MAX_CANCELLED};
use crate::id::JobId;
use crate::timestamp::At;

#[derive(Debug, Default)]
pub(super) struct Cancelled(ByTime<JobId>);

impl Cancelled {
    /// Adds an id, or moves it to the end, for as long as `last_due`, that of the last delayed job,
    /// asks for. One too many drops the first.
    pub(super) fn add(&mut self, id: JobId, now: At, last_due: Option<At>) {
        let due = last_due.map_or(now, |due| now.max(due.min(LATEST_CANCELLED)));
        // Later than all others: so the first is always the one that was cancelled longest ago.
        let behind = |last: At| last.after(Duration::from_millis(1));
        let behind = self.0.last().map(behind).unwrap_or_default();
        self.0.insert(id, due.after(CANCELLED_FOR).max(behind));
        while self.0.pop_due(now).is_some() {}
        if self.0.len() > MAX_CANCELLED as usize {
            self.0.pop_first();
        }
    }

    /// Whether there are any: asked by every claim.
    pub(super) fn any(&self, now: At) -> bool {
        self.0.last().is_some_and(|until| until > now)
    }

    pub(super) fn contains(&self, id: &JobId, now: At) -> bool {
        self.0.get(id).is_some_and(|until| until > now)
    }

    pub(super) fn remove(&mut self, id: &JobId) {
        self.0.remove(id);
    }

    /// With until when each counts, the one cancelled longest ago first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(At, JobId)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> JobId {
        let mut bytes = [0; 16];
        bytes[12..].copy_from_slice(&number.to_be_bytes());
        JobId::from_bytes(bytes)
    }

    fn day(days: u32) -> At {
        At::from_ms(1).after(CANCELLED_FOR / 7 * days)
    }

    #[test]
    fn an_id_counts_for_seven_days_from_the_last_time() {
        let mut cancelled = Cancelled::default();
        cancelled.add(id(1), day(0), None);
        cancelled.add(id(2), day(0), Some(day(0)));
        cancelled.add(id(2), day(3), Some(day(2)));
        assert!(cancelled.any(day(6)) && cancelled.contains(&id(1), day(6)));
        assert!(!cancelled.contains(&id(1), day(7)));
        assert!(cancelled.any(day(9)) && cancelled.contains(&id(2), day(9)));
        assert!(!cancelled.any(day(10)) && !cancelled.contains(&id(2), day(10)));
        cancelled.add(id(3), day(10), None);
        assert!(cancelled.any(day(10)) && !cancelled.contains(&id(2), day(10)));
        assert_eq!(cancelled.iter().count(), 1);
    }

    #[test]
    fn an_id_counts_for_seven_days_after_the_last_delayed_job_is_due() {
        let mut cancelled = Cancelled::default();
        cancelled.add(id(1), day(0), Some(day(30)));
        // The job that was due so late is gone, and shortens nothing.
        cancelled.add(id(2), day(1), None);
        cancelled.add(id(1), day(1), Some(day(2)));
        let last = At::from_ms(day(37).as_ms() - 1);
        assert!(cancelled.any(last) && cancelled.contains(&id(1), last));
        assert!(!cancelled.any(day(38)) && !cancelled.contains(&id(1), day(38)));
    }

    #[test]
    fn a_job_that_is_never_due_keeps_ids_in_their_order() {
        let mut cancelled = Cancelled::default();
        for due in [u64::MAX, (1 << 53) - 1, 1 << 52] {
            cancelled.add(id(2), day(0), Some(At::from_ms(due)));
            cancelled.add(id(1), day(0), Some(At::from_ms(due)));
            let order = cancelled.iter().map(|(_, id)| *id).collect::<Vec<_>>();
            assert_eq!(order, [id(2), id(1)]);
            assert!(cancelled.contains(&id(1), LATEST_CANCELLED));
        }
    }

    #[test]
    fn one_too_many_drops_the_oldest() {
        for last_due in [None, Some(day(30))] {
            let mut cancelled = Cancelled::default();
            // All at one time; the first is cancelled again and so is not the oldest.
            for number in (0..MAX_CANCELLED).chain([0, MAX_CANCELLED]) {
                cancelled.add(id(number), day(0), last_due);
            }
            assert_eq!(cancelled.iter().count(), MAX_CANCELLED as usize);
            let kept = [0, 1, 2, MAX_CANCELLED].map(|n| cancelled.contains(&id(n), day(0)));
            assert_eq!(kept, [true, false, true, true]);
        }
    }

    #[test]
    fn the_last_that_is_removed_leaves_none() {
        let (mut cancelled, now) = (Cancelled::default(), At::from_ms(1));
        cancelled.add(id(1), now, None);
        cancelled.remove(&id(2));
        assert!(cancelled.any(now));
        cancelled.remove(&id(1));
        assert!(!cancelled.any(now));
    }
}
