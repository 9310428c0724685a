//! How a worker is told to end, and how far it is: one value that only grows.

use tokio::sync::watch;

/// How far a shutdown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Claiming.
    Running,
    /// No longer claiming; running jobs may end.
    Draining,
    /// Running jobs are aborted and released.
    Aborting,
    /// Everything that could be settled is: components end.
    Stopped,
}

/// Tells every component. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(watch::Sender<Phase>);

impl Shutdown {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Phase::Running))
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    pub(crate) fn is_claiming(&self) -> bool {
        self.phase() == Phase::Running
    }

    /// Goes on to `phase`, unless it is further already.
    pub(crate) fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let further = phase > *now;
            *now = (*now).max(phase);
            further
        });
    }

    /// Waits until `phase` or a later one is reached.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    pub(crate) async fn reached(&self, phase: Phase) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|now| *now >= phase).await;
    }
}
