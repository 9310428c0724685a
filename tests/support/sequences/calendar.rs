//! Time, coarse enough to be equal everywhere. The steps use three kinds: the first seconds of the
//! epoch, exact; now; and whole hours from now. A run takes far less than half an hour.

use std::time::Duration;

use jobq::At;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Times before it are exact.
pub(crate) const PAST: u64 = jobq_model::store::NOW;

/// `PAST` for now, `PAST + n` for in n hours; `start` is when the run began.
pub(crate) fn coarse(due: At, start: At) -> At {
    match due.as_ms() {
        ms if ms < PAST => due,
        _ => from_now(due.since(start)),
    }
}

pub(crate) fn from_now(delay: Duration) -> At {
    At::from_ms(PAST + hours(delay))
}

/// How long until a coarse time, coarsely.
pub(crate) fn until(due: At) -> Duration {
    HOUR * u32::try_from(due.as_ms().saturating_sub(PAST)).expect("steps use a few hours")
}

pub(crate) fn rounded(delay: Duration) -> Duration {
    HOUR * u32::try_from(hours(delay)).expect("steps use a few hours")
}

fn hours(delay: Duration) -> u64 {
    (delay + HOUR / 2).as_secs() / HOUR.as_secs()
}
