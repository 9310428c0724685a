//! How jobs are given out.

use super::Store;

/// What a claim gave: its `i`-th job, from 1, under the token `(counter, i)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant<E> {
    /// The number of the claim.
    pub counter: u64,
    /// What was taken.
    pub elements: Vec<E>,
    /// When the next of delayed is due.
    pub next_due: Option<u64>,
    /// The queue is paused.
    pub paused: bool,
    /// How many suspects wait.
    pub suspects: u64,
    /// Some jobs of the queue are cancelled.
    pub cancelled: bool,
}

impl<W, E, I> Store<W, E, I>
where
    W: Ord + Clone,
    E: Ord + Clone + AsRef<[u8]>,
    I: PartialEq + Copy,
{
    /// Takes up to `max` jobs, or one suspect; `None` if the worker was adopted, or is being.
    pub fn claim(&mut self, worker: &W, known: u64, max: usize, suspect: bool) -> Option<Grant<E>> {
        let counter = self.guard(worker, known)?;
        self.members.insert(worker.clone(), counter);
        self.move_due();
        if !suspect {
            let handed = self.handoffs.remove(worker);
            self.put_in_front(handed.unwrap_or_default());
        }
        let (from, max) = match suspect {
            true => (&mut self.suspects, max.min(1)),
            false => (&mut self.ready, max),
        };
        let max = if self.paused { 0 } else { max };
        let elements: Vec<E> = from.drain(..max.min(from.len())).collect();
        self.own(worker, counter, &elements);
        Some(Grant {
            counter,
            elements,
            next_due: self.next_due(),
            paused: self.paused,
            suspects: self.suspects.len() as u64,
            cancelled: !self.cancelled.is_empty(),
        })
    }
}
