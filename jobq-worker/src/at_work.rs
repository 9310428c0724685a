//! Which job a task runs at the moment: written by the task for every job, and read now and then by
//! who looks. So that writing costs next to nothing, it takes no lock.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::Duration;

use jobq::JobId;
use tokio::time::Instant;

use crate::report::JobIndex;

/// A job that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AtWork {
    pub(crate) id: JobId,
    pub(crate) job: JobIndex,
    pub(crate) since: Instant,
}

/// What runs one job at a time.
pub(crate) trait Works: fmt::Debug + Send + Sync {
    /// The job that it runs, if it runs one.
    fn at_work(&self) -> Option<AtWork>;
}

/// The place where one task writes.
#[derive(Debug)]
pub(crate) struct Board {
    origin: Instant,
    /// In ns from `origin` on, and 1; 0 while there is no job, or another is being written.
    since: AtomicU64,
    id: [AtomicU64; 2],
    job: AtomicU32,
}

impl Board {
    /// With no job. Every job will begin after `origin`.
    pub(crate) fn new(origin: Instant) -> Self {
        Self {
            origin,
            since: AtomicU64::new(0),
            id: [AtomicU64::new(0), AtomicU64::new(0)],
            job: AtomicU32::new(0),
        }
    }

    /// To be called by one task. The job began so many ns after the origin.
    pub(crate) fn write(&self, id: JobId, job: JobIndex, begun_ns: u64) {
        let since = begun_ns.saturating_add(1);
        let halves = u128::from_ne_bytes(*id.as_bytes());
        self.since.store(0, Ordering::Relaxed);
        fence(Ordering::Release);
        self.id[0].store((halves >> 64) as u64, Ordering::Relaxed);
        self.id[1].store(halves as u64, Ordering::Relaxed);
        self.job.store(job.0, Ordering::Relaxed);
        self.since.store(since, Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        self.since.store(0, Ordering::Relaxed);
    }
}

impl Works for Board {
    /// Nor is there one while another takes its place.
    fn at_work(&self) -> Option<AtWork> {
        let since = self.since.load(Ordering::Acquire);
        let [high, low] = self.id.each_ref().map(|half| half.load(Ordering::Relaxed));
        let job = JobIndex(self.job.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        if since == 0 || self.since.load(Ordering::Relaxed) != since {
            return None;
        }
        let halves = u128::from(high) << 64 | u128::from(low);
        Some(AtWork {
            id: JobId::from_bytes(halves.to_ne_bytes()),
            job,
            since: self.origin + Duration::from_nanos(since - 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn at_work(origin: Instant, number: u8) -> AtWork {
        AtWork {
            id: JobId::from_bytes([number; 16]),
            job: JobIndex(number.into()),
            since: origin + Duration::from_nanos(number.into()),
        }
    }

    fn write(board: &Board, number: u8) {
        let id = JobId::from_bytes([number; 16]);
        board.write(id, JobIndex(number.into()), number.into());
    }

    #[test]
    fn what_is_written_is_read_until_it_is_cleared() {
        let origin = Instant::now();
        let board = Board::new(origin);
        assert_eq!(board.at_work(), None);
        for number in [0, 7] {
            write(&board, number);
            assert_eq!(board.at_work(), Some(at_work(origin, number)));
        }
        board.clear();
        assert_eq!(board.at_work(), None);
    }

    #[test]
    fn no_job_is_read_with_a_part_of_another() {
        let origin = Instant::now();
        let (board, over) = (Board::new(origin), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in (0..100_000_u32).map(|number| (number % 250) as u8) {
                    write(&board, number);
                }
                over.store(true, Ordering::Relaxed);
            });
            while !over.load(Ordering::Relaxed) {
                if let Some(read) = board.at_work() {
                    let number = read.id.as_bytes()[0];
                    assert_eq!(read, at_work(origin, number));
                }
            }
        });
    }
}
