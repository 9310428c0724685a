//! Looking at a queue without changing it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::queue::Queue;
use crate::broker::{Counts, Element, JobState, MAX_BATCH, MAX_BATCH_BYTES};
use crate::id::{JobId, Token, WorkerId};
use crate::timestamp::At;

/// Everything a queue holds, for tests that compare brokers.
#[doc(hidden)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Front first.
    pub ready: Vec<Bytes>,
    /// By due time.
    pub delayed: Vec<(At, Bytes)>,
    /// Front first.
    pub suspects: Vec<Bytes>,
    /// First handed first; no empty ones.
    pub handoffs: BTreeMap<WorkerId, Vec<Bytes>>,
    /// By token; no empty ones.
    pub in_flight: BTreeMap<WorkerId, BTreeMap<Token, Bytes>>,
    /// With their counters.
    pub members: BTreeMap<WorkerId, u64>,
    /// The highest counter of members that are gone.
    pub gone: u64,
    /// Newest first.
    pub dead: Vec<Bytes>,
    /// Jobs that are not to run, and until when: the one cancelled longest ago first.
    pub cancelled: Vec<(At, JobId)>,
    /// Whether it is paused.
    pub paused: bool,
    /// Who is in office.
    pub timekeeper: Option<WorkerId>,
}

impl Queue {
    pub(super) fn next_due(&self) -> Option<At> {
        self.delayed.first()
    }

    pub(super) fn is_listed(&self) -> bool {
        self.listed
    }

    pub(super) fn due_signal(&self) -> Arc<Notify> {
        self.due_signal.clone()
    }

    pub(super) fn members(&self) -> Vec<(WorkerId, u64)> {
        let members = self.members.iter();
        members
            .map(|(worker, &counter)| (worker.clone(), counter))
            .collect()
    }

    pub(super) fn owners(&self) -> Vec<WorkerId> {
        let owners = self.owned.iter().filter(|(_, owned)| !owned.is_empty());
        owners.map(|(worker, _)| worker.clone()).collect()
    }

    pub(super) fn held(&self, worker: &WorkerId) -> Vec<Token> {
        let owned = self.owned.get(worker);
        owned.map_or_else(Vec::new, |owned| owned.in_flight.keys().copied().collect())
    }

    pub(super) fn which_cancelled(&self, ids: &[JobId], now: At) -> Vec<bool> {
        let cancelled = ids.iter().map(|id| self.cancelled.contains(id, now));
        cancelled.collect()
    }

    pub(super) fn stats(&self) -> Counts {
        let owned = self.owned.values();
        let in_flight = owned.map(|owned| owned.in_flight.len() + owned.handoff.len());
        Counts {
            ready: self.ready.len() as u64,
            delayed: self.delayed.len() as u64,
            in_flight: in_flight.sum::<usize>() as u64,
            suspects: self.suspects.len() as u64,
            dead: self.dead.len() as u64,
            paused: self.paused,
            oldest: self.ready.front().or(self.suspects.front()).cloned(),
            next_due: self.next_due(),
        }
    }

    pub(super) fn page(&self, state: JobState, offset: u64, limit: u32) -> Vec<Element> {
        let elements: Box<dyn Iterator<Item = Element> + '_> = match state {
            JobState::Ready => Box::new(self.ready.iter().map(plain)),
            JobState::Suspect => Box::new(self.suspects.iter().map(plain)),
            JobState::Delayed => Box::new(self.delayed.iter().map(|(due, bytes)| Element {
                due: Some(*due),
                ..plain(bytes)
            })),
            JobState::InFlight => Box::new(self.in_flight()),
            JobState::Dead => Box::new(self.dead.iter().map(plain)),
        };
        window(elements, |element| element.bytes.len(), offset, limit)
    }

    pub(super) fn newest_ready(&self, offset: u64, limit: u32) -> Vec<Element> {
        let ready = self.ready.iter().rev().map(plain);
        window(ready, |element| element.bytes.len(), offset, limit)
    }

    pub(super) fn oldest_dead(&self, offset: u64, limit: u32) -> Vec<Bytes> {
        window(self.dead.iter().rev().cloned(), Bytes::len, offset, limit)
    }

    fn in_flight(&self) -> impl Iterator<Item = Element> {
        self.owned.iter().flat_map(|(worker, owned)| {
            owned.in_flight.values().map(|bytes| Element {
                worker: Some(worker.clone()),
                ..plain(bytes)
            })
        })
    }

    pub(super) fn snapshot(&self, now: At) -> Snapshot {
        let owned = self.owned.iter();
        let handoffs = owned.clone().filter(|(_, owned)| !owned.handoff.is_empty());
        let in_flight = owned.filter(|(_, owned)| !owned.in_flight.is_empty());
        Snapshot {
            ready: self.ready.iter().cloned().collect(),
            delayed: self.delayed.iter().cloned().collect(),
            suspects: self.suspects.iter().cloned().collect(),
            handoffs: handoffs
                .map(|(worker, owned)| (worker.clone(), owned.handoff.iter().cloned().collect()))
                .collect(),
            in_flight: in_flight
                .map(|(worker, owned)| (worker.clone(), owned.in_flight.clone()))
                .collect(),
            members: self.members.clone(),
            gone: self.gone,
            dead: self.dead.iter().cloned().collect(),
            cancelled: self.cancelled.iter().copied().collect(),
            paused: self.paused,
            timekeeper: self.timekeeper(now).cloned(),
        }
    }
}

/// A page: so many at most, and fewer where they are large.
fn window<T>(
    all: impl Iterator<Item = T>,
    size: impl Fn(&T) -> usize,
    offset: u64,
    limit: u32,
) -> Vec<T> {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let page = all.skip(offset).take(limit.min(MAX_BATCH) as usize);
    let mut bytes = 0;
    page.take_while(|element| {
        let fits = bytes < MAX_BATCH_BYTES;
        bytes += size(element);
        fits
    })
    .collect()
}

fn plain(bytes: &Bytes) -> Element {
    Element {
        bytes: bytes.clone(),
        due: None,
        worker: None,
    }
}
