//! Moves what is due to ready, on time.
//!
//! One tick: ask for the office of the queue's timekeeper; whoever has it moves what is due and
//! waits for the next due time, on a timer of its own; it listens for a due time that becomes the
//! first, and looks once a second too. The others ask again once a second.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jobq::BrokerError;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::component::Component;
use crate::shared::Shared;

/// How often every worker looks.
const LOOK: Duration = Duration::from_secs(1);

/// The loop of one queue.
#[derive(Debug)]
pub(crate) struct Timekeeper {
    shared: Arc<Shared>,
    index: usize,
    due: Arc<Notify>,
}

impl Timekeeper {
    pub(crate) fn new(shared: &Arc<Shared>, index: usize) -> Self {
        let due = shared.broker().due_signal(&shared.memberships[index].queue);
        Self {
            shared: shared.clone(),
            index,
            due,
        }
    }
}

impl Component for Timekeeper {
    const NAME: &'static str = "timekeeper";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        let membership = &self.shared.memberships[self.index];
        // Who is about to leave runs no suspects, and its last jobs may take long.
        let leaves = !self.shared.shutdown.is_claiming();
        if leaves || membership.has_resigned(Instant::now()) {
            membership.timekeeper.store(false, Ordering::Relaxed);
            return Ok(LOOK);
        }
        let worker = membership.worker();
        let promoted = self
            .shared
            .broker()
            .promote(&membership.queue, &worker)
            .await?;
        membership
            .timekeeper
            .store(promoted.timekeeper, Ordering::Relaxed);
        let next = promoted.next_due.filter(|_| promoted.timekeeper);
        Ok(next.map_or(LOOK, |due| due.min(LOOK)))
    }

    async fn wake(&mut self) {
        self.due.notified().await;
    }
}
