//! What people and tools change in a queue.

use bytes::Bytes;

use super::queue::Queue;
use crate::broker::{JobState, Requeue, TakeDead};
use crate::envelope::Envelope;
use crate::id::JobId;
use crate::timestamp::At;

impl Queue {
    pub(super) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    pub(super) fn cancel(&mut self, id: JobId, now: At) {
        self.cancelled.add(id, now, self.delayed.last());
    }

    pub(super) fn take_dead(&mut self, takes: &[TakeDead], near: u64) -> u64 {
        let from_newest = near < self.dead.len() as u64 / 2;
        let mut taken = 0;
        for TakeDead { record, requeue } in takes {
            if self.dead.take(record, from_newest) {
                taken += 1;
                if let Some(Requeue { id, envelope }) = requeue {
                    self.ready.push_back(envelope.clone());
                    self.cancelled.remove(id);
                }
            }
        }
        taken
    }

    pub(super) fn purge(&mut self, state: JobState) -> u64 {
        let removed = match state {
            JobState::Ready => {
                let suspects = std::mem::take(&mut self.suspects);
                std::mem::take(&mut self.ready).len() + suspects.len()
            }
            JobState::Suspect => std::mem::take(&mut self.suspects).len(),
            JobState::Delayed => std::mem::take(&mut self.delayed).len(),
            JobState::InFlight => 0,
            JobState::Dead => std::mem::take(&mut self.dead).len(),
        };
        removed as u64
    }

    pub(super) fn find_delayed(&self, id: JobId) -> Option<Bytes> {
        let mark = Envelope::id_mark(id);
        let mut elements = self.delayed.iter().map(|(_, bytes)| bytes);
        elements
            .find(|bytes| bytes.get(1..=mark.len()) == Some(&mark))
            .cloned()
    }

    pub(super) fn run_now(&mut self, delayed: &Bytes, job: &Requeue) -> bool {
        let found = self.delayed.remove(delayed);
        if found {
            self.ready.push_front(job.envelope.clone());
            self.cancelled.remove(&job.id);
        }
        found
    }

    pub(super) fn withdraw(&mut self, state: JobState, element: &Bytes, place: u64) -> bool {
        let list = match state {
            JobState::Delayed => return self.delayed.remove(element),
            JobState::Ready => &mut self.ready,
            JobState::Suspect => &mut self.suspects,
            JobState::InFlight | JobState::Dead => return false,
        };
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let found = list.get(place) == Some(element);
        if found {
            list.remove(place);
        }
        found
    }
}
