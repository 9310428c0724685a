//! The server's clock as far as it is known without asking: set at each connect, carried on by
//! this process' monotonic clock, so that a step of the wall clock here changes nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::timestamp::At;

#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    /// The server's time at `started`, in ms.
    offset: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            offset: AtomicU64::new(0),
        }
    }
}

impl Clock {
    pub(super) fn set(&self, server: At) {
        let offset = server.as_ms().saturating_sub(self.elapsed_ms());
        self.offset.store(offset, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> At {
        let offset = self.offset.load(Ordering::Relaxed);
        At::from_ms(offset.saturating_add(self.elapsed_ms()))
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
