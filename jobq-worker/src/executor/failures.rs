//! How often failed attempts are told of at the level of warnings: once in a while for each job
//! name, with the number of those in between, so that neither one failure is invisible nor a
//! thousand a second flood the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// For how long after a warning a name gets no other.
const QUIET: Duration = Duration::from_secs(10);

/// The warnings that were given. Names are those of registered jobs: as many as there are.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<&'static str, Warned>>);

#[derive(Debug)]
struct Warned {
    at: Instant,
    not_logged: u64,
}

impl Failures {
    /// Notes a failed attempt. If it is to be warned about, answers how many were not since the
    /// last that was.
    pub(super) fn note(&self, name: &'static str, now: Instant) -> Option<u64> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(warned) = failures.get_mut(name) else {
            failures.insert(
                name,
                Warned {
                    at: now,
                    not_logged: 0,
                },
            );
            return Some(0);
        };
        if now < warned.at + QUIET {
            warned.not_logged += 1;
            return None;
        }
        warned.at = now;
        Some(std::mem::take(&mut warned.not_logged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_warned_about_every_ten_seconds_with_what_came_in_between() {
        let (failures, start) = (Failures::default(), Instant::now());
        let note = |name, seconds| failures.note(name, start + Duration::from_secs(seconds));
        assert_eq!(note("a", 0), Some(0));
        assert_eq!(note("a", 1), None);
        assert_eq!(note("b", 1), Some(0));
        assert_eq!(note("a", 9), None);
        assert_eq!(note("a", 10), Some(2));
        assert_eq!(note("a", 19), None);
        assert_eq!(note("a", 60), Some(1));
        assert_eq!(note("b", 60), Some(0));
    }
}
