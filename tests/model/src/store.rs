//! What a queue holds, and what each step does to it: plain lists, no care for speed.
//!
//! `W` names workers, `E` is an element, `I` the id of a job. Times are whole numbers: below
//! [`NOW`] is past and exact, [`NOW`] is now, and `NOW + n` is in `n` hours.

mod adopt;
mod claim;
mod intervene;
mod settle;

use std::collections::BTreeMap;

pub use self::adopt::{Adopted, Adoption};
pub use self::claim::Grant;
pub use self::intervene::CANCELLED_FOR;
pub use self::settle::{Action, DeadCaps, Settled};

/// The present; what is due then or before is due.
pub const NOW: u64 = 1000;

/// The most elements one step promotes.
pub const MAX_PROMOTE: usize = 100;

/// The right to settle one claimed job: the number of the claim, the place in its answer from 1.
pub type Token = (u64, u32);

/// One queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Store<W, E, I> {
    /// Front first.
    pub ready: Vec<E>,
    /// By due time.
    pub delayed: Vec<(u64, E)>,
    /// Front first.
    pub suspects: Vec<E>,
    /// First handed first; no empty ones.
    pub handoffs: BTreeMap<W, Vec<E>>,
    /// What workers own, by token.
    pub in_flight: BTreeMap<(W, Token), E>,
    /// With their counters; 0 is being adopted.
    pub members: BTreeMap<W, u64>,
    /// The highest counter of members that are gone.
    pub gone: u64,
    /// Newest first.
    pub dead: Vec<E>,
    /// Until when they count: the one cancelled longest ago first.
    pub cancelled: Vec<(u64, I)>,
    /// Whether it is paused.
    pub paused: bool,
    /// Who is in office.
    pub timekeeper: Option<W>,
    /// How many elements were put in from outside.
    pub accepted: usize,
    /// Acknowledged, taken out of the dead list, dropped by its caps, purged, or replaced by an
    /// equal one.
    pub ended: Vec<E>,
}

/// The answer to a renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alive {
    /// The worker's counter now.
    pub counter: u64,
    /// How much it has in flight.
    pub in_flight: u64,
    /// How much it was handed.
    pub handoff: u64,
    /// The queue is paused.
    pub paused: bool,
    /// How many suspects wait.
    pub suspects: u64,
}

/// The answer to a promote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Promoted {
    /// The worker is in office.
    pub timekeeper: bool,
    /// How many moved to ready.
    pub moved: u64,
    /// When the next is due.
    pub next_due: Option<u64>,
}

impl<W, E, I> Default for Store<W, E, I> {
    fn default() -> Self {
        Self {
            ready: Vec::new(),
            delayed: Vec::new(),
            suspects: Vec::new(),
            handoffs: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            members: BTreeMap::new(),
            gone: 0,
            dead: Vec::new(),
            cancelled: Vec::new(),
            paused: false,
            timekeeper: None,
            accepted: 0,
            ended: Vec::new(),
        }
    }
}

impl<W, E, I> Store<W, E, I>
where
    W: Ord + Clone,
    E: Ord + Clone + AsRef<[u8]>,
    I: PartialEq + Copy,
{
    /// Each accepted element is in exactly one place, or has ended.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.accepted == self.places().count() + self.ended.len()
    }

    /// Every element that has not ended.
    pub fn places(&self) -> impl Iterator<Item = &E> {
        let delayed = self.delayed.iter().map(|(_, element)| element);
        (self.ready.iter())
            .chain(delayed)
            .chain(&self.suspects)
            .chain(self.handoffs.values().flatten())
            .chain(self.in_flight.values())
            .chain(&self.dead)
    }

    /// Puts elements in: ready, or delayed until a time.
    pub fn enqueue(&mut self, entries: impl IntoIterator<Item = (E, Option<u64>)>) {
        for (element, due) in entries {
            self.accepted += 1;
            match due {
                None => self.ready.push(element),
                Some(due) => self.delay(due, element),
            }
        }
    }

    /// Equal elements stand once, at the time given last. Of two at one time from now the later one
    /// is later; exact times that are equal order by the elements.
    fn delay(&mut self, due: u64, element: E) {
        if let Some(place) = self.delayed.iter().position(|(_, other)| *other == element) {
            self.ended.push(self.delayed.remove(place).1);
        }
        let before = |(other, there): &(u64, E)| match due < NOW {
            true => (*other, there) < (due, &element),
            false => *other <= due,
        };
        let place = self.delayed.partition_point(before);
        self.delayed.insert(place, (due, element));
    }

    /// When the first of delayed is due.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        self.delayed.first().map(|(due, _)| *due)
    }

    fn move_due(&mut self) -> u64 {
        let due = self.delayed.iter().take_while(|(due, _)| *due <= NOW);
        let count = due.take(MAX_PROMOTE).count();
        let due: Vec<E> = self.delayed.drain(..count).map(|(_, e)| e).collect();
        self.put_in_front(due);
        count as u64
    }

    fn put_in_front(&mut self, elements: Vec<E>) {
        self.ready.splice(0..0, elements);
    }

    /// The counter of a member after its next step; `None` if it was adopted, or is being.
    fn guard(&self, worker: &W, known: u64) -> Option<u64> {
        match self.members.get(worker) {
            Some(0) => None,
            Some(stored) => Some(known.max(*stored) + 1),
            None if known > 0 => None,
            None => Some(self.gone + 1),
        }
    }

    fn own(&mut self, worker: &W, counter: u64, elements: &[E]) {
        for (index, element) in (1..).zip(elements) {
            let key = (worker.clone(), (counter, index));
            self.in_flight.insert(key, element.clone());
        }
    }

    /// The tokens that a worker owns.
    #[must_use]
    pub fn held(&self, worker: &W) -> Vec<Token> {
        let own = self.in_flight.keys().filter(|(owner, _)| owner == worker);
        own.map(|(_, token)| *token).collect()
    }

    fn handed(&self, worker: &W) -> usize {
        self.handoffs.get(worker).map_or(0, Vec::len)
    }

    /// Says that the worker lives; `None` if it was adopted, or is being.
    pub fn renew(&mut self, worker: &W, known: u64) -> Option<Alive> {
        let counter = self.guard(worker, known)?;
        self.members.insert(worker.clone(), counter);
        Some(Alive {
            counter,
            in_flight: self.held(worker).len() as u64,
            handoff: self.handed(worker) as u64,
            paused: self.paused,
            suspects: self.suspects.len() as u64,
        })
    }

    /// Takes the office if it is free; in office, moves what is due.
    pub fn promote(&mut self, worker: &W) -> Promoted {
        let timekeeper = self.timekeeper.get_or_insert_with(|| worker.clone()) == worker;
        let moved = if timekeeper { self.move_due() } else { 0 };
        Promoted {
            timekeeper,
            moved,
            next_due: self.next_due(),
        }
    }

    /// Ends a membership; answers whether it did: not as long as the worker owns something.
    pub fn leave(&mut self, worker: &W) -> bool {
        if !self.held(worker).is_empty() || self.handed(worker) > 0 {
            return false;
        }
        let counter = self.members.remove(worker);
        self.gone = self.gone.max(counter.unwrap_or(0));
        self.timekeeper.take_if(|holder| holder == worker);
        true
    }

    /// Hands the first of ready to a waiting worker; `false` if there is none.
    pub fn wait(&mut self, worker: &W) -> bool {
        if self.ready.is_empty() {
            return false;
        }
        let job = self.ready.remove(0);
        self.handoffs.entry(worker.clone()).or_default().push(job);
        true
    }
}
