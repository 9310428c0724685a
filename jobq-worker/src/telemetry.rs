//! What a worker counts, and how it words things for logs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jobq::runtime::text::plain;

use crate::slots::Slots;

/// What a worker did since it started. Jobs are counted when the broker accepted their outcome.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[jobq::job(name = "stats.example")]
/// # async fn send_welcome(user_id: u64) {}
/// # let client = jobq::connect("memory://").await?;
/// send_welcome::enqueue(&client, 7).await?;
/// let worker = jobq_worker::Worker::builder(client).build()?;
/// let stats = worker.run_until_idle().await?;
/// assert_eq!((stats.done, stats.dead, stats.running), (1, 0, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerStats {
    /// Jobs done.
    pub done: u64,
    /// Failed attempts that will be retried.
    pub retried: u64,
    /// Jobs sent to the dead list.
    pub dead: u64,
    /// Jobs dropped on purpose.
    pub discarded: u64,
    /// Jobs dropped because somebody cancelled them.
    pub cancelled: u64,
    /// Snoozes, and postponements of jobs whose name nobody here knows.
    pub snoozed: u64,
    /// Jobs given back without an attempt: not started, or cut short by a shutdown.
    pub released: u64,
    /// Jobs taken over from dead workers, and put back for any worker to run.
    pub adopted: u64,
    /// Outcomes that came too late and do not count: the job had been taken over, or the worker had lost
    /// its place while it waited for an answer, so that nobody knows.
    pub stale: u64,
    /// Jobs running now.
    pub running: u64,
    /// Of these, blocking ones that go on though their timeout has passed: each was counted as failed,
    /// and keeps its slot until it ends. Where this grows, a handler does not heed
    /// [`is_cancelled`](jobq::Context::is_cancelled).
    pub leaked: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        /// The figures of [`WorkerStats`] while they grow.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn read(&self, slots: &Slots) -> WorkerStats {
                let (running, leaked) = (slots.filled().into(), slots.leaked().into());
                WorkerStats { $($name: self.$name.read(),)* running, leaked }
            }
        }
    };
}

counters!(
    done, retried, dead, discarded, cancelled, snoozed, released, adopted, stale
);

/// A figure that grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A time as people want it: below a second to the millisecond, else to the second.
pub(crate) fn rounded(time: Duration) -> String {
    let half = |unit: Duration| time.saturating_add(unit / 2);
    let (ms, second) = (Duration::from_millis(1), Duration::from_secs(1));
    match half(ms) < second {
        true => plain(Duration::from_millis(u64::from(half(ms).subsec_millis()))),
        false => plain(Duration::from_secs(half(second).as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded() {
        for (us, expected) in [
            (209_693, "210ms"),
            (999_499, "999ms"),
            (999_500, "1s"),
            (1_600_000, "2s"),
            (89_700_000, "90s"),
            (120_000_000, "2m"),
        ] {
            assert_eq!(rounded(Duration::from_micros(us)), expected, "{us}");
        }
        rounded(Duration::MAX);
    }
}
