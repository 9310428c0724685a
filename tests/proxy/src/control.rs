//! What the handle of a proxy, its listener and its connections share.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::{broadcast, watch};

use crate::figures::Carried;
use crate::rules::{Direction, Ending, LaneRules, Refusal, Rules, Share};

/// The orders, who is told of them, and the figures.
#[derive(Debug)]
pub(crate) struct Control {
    state: Mutex<State>,
    /// The number of changes.
    changes: watch::Sender<u64>,
    /// The last change that the listener has followed.
    followed: watch::Sender<u64>,
    ends: broadcast::Sender<Ending>,
}

#[derive(Debug, Default)]
struct State {
    rules: Rules,
    carried: Carried,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changes: watch::Sender::new(0),
            followed: watch::Sender::new(0),
            ends: broadcast::Sender::new(16),
        }
    }
}

impl Control {
    pub(crate) fn change(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.state().rules);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Told of every change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn follow(&self, change: u64) {
        self.followed.send_replace(change);
    }

    /// Waits until the listener has followed all changes so far.
    pub(crate) async fn is_followed(&self) {
        let wanted = *self.changes.borrow();
        let mut followed = self.followed.subscribe();
        let followed = followed.wait_for(|change| *change >= wanted).await;
        followed.expect("the sender is in `self`");
    }

    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.state().rules.refusal
    }

    pub(crate) fn lane(&self, direction: Direction) -> LaneRules {
        self.state().rules.lane(direction).clone()
    }

    pub(crate) fn end_all(&self, ending: Ending) {
        // An error means that no connection is open.
        let _ = self.ends.send(ending);
    }

    /// Told of every [`Control::end_all`] from now on.
    pub(crate) fn ends(&self) -> broadcast::Receiver<Ending> {
        self.ends.subscribe()
    }

    pub(crate) fn carried(&self) -> Carried {
        self.state().carried
    }

    pub(crate) fn note(&self, note: impl FnOnce(&mut Carried)) {
        note(&mut self.state().carried);
    }

    /// [`LaneRules::share`], counted before anyone can have seen the bytes.
    pub(crate) fn share(&self, direction: Direction, waiting: usize, before: u64) -> Option<Share> {
        let State { rules, carried } = &mut *self.state();
        let share = rules.lane(direction).share(waiting, before)?;
        carried.add(direction, share.bytes as u64);
        carried.cuts += u64::from(share.ending.is_some());
        Some(share)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no one panics with this lock")
    }
}
