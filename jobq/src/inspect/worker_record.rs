//! What a worker tells of itself, as it is stored: a MessagePack map, in which a newer worker may tell
//! more and an older one less.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The most running jobs that a record names.
pub const MAX_RUNNING: usize = 100;

/// What a worker tells of itself with each heartbeat. Times are in ms since the epoch, by the clock of
/// the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct WorkerRecord {
    /// The name of its machine.
    pub host: String,
    /// The id of its process.
    pub pid: u32,
    /// Of `jobq-worker`.
    pub version: String,
    /// When it was started.
    pub started_at: u64,
    /// How long it may be silent before others take its jobs over, in ms.
    pub lease: u64,
    /// `working`, `quiet` or `stopping`.
    pub state: String,
    /// The queues it serves.
    pub queues: Vec<QueueRecord>,
    /// Jobs it runs at once at the most.
    pub slots: u32,
    /// Slots with a job in them.
    pub slots_used: u32,
    /// Of these, the ones of blocking jobs that go on after their timeout.
    pub slots_leaked: u32,
    /// The jobs that have run for the longest, those first: at most [`MAX_RUNNING`].
    pub running: Vec<RunningRecord>,
    /// Since its start: jobs done, runs failed, of these retried, jobs given up.
    pub totals: [u64; 4],
    /// How long all its runs took together, in ms.
    pub spent: u64,
}

/// A queue that a worker serves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct QueueRecord {
    /// Its name.
    pub name: String,
    /// Its share, next to the others.
    pub weight: u32,
    /// The id under which the worker is a member.
    pub member: String,
}

/// A job that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunningRecord {
    /// Its id.
    pub id: [u8; 16],
    /// Its name.
    pub name: String,
    /// Its queue.
    pub queue: String,
    /// Since when it has been running.
    pub since: u64,
}

impl WorkerRecord {
    /// As it is stored.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        // Numbers, texts and lists can all be written, and memory takes them.
        rmp_serde::to_vec_named(self).unwrap_or_default().into()
    }

    /// What was stored; `None` if it is no such record.
    #[must_use]
    pub fn decode(stored: &[u8]) -> Option<Self> {
        rmp_serde::from_slice(stored).ok()
    }
}

impl QueueRecord {
    /// A queue with its weight, and the id under which the worker is a member.
    pub fn new(name: impl Into<String>, weight: u32, member: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            weight,
            member: member.into(),
        }
    }
}

impl RunningRecord {
    /// A job with its queue, and since when it runs.
    pub fn new(
        id: [u8; 16],
        name: impl Into<String>,
        queue: impl Into<String>,
        since: u64,
    ) -> Self {
        Self {
            id,
            name: name.into(),
            queue: queue.into(),
            since,
        }
    }
}
