//! What the handle of a proxy, its listener and its connections share.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::{broadcast, watch};

use crate::figures::Carried;
use crate::rules::{Delay, Direction, Ending, Refusal, Rules, Share};

/// A direction of a connection, which goes by its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane(pub(crate) Direction, pub(crate) u64);

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

    pub(crate) fn delay(&self, Lane(direction, _): Lane) -> Option<Delay> {
        self.state().rules.lane(direction).delay
    }

    pub(crate) fn is_stalled(&self, Lane(direction, connection): Lane) -> bool {
        self.state().rules.is_stalled(direction, connection)
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

    /// Counts a connection, and gives it its number: from 1, as they come.
    pub(crate) fn number(&self) -> u64 {
        let carried = &mut self.state().carried;
        carried.connections += 1;
        carried.connections
    }

    /// Gives out, and counts before anyone can have seen them, what a connection may pass on of
    /// `waiting` bytes that has carried `before`. `None`: nothing before the next change.
    pub(crate) fn share(&self, lane: Lane, waiting: usize, before: u64) -> Option<Share> {
        let Lane(direction, connection) = lane;
        let State { rules, carried } = &mut *self.state();
        if rules.is_stalled(direction, connection) {
            return None;
        }
        let share = rules.lane(direction).share(waiting, before);
        carried.add(direction, share.bytes as u64);
        carried.cuts += u64::from(share.ending.is_some());
        Some(share)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no one panics with this lock")
    }
}
