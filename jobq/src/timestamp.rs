//! Points in time as jobq keeps them: whole milliseconds since the Unix epoch.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// A point in time, in ms since the Unix epoch; earlier ones count as the epoch. A part of a ms is
/// rounded up: what is to happen at a time never happens before it.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use jobq::{At, Timestamp};
///
/// assert!(At::from(SystemTime::now()) > At::from(Timestamp::UNIX_EPOCH));
/// assert_eq!(At::from_ms(500).after(Duration::from_secs(1)).as_ms(), 1500);
/// assert_eq!(At::from_ms(500).to_string(), "1970-01-01T00:00:00.5Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct At(u64);

impl At {
    /// The last time that a job can be due: the largest whole number of ms that a float holds
    /// exactly, which is what Redis keeps due times as.
    pub(crate) const LATEST_DUE: Self = Self((1 << 53) - 1);

    /// From ms since the Unix epoch.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// In ms since the Unix epoch.
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// This long afterwards, or the latest time there is.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ms))
    }

    /// How long since `earlier`; zero if it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// As a timestamp; what lies beyond the year 9999 becomes the last one there is.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        i64::try_from(self.0)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .unwrap_or(Timestamp::MAX)
    }
}

/// As RFC 3339 has it: `2023-11-14T22:13:20.5Z`.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), f)
    }
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "At({self})")
    }
}

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(ceil_ms(u128::try_from(at.as_nanosecond()).unwrap_or(0)))
    }
}

impl From<SystemTime> for At {
    fn from(at: SystemTime) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(ceil_ms(since.as_nanos()))
    }
}

fn ceil_ms(nanoseconds: u128) -> u64 {
    u64::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_the_epoch_count_as_the_epoch() {
        let timestamp: Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(At::from(timestamp), At::from_ms(0));
        assert_eq!(
            At::from(UNIX_EPOCH - Duration::from_secs(1)),
            At::from_ms(0)
        );
        assert_eq!(At::from(Timestamp::MIN), At::from_ms(0));
    }

    #[test]
    fn times_survive_as_timestamps_up_to_the_last_one() {
        let timestamp: Timestamp = "2023-11-14T22:13:20.5Z".parse().unwrap();
        assert_eq!(At::from(timestamp), At::from_ms(1_700_000_000_500));
        assert_eq!(At::from_ms(1_700_000_000_500).timestamp(), timestamp);
        assert_eq!(At::from_ms(0).timestamp(), Timestamp::UNIX_EPOCH);
        for ms in [u64::MAX, i64::MAX as u64, 9_223_372_036_854_775] {
            assert_eq!(At::from_ms(ms).timestamp(), Timestamp::MAX);
        }
        assert!(At::from(Timestamp::MAX) > At::from(timestamp));
    }

    #[test]
    fn times_are_shown_as_people_write_them() {
        let at = At::from_ms(1_700_000_000_500);
        assert_eq!(at.to_string(), "2023-11-14T22:13:20.5Z");
        assert_eq!(format!("{at:?}"), "At(2023-11-14T22:13:20.5Z)");
    }

    #[test]
    fn a_part_of_a_millisecond_makes_a_time_later_never_earlier() {
        for (micros, ms) in [(1_234_000, 1234), (1_234_001, 1235), (1_234_999, 1235)] {
            let time = UNIX_EPOCH + Duration::from_micros(micros);
            assert_eq!(At::from(time).as_ms(), ms, "{micros}");
            let timestamp = Timestamp::try_from(time).unwrap();
            assert_eq!(At::from(timestamp).as_ms(), ms, "{micros}");
        }
    }

    #[test]
    fn sums_and_differences_stay_in_range() {
        let at = At::from_ms(1000);
        assert_eq!(at.after(Duration::from_millis(500)).as_ms(), 1500);
        assert_eq!(at.after(Duration::MAX).as_ms(), u64::MAX);
        assert_eq!(At::from_ms(1500).since(at), Duration::from_millis(500));
        assert_eq!(at.since(At::from_ms(u64::MAX)), Duration::ZERO);
    }
}
