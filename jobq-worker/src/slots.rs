//! Places for running jobs: how many are free, and whether any is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use tokio::sync::Notify;

/// The slots of one worker.
#[derive(Debug)]
pub(crate) struct Slots {
    total: u32,
    free: AtomicU32,
    /// Slots with a job in them: those promised to a claim under way are neither free nor filled.
    filled: AtomicU32,
    /// Slots that a run keeps though its outcome is settled.
    leaked: AtomicU32,
    /// All slots are free, or the others are leaked.
    changed: Notify,
    /// There may be something to claim: a slot became free.
    work: Arc<Notify>,
}

impl Slots {
    pub(crate) fn new(total: u32, work: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            total,
            free: AtomicU32::new(total),
            filled: AtomicU32::new(0),
            leaked: AtomicU32::new(0),
            changed: Notify::new(),
            work,
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

    /// Reserves up to `max` slots.
    pub(crate) fn reserve(self: &Arc<Self>, max: u32) -> Reservation {
        let mut taken = 0;
        let take = |free: u32| {
            taken = free.min(max);
            Some(free - taken)
        };
        let _ = self
            .free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        // Whoever reserves then asks whether it may claim; whoever forbids that then asks whether
        // all are free. One of the two must see the other.
        fence(Ordering::SeqCst);
        Reservation {
            slots: self.clone(),
            count: taken,
        }
    }

    fn give_back(&self, count: u32) {
        if count == 0 {
            return;
        }
        // Either this sees what was leaked before, or who waits since sees this.
        let free = self.free.fetch_add(count, Ordering::SeqCst) + count;
        if free + self.leaked() >= self.total {
            self.changed.notify_waiters();
        }
    }

    /// Slots that blocking runs keep which were given up.
    pub(crate) fn leaked(&self) -> u32 {
        self.leaked.load(Ordering::SeqCst)
    }

    /// Counts a slot as leaked that a run keeps after its outcome, until that is dropped.
    pub(crate) fn leak(self: &Arc<Self>) -> Leak {
        self.leaked.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_waiters();
        Leak(self.clone())
    }

    /// Waits until no slot is taken.
    pub(crate) async fn all_free(&self) {
        self.until(|| self.taken() == 0).await;
    }

    /// Waits until no slot is taken but those that are leaked.
    pub(crate) async fn all_idle(&self) {
        self.until(|| self.taken() <= self.leaked()).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            fence(Ordering::SeqCst);
            if is_so() {
                return;
            }
            changed.await;
        }
    }
}

/// A slot that is counted as leaked.
#[derive(Debug)]
pub(crate) struct Leak(Arc<Slots>);

impl Drop for Leak {
    fn drop(&mut self) {
        self.0.leaked.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Slots for the jobs that a claim may give. What is not filled is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    slots: Arc<Slots>,
    count: u32,
}

impl Reservation {
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Takes slots for so many jobs out. A broker that gave more than it was asked for fills slots
    /// that are not there, and they are empty again when the jobs have ended.
    pub(crate) fn fill(&mut self, jobs: u32) -> Filled {
        let beyond = jobs.saturating_sub(self.count);
        self.count = self.count.saturating_sub(jobs);
        self.slots.free.fetch_sub(beyond, Ordering::AcqRel);
        self.slots.filled.fetch_add(jobs, Ordering::Relaxed);
        Filled {
            slots: self.slots.clone(),
            count: jobs,
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.slots.give_back(self.count);
    }
}

/// Slots with jobs in them, given back when dropped.
#[derive(Debug)]
pub(crate) struct Filled {
    slots: Arc<Slots>,
    count: u32,
}

impl Filled {
    /// Takes out so many of them, as far as there are.
    pub(crate) fn split(&mut self, count: u32) -> Self {
        let count = count.min(self.count);
        self.count -= count;
        Self {
            slots: self.slots.clone(),
            count,
        }
    }

    /// Adds others of the same worker.
    pub(crate) fn join(&mut self, mut others: Self) {
        self.count += std::mem::take(&mut others.count);
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        self.slots.filled.fetch_sub(self.count, Ordering::Relaxed);
        self.slots.give_back(self.count);
        self.slots.work.notify_one();
    }
}
