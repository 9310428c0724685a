//! What a worker measures besides what its jobs came to: how long they wait, how the broker answers.
//! Kept for whoever shows it (`exposition.rs`); where nobody can, nothing is measured.

mod histogram;

use std::sync::atomic::{AtomicI64, Ordering};
#[cfg(any(feature = "metrics", feature = "prometheus"))]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::At;
#[cfg(any(feature = "metrics", feature = "prometheus"))]
use jobq::broker::Counts;
use tokio::time::Instant;

pub(crate) use self::histogram::{Bucket, Histogram, Local, Scale};
use crate::telemetry::Counter;

/// Whether anybody can show what is measured.
pub(crate) const ON: bool = cfg!(any(feature = "metrics", feature = "prometheus"));

const MS: u64 = 1_000_000;
const SECOND: u64 = 1000 * MS;

/// Bounds of times in ns that jobs take, or wait.
pub(crate) const JOB_TIMES: Scale = Scale {
    bounds: &[
        MS,
        5 * MS / 2,
        5 * MS,
        10 * MS,
        25 * MS,
        50 * MS,
        100 * MS,
        250 * MS,
        500 * MS,
        SECOND,
        5 * SECOND / 2,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        60 * SECOND,
        300 * SECOND,
        1800 * SECOND,
    ],
    unit: SECOND,
};

/// Bounds of times in ns that the broker takes to answer.
const ROUND_TRIPS: Scale = Scale {
    bounds: &[
        MS / 10,
        MS / 4,
        MS / 2,
        MS,
        5 * MS / 2,
        5 * MS,
        10 * MS,
        25 * MS,
        50 * MS,
        100 * MS,
        250 * MS,
        SECOND,
        5 * SECOND,
    ],
    unit: SECOND,
};

/// Bounds of how many jobs a claim gave.
const BATCHES: Scale = Scale {
    bounds: &[0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    unit: 1,
};

/// The meters of one worker.
#[derive(Debug)]
pub(crate) struct Meters {
    /// By queue.
    pub(crate) waits: Vec<Histogram>,
    pub(crate) round_trips: Histogram,
    pub(crate) batches: Histogram,
    pub(crate) leases_lost: Counter,
    pub(crate) reconciled: Counter,
    /// By queue, while this worker is its timekeeper.
    #[cfg(any(feature = "metrics", feature = "prometheus"))]
    queues: Mutex<Vec<Option<Counts>>>,
    clock: Clock,
}

/// The clock of the broker by that of this process, for who looks at it all the time.
#[derive(Debug)]
struct Clock {
    origin: Instant,
    /// In ms.
    offset: AtomicI64,
}

impl Meters {
    pub(crate) fn new(queues: usize, (origin, at): (Instant, At)) -> Self {
        let offset = AtomicI64::new(signed(at.as_ms()));
        Self {
            waits: (0..queues).map(|_| Histogram::new(&JOB_TIMES)).collect(),
            round_trips: Histogram::new(&ROUND_TRIPS),
            batches: Histogram::new(&BATCHES),
            leases_lost: Counter::default(),
            reconciled: Counter::default(),
            #[cfg(any(feature = "metrics", feature = "prometheus"))]
            queues: Mutex::new(vec![None; queues]),
            clock: Clock { origin, offset },
        }
    }

    /// Notes what time it is for the broker. The two clocks drift apart.
    pub(crate) fn set_clock(&self, at: At) {
        let elapsed = signed_ms(self.clock.origin.elapsed());
        let offset = signed(at.as_ms()).saturating_sub(elapsed);
        self.clock.offset.store(offset, Ordering::Relaxed);
    }

    /// How long a job could have been running that begins so many ns after the origin, in ns.
    pub(crate) fn waited(&self, begun_ns: u64, since: At) -> u64 {
        let offset = self.clock.offset.load(Ordering::Relaxed);
        let now = offset.saturating_add(signed(begun_ns / MS));
        let waited = now.saturating_sub(signed(since.as_ms()));
        u64::try_from(waited).unwrap_or(0).saturating_mul(MS)
    }

    #[cfg(any(feature = "metrics", feature = "prometheus"))]
    pub(crate) fn queues(&self) -> MutexGuard<'_, Vec<Option<Counts>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn signed_ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// In ns.
pub(crate) fn ns(time: Duration) -> u64 {
    // A process does not last for 584 years; and this is done for every job.
    let seconds = time.as_secs().saturating_mul(SECOND);
    seconds.saturating_add(time.subsec_nanos().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_waited_from_when_it_could_run_to_when_it_began_by_the_brokers_clock() {
        let origin = Instant::now();
        let meters = Meters::new(1, (origin, At::from_ms(1_000_000)));
        let begun = 5000 * MS;
        for (since, ms) in [
            (1_000_000, 5000),
            (1_004_999, 1),
            (1_005_001, 0),
            (0, 1_005_000),
        ] {
            let waited = meters.waited(begun, At::from_ms(since));
            assert_eq!(waited, ms * MS, "{since}");
        }
        meters.set_clock(At::from_ms(2_000_000));
        let waited = meters.waited(ns(origin.elapsed()), At::from_ms(1_999_000)) / MS;
        assert!((1000..60_000).contains(&waited), "{waited}");
        assert_eq!(meters.waited(begun, At::from_ms(u64::MAX)), 0);
    }

    #[test]
    fn bounds_rise() {
        for scale in [JOB_TIMES, ROUND_TRIPS, BATCHES] {
            assert!(scale.bounds.is_sorted(), "{scale:?}");
        }
    }
}
