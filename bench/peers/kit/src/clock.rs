//! The clock that producers and workers share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in µs since the Unix epoch.
pub(crate) fn now_us() -> u64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970");
    u64::try_from(since_epoch.as_micros()).expect("64 bits of µs reach for 580,000 years")
}

/// A time given in µs since the Unix epoch.
pub(crate) fn time_of(us: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(us)
}
