//! How far a worker is: what it prints, and the harness reads.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// How far a worker is, as its sampler saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Jobs handled.
    pub count: u64,
    /// Jobs handled when the sampler first saw any.
    pub first_count: u64,
    /// When that was, in µs since the Unix epoch.
    pub first_us: u64,
    /// When the count last changed, in µs since the Unix epoch.
    pub last_us: u64,
}

impl Progress {
    /// Notes that at `now` the count stood at `count`; answers whether it changed.
    pub(crate) fn note(&mut self, count: u64, now: u64) -> bool {
        if count == self.count {
            return false;
        }
        if self.count == 0 {
            (self.first_count, self.first_us) = (count, now);
        }
        (self.count, self.last_us) = (count, now);
        true
    }

    /// Jobs a second between the first jobs' end and the last one's; `None` while these are one.
    #[must_use]
    pub fn jobs_per_second(&self) -> Option<f64> {
        let jobs = self.count - self.first_count;
        let us = self.last_us - self.first_us;
        (us > 0).then(|| jobs as f64 * 1e6 / us as f64)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            first_count,
            first_us,
            last_us,
        } = self;
        write!(f, "{count} {first_count} {first_us} {last_us}")
    }
}

impl FromStr for Progress {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let words: Vec<u64> = line
            .split_ascii_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        match words[..] {
            [count, first_count, first_us, last_us] => Ok(Self {
                count,
                first_count,
                first_us,
                last_us,
            }),
            _ => Err(format!("not the progress of a worker: {line:?}").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_leaves_out_what_ended_before_the_first_look() {
        let mut progress = Progress::default();
        for (count, now) in [
            (0, 5),
            (400, 1_000_000),
            (1400, 1_500_000),
            (1400, 9_000_000),
        ] {
            progress.note(count, now);
        }
        assert_eq!(progress.jobs_per_second(), Some(2000.0));
    }

    #[test]
    fn a_worker_that_was_seen_once_has_no_rate() {
        let mut progress = Progress::default();
        progress.note(10, 7);
        assert_eq!(progress.jobs_per_second(), None);
    }

    #[test]
    fn what_is_printed_can_be_read() {
        let progress = Progress {
            count: 4,
            first_count: 1,
            first_us: 10,
            last_us: 20,
        };
        assert_eq!(progress.to_string().parse::<Progress>().unwrap(), progress);
        assert!("4 1 10".parse::<Progress>().is_err());
    }
}
