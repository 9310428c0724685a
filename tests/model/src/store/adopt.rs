//! How the jobs of a dead worker are taken over.

use super::{Store, Token};

/// A request to take over what a worker owned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Adoption<W> {
    /// The highest counter the adopter was answered.
    pub known: u64,
    /// Whose jobs.
    pub target: W,
    /// Its counter as it was seen; `None` if it is no member.
    pub seen: Option<u64>,
    /// At most so many of what is in flight.
    pub max: usize,
}

/// The answer to an adoption.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Adopted<E> {
    /// The adopter itself was adopted.
    Reaped,
    /// The target's counter is another than the one seen.
    Alive,
    /// Taken, under tokens of the adopter.
    Taken {
        /// The number of the adoption.
        counter: u64,
        /// What was taken.
        elements: Vec<E>,
        /// The target owns more.
        more: bool,
    },
}

impl<W, E, I> Store<W, E, I>
where
    W: Ord + Clone,
    E: Ord + Clone + AsRef<[u8]>,
    I: PartialEq + Copy,
{
    /// Takes over what the target has in flight, by its tokens; its handoff goes back.
    pub fn adopt(&mut self, worker: &W, adoption: &Adoption<W>) -> Adopted<E> {
        let Adoption {
            known,
            target,
            seen,
            max,
        } = adoption;
        let Some(counter) = self.guard(worker, *known) else {
            return Adopted::Reaped;
        };
        let stored = self.members.get(target).copied();
        if worker == target || (stored != *seen && stored != Some(0)) {
            return Adopted::Alive;
        }
        self.members.insert(worker.clone(), counter);
        self.gone = self.gone.max(stored.unwrap_or(0));
        let mut left: Vec<Token> = self.held(target);
        let mut elements = Vec::new();
        while elements.len() < *max && !left.is_empty() {
            let key = (target.clone(), left.remove(0));
            elements.extend(self.in_flight.remove(&key));
        }
        let handed = self.handoffs.remove(target).unwrap_or_default();
        self.put_in_front(handed);
        let more = !left.is_empty();
        match more {
            true => self.members.insert(target.clone(), 0),
            false => self.members.remove(target),
        };
        self.own(worker, counter, &elements);
        Adopted::Taken {
            counter,
            elements,
            more,
        }
    }
}
