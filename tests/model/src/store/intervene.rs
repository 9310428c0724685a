//! What people do to a queue.

use super::{NOW, Store};

/// How long a cancelled id counts at least, in hours.
pub const CANCELLED_FOR: u64 = 7 * 24;

impl<W, E, I> Store<W, E, I>
where
    W: Ord + Clone,
    E: Ord + Clone + AsRef<[u8]>,
    I: PartialEq + Copy,
{
    /// Keeps an id for as long as the last of delayed asks for, and no shorter than those before it
    /// or itself.
    pub fn cancel(&mut self, id: I) {
        let last_due = self.delayed.last().map_or(NOW, |(due, _)| (*due).max(NOW));
        let before = self.cancelled.last().map_or(0, |(counts, _)| *counts);
        let counts = before.max(last_due + CANCELLED_FOR);
        self.forget_cancelled(id);
        self.cancelled.push((counts, id));
    }

    /// Whether an id was cancelled.
    #[must_use]
    pub fn is_cancelled(&self, id: I) -> bool {
        self.cancelled.iter().any(|(_, other)| *other == id)
    }

    fn forget_cancelled(&mut self, id: I) {
        self.cancelled.retain(|(_, other)| *other != id);
    }

    /// Takes out a dead record, searched from the end that `newest_first` says, and puts its job
    /// back where one is given.
    pub fn take_dead(&mut self, record: &E, requeue: Option<(I, E)>, newest_first: bool) -> bool {
        let mut records = self.dead.iter();
        let found = match newest_first {
            true => records.position(|other| other == record),
            false => records.rposition(|other| other == record),
        };
        let Some(place) = found else { return false };
        let record = self.dead.remove(place);
        match requeue {
            Some((id, element)) => {
                self.ready.push(element);
                self.forget_cancelled(id);
            }
            None => self.ended.push(record),
        }
        true
    }

    /// Empties ready and suspects.
    pub fn purge_ready(&mut self) -> u64 {
        let mut purged: Vec<E> = self.ready.drain(..).collect();
        purged.append(&mut self.suspects);
        self.end_all(purged)
    }

    /// Empties the suspects.
    pub fn purge_suspects(&mut self) -> u64 {
        let purged = std::mem::take(&mut self.suspects);
        self.end_all(purged)
    }

    /// Empties delayed.
    pub fn purge_delayed(&mut self) -> u64 {
        let purged = self.delayed.drain(..).map(|(_, element)| element).collect();
        self.end_all(purged)
    }

    /// Empties the dead list.
    pub fn purge_dead(&mut self) -> u64 {
        let purged = std::mem::take(&mut self.dead);
        self.end_all(purged)
    }

    fn end_all(&mut self, mut purged: Vec<E>) -> u64 {
        let count = purged.len() as u64;
        self.ended.append(&mut purged);
        count
    }

    /// Moves an exact element from delayed to the front of ready, rewritten.
    pub fn run_now(&mut self, delayed: &E, id: I, element: E) -> bool {
        let found = self.delayed.iter().position(|(_, other)| other == delayed);
        let Some(place) = found else { return false };
        self.delayed.remove(place);
        self.put_in_front(vec![element]);
        self.forget_cancelled(id);
        true
    }
}
