//! The request to end runs: one, or all of a worker on a queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A request to end runs, seen by every clone.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<CancellationFlag>);

/// A request to end one run.
#[derive(Debug, Default)]
pub(super) struct CancellationFlag {
    set: AtomicBool,
    waiters: Notify,
}

impl Cancellation {
    /// Asks the runs to end.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether they were asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until they are asked.
    pub async fn cancelled(&self) {
        self.0.cancelled().await;
    }
}

impl CancellationFlag {
    pub(super) fn cancel(&self) {
        self.set.store(true, Ordering::Release);
        self.waiters.notify_waiters();
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    pub(super) async fn cancelled(&self) {
        loop {
            let notified = self.waiters.notified();
            if self.is_cancelled() {
                return;
            }
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cancellation_is_seen_by_every_clone_before_and_after() {
        let cancellation = Cancellation::default();
        let waiting = tokio::spawn({
            let cancellation = cancellation.clone();
            async move { cancellation.cancelled().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished() && !cancellation.is_cancelled());
        cancellation.cancel();
        waiting.await.unwrap();
        cancellation.clone().cancelled().await;
        assert!(cancellation.is_cancelled());
    }
}
