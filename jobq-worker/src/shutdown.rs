//! How a worker is told to end, and how far it is: one value that only grows.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// How far a shutdown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Claiming.
    Running,
    /// No longer claiming, as somebody ordered; running jobs may end, and nothing else does.
    Quiet,
    /// No longer claiming; running jobs may end.
    Draining,
    /// Running jobs are aborted and released.
    Aborting,
    /// Everything that could be settled is: components end.
    Stopped,
}

/// Tells every component, in the order in which they wait: `tokio::sync::watch` would draw lots,
/// and no run of a worker could be repeated. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(Arc<Progress>);

#[derive(Debug)]
struct Progress {
    phase: Mutex<Phase>,
    advanced: Notify,
}

impl Shutdown {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Progress {
            phase: Mutex::new(Phase::Running),
            advanced: Notify::new(),
        }))
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.0.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_claiming(&self) -> bool {
        self.phase() == Phase::Running
    }

    /// Goes on to `phase`, unless it is further already.
    pub(crate) fn advance(&self, phase: Phase) {
        let mut now = self.0.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let further = phase > *now;
        *now = (*now).max(phase);
        drop(now);
        if further {
            self.0.advanced.notify_waiters();
        }
    }

    /// Waits until `phase` or a later one is reached.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    pub(crate) async fn reached(&self, phase: Phase) {
        loop {
            let advanced = self.0.advanced.notified();
            if self.phase() >= phase {
                return;
            }
            advanced.await;
        }
    }
}
