//! One process: a worker with its own way to the broker. It can be killed, and it can stand still.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::sim::Sim;

/// Killed, it is still there as values, and does nothing any more: each of its steps and each of its
/// jobs waits for ever where it is.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) number: usize,
    pub(crate) sim: Arc<Sim>,
    killed: AtomicBool,
    death: Notify,
    stalled: Mutex<Option<Instant>>,
    away: Mutex<Option<Instant>>,
    left: AtomicBool,
}

impl Process {
    pub(crate) fn new(sim: &Arc<Sim>, number: usize) -> Arc<Self> {
        Arc::new(Self {
            number,
            sim: sim.clone(),
            killed: AtomicBool::new(false),
            death: Notify::new(),
            stalled: Mutex::new(None),
            away: Mutex::new(None),
            left: AtomicBool::new(false),
        })
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.killed.load(Ordering::Acquire)
    }

    pub(crate) fn kill(&self) {
        if !self.killed.swap(true, Ordering::AcqRel) {
            self.sim.note(format_args!("p{} is killed", self.number));
            self.sim.with_ledger(|ledger| ledger.figures.kills += 1);
            self.death.notify_waiters();
        }
    }

    /// It ended by itself.
    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Release);
    }

    /// Whether it has not stood still since then.
    pub(crate) fn was_running(&self, since: Instant) -> bool {
        let stalled = self.stalled.lock().unwrap_or_else(PoisonError::into_inner);
        stalled.is_none_or(|until| until <= since)
    }

    pub(crate) fn stall(&self, time: Duration) {
        later(&self.stalled, time);
    }

    pub(crate) fn cut_off(&self, time: Duration) {
        later(&self.away, time);
    }

    pub(crate) fn is_cut_off(&self) -> bool {
        until(&self.away).is_some()
    }

    /// Where a process that stands still waits, and one that was killed stays.
    pub(crate) async fn go(&self) {
        while let Some(until) = until(&self.stalled) {
            tokio::time::sleep_until(until).await;
        }
        if !self.is_alive() {
            std::future::pending::<()>().await;
        }
    }

    /// What it does, until it is killed.
    pub(crate) async fn alive<T>(&self, doing: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            () = self.killed() => {}
            done = doing => return done,
        }
        std::future::pending().await
    }

    async fn killed(&self) {
        loop {
            let death = self.death.notified();
            if !self.is_alive() {
                return;
            }
            death.await;
        }
    }
}

fn later(moment: &Mutex<Option<Instant>>, time: Duration) {
    let mut moment = moment.lock().unwrap_or_else(PoisonError::into_inner);
    *moment = (*moment).max(Some(Instant::now() + time));
}

fn until(moment: &Mutex<Option<Instant>>) -> Option<Instant> {
    let moment = moment.lock().unwrap_or_else(PoisonError::into_inner);
    moment.filter(|until| Instant::now() < *until)
}
