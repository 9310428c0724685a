//! The request to end a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A request to end a run, seen by every clone.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<CancellationFlag>);

#[derive(Debug, Default)]
struct CancellationFlag {
    set: AtomicBool,
    waiters: Notify,
}

impl Cancellation {
    /// Asks the run to end.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::Release);
        self.0.waiters.notify_waiters();
    }

    /// Whether it was asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::Acquire)
    }

    /// Waits until it is asked.
    pub async fn cancelled(&self) {
        loop {
            let notified = self.0.waiters.notified();
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
