//! What becomes of claimed jobs.

use super::{Store, Token};

/// What becomes of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action<E> {
    /// Gone.
    Ack,
    /// To delayed, rewritten.
    Retry {
        /// When it is due.
        due: u64,
        /// The rewritten element.
        element: E,
    },
    /// To the dead list.
    Bury {
        /// The record.
        record: E,
    },
    /// To the front of ready, or the back of suspects.
    Release {
        /// Among the suspects.
        suspect: bool,
        /// The rewritten element; `None` keeps it.
        element: Option<E>,
    },
}

/// What lies beyond these in the dead list is dropped, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeadCaps {
    /// Records kept.
    pub count: u64,
    /// Bytes kept.
    pub bytes: u64,
}

/// The answer to a batch of outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Settled {
    /// For each whether it was accepted.
    pub accepted: Vec<bool>,
    /// Dead records that the caps dropped.
    pub dropped: u64,
    /// The worker is no member, or is being adopted.
    pub reaped: bool,
}

impl<W, E, I> Store<W, E, I>
where
    W: Ord + Clone,
    E: Ord + Clone + AsRef<[u8]>,
    I: PartialEq + Copy,
{
    /// Settles those of the batch whose tokens the worker owns.
    pub fn settle(
        &mut self,
        worker: &W,
        batch: impl IntoIterator<Item = (Token, Action<E>)>,
        caps: DeadCaps,
    ) -> Settled {
        let mut settled = Settled {
            reaped: self.members.get(worker).is_none_or(|counter| *counter == 0),
            ..Settled::default()
        };
        let (mut front, mut buried) = (Vec::new(), false);
        for (token, action) in batch {
            let stored = self.in_flight.remove(&(worker.clone(), token));
            settled.accepted.push(stored.is_some());
            let Some(stored) = stored else { continue };
            match action {
                Action::Ack => self.ended.push(stored),
                Action::Retry { due, element } => self.delay(due, element),
                Action::Bury { record } => {
                    buried = true;
                    self.dead.insert(0, record);
                }
                Action::Release { suspect, element } => {
                    let element = element.unwrap_or(stored);
                    match suspect {
                        false => front.push(element),
                        true => self.suspects.push(element),
                    }
                }
            }
        }
        self.put_in_front(front);
        while buried && self.is_over(caps) {
            self.ended.extend(self.dead.pop());
            settled.dropped += 1;
        }
        settled
    }

    fn is_over(&self, caps: DeadCaps) -> bool {
        let bytes: usize = self.dead.iter().map(|record| record.as_ref().len()).sum();
        self.dead.len() as u64 > caps.count || bytes as u64 > caps.bytes
    }
}
