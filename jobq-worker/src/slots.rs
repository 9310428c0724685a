//! Places for running jobs: how many are free, and whether any is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

/// The slots of one worker.
#[derive(Debug)]
pub(crate) struct Slots {
    total: u32,
    free: AtomicU32,
    /// Slots with a job in them: those promised to a claim under way are neither free nor filled.
    filled: AtomicU32,
    /// Someone may want to know: a slot became free, or all are.
    changed: Notify,
}

impl Slots {
    pub(crate) fn new(total: u32) -> Arc<Self> {
        Arc::new(Self {
            total,
            free: AtomicU32::new(total),
            filled: AtomicU32::new(0),
            changed: Notify::new(),
        })
    }

    pub(crate) fn free(&self) -> u32 {
        self.free.load(Ordering::Acquire)
    }

    /// Slots taken: jobs that run, and those a claim under way was promised.
    pub(crate) fn taken(&self) -> u32 {
        self.total - self.free()
    }

    /// Slots with a job in them.
    pub(crate) fn filled(&self) -> u32 {
        self.filled.load(Ordering::Relaxed)
    }

    /// Takes up to `max` slots; answers how many.
    pub(crate) fn reserve(&self, max: u32) -> u32 {
        let mut taken = 0;
        let take = |free: u32| {
            taken = free.min(max);
            Some(free - taken)
        };
        let _ = self
            .free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        taken
    }

    /// Gives slots back.
    pub(crate) fn give_back(&self, count: u32) {
        if count > 0 && self.free.fetch_add(count, Ordering::AcqRel) + count == self.total {
            self.changed.notify_waiters();
        }
    }

    /// Waits until no slot is taken.
    pub(crate) async fn all_free(&self) {
        loop {
            let changed = self.changed.notified();
            if self.taken() == 0 {
                return;
            }
            changed.await;
        }
    }
}

/// One reserved slot, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Slots>);

impl Slot {
    /// Takes charge of a slot that was reserved.
    pub(crate) fn reserved(slots: &Arc<Slots>) -> Self {
        slots.filled.fetch_add(1, Ordering::Relaxed);
        Self(slots.clone())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.filled.fetch_sub(1, Ordering::Relaxed);
        self.0.give_back(1);
    }
}
