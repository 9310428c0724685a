//! The figures of a queue as people see them.

use std::time::Duration;

use jiff::Timestamp;

use crate::broker::{Counts, Totals};
use crate::envelope::Envelope;
use crate::timestamp::At;

/// The figures of one queue at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// Jobs waiting for a free slot, suspects of crashes among them.
    pub ready: u64,
    /// Of these, the ones with two crashes: they are run alone, one after the other.
    pub suspects: u64,
    /// Jobs waiting for their time or their retry.
    pub delayed: u64,
    /// Jobs that workers hold: claimed, or handed to one that was just woken.
    pub in_flight: u64,
    /// Jobs given up.
    pub dead: u64,
    /// Whether the queue is paused.
    pub paused: bool,
    /// How long the job at the front of ready could have been running: since it was enqueued, or
    /// due; that at the front of the suspects where nothing else is ready. `None` if there is none,
    /// or if it is no envelope.
    pub oldest_ready_age: Option<Duration>,
    /// When the first delayed job is due.
    pub next_due: Option<Timestamp>,
    /// What its jobs have come to in all, as far as workers have reported: see
    /// [`Queue::totals`](crate::Queue::totals).
    pub totals: Totals,
}

impl QueueStats {
    pub(super) fn new(counts: &Counts, totals: Totals, now: At) -> Self {
        let oldest = counts.oldest.clone();
        let oldest = oldest.and_then(|bytes| Envelope::decode(bytes).ok());
        Self {
            ready: counts.ready + counts.suspects,
            suspects: counts.suspects,
            delayed: counts.delayed,
            in_flight: counts.in_flight,
            dead: counts.dead,
            paused: counts.paused,
            oldest_ready_age: oldest.map(|envelope| now.since(waits_since(&envelope))),
            next_due: counts.next_due.map(At::timestamp),
            totals,
        }
    }
}

/// Since when a job in ready could have been running.
fn waits_since(envelope: &Envelope) -> At {
    let due = envelope.options().ok().and_then(|options| options.due);
    due.map_or(envelope.enqueued_at(), |due| {
        due.max(envelope.enqueued_at())
    })
}
