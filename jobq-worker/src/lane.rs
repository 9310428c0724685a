//! How an idle worker waits on one queue: the side that the fetcher and the shutdown see.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::WorkerId;
use jobq::broker::Waiter;
use tokio::sync::Notify;
use tokio::time::Instant;

/// One queue's waiting place.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    armed: AtomicBool,
    arm: Notify,
    /// A job lies in the handoff that no claim has fetched.
    handed: AtomicBool,
    waiting: Mutex<Option<(WorkerId, Arc<dyn Waiter>)>>,
    ended: Notify,
    closed_until: Mutex<Option<Instant>>,
    /// Whether the queue is paused, and since when that is known.
    paused: Mutex<Option<(bool, Instant)>>,
}

impl Lane {
    /// Asks the waiter to wait, unless it does already.
    pub(crate) fn arm(&self) {
        if !self.armed.swap(true, Ordering::AcqRel) {
            self.arm.notify_one();
        }
    }

    pub(crate) fn disarm(&self) {
        self.armed.store(false, Ordering::Release);
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.armed.load(Ordering::Acquire)
    }

    /// Waits until it is armed. Safe to drop.
    pub(crate) async fn arming(&self) {
        self.arm.notified().await;
    }

    pub(crate) fn set_handed(&self) {
        self.handed.store(true, Ordering::Release);
    }

    pub(crate) fn is_handed(&self) -> bool {
        self.handed.load(Ordering::Acquire)
    }

    pub(crate) fn take_handed(&self) -> bool {
        self.handed.swap(false, Ordering::AcqRel)
    }

    /// Keeps the queue cold for a while: it is paused, or nobody may wait.
    pub(crate) fn close(&self, wait: Duration) {
        *self.closed() = Some(Instant::now() + wait);
    }

    /// When the queue is to be looked at again, if it is closed.
    pub(crate) fn reopens(&self) -> Option<Instant> {
        *self.closed()
    }

    /// Opens the queue if its time has come.
    pub(crate) fn reopen(&self, now: Instant) -> bool {
        self.closed().take_if(|until| *until <= now).is_some()
    }

    /// Notes whether the queue was paused when something was answered that was sent then. Answers
    /// what was known before, if this is news.
    pub(crate) fn note_paused(&self, paused: bool, sent: Instant) -> Option<Option<bool>> {
        let mut known = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        // What was on its way when another answer came may tell of a time before that.
        if known.is_some_and(|(known, since)| known == paused || sent < since) {
            return None;
        }
        let before = known.replace((paused, Instant::now()));
        Some(before.map(|(known, _)| known))
    }

    pub(crate) fn begin(&self, worker: WorkerId, waiter: Arc<dyn Waiter>) {
        *self.waiting() = Some((worker, waiter));
    }

    pub(crate) fn end(&self) {
        *self.waiting() = None;
        self.ended.notify_waiters();
    }

    /// Whether a wait under this id is under way.
    pub(crate) fn waits_for(&self, worker: &WorkerId) -> bool {
        self.waiting()
            .as_ref()
            .is_some_and(|(waiting, _)| waiting == worker)
    }

    /// Ends a wait under way, if there is one, and waits for its end.
    pub(crate) async fn interrupt(&self) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        ended.as_mut().enable();
        let Some((worker, waiter)) = self.waiting().clone() else {
            return;
        };
        if let Err(error) = waiter.interrupt().await {
            // The wait ends by its own timeout, at most half a lease from now.
            tracing::debug!(%worker, %error, "could not interrupt a wait");
        }
        if self.waits_for(&worker) {
            ended.await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<(WorkerId, Arc<dyn Waiter>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
