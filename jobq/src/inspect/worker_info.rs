//! A worker as people see it.

use std::time::Duration;

use jiff::Timestamp;

use super::worker_record::{QueueRecord, RunningRecord, WorkerRecord};
use crate::broker::{Registered, Totals};
use crate::id::{JobId, QueueName, WorkerId};
use crate::timestamp::At;

/// A worker, as it told of itself with its last heartbeat. From
/// [`Client::workers`](crate::Client::workers).
///
/// Whoever can write to the store can tell anything here: to be escaped before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// Its id, from its start to its end.
    pub id: WorkerId,
    /// The name of its machine.
    pub host: String,
    /// The id of its process.
    pub pid: u32,
    /// The version of `jobq-worker`.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was last heard of.
    pub last_heartbeat: Timestamp,
    /// For how long it has not been heard of.
    pub silent_for: Duration,
    /// After so long without a word others take its jobs over.
    pub lease: Duration,
    /// Whether it takes jobs.
    pub state: WorkerState,
    /// The queues it serves.
    pub queues: Vec<ServedQueue>,
    /// Jobs it runs at once at the most.
    pub slots: u32,
    /// Slots with a job in them.
    pub slots_used: u32,
    /// Of these, the ones of blocking jobs that go on after their timeout.
    pub slots_leaked: u32,
    /// The jobs that have run for the longest, those first: at most 100.
    pub running: Vec<RunningJob>,
    /// What its jobs came to since its start.
    pub totals: Totals,
}

/// Whether a worker takes jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WorkerState {
    /// It does.
    Working,
    /// It was ordered to take no more, and finishes those it has.
    Quiet,
    /// It shuts down.
    Stopping,
    /// It is of a version that knows more states.
    Unknown,
}

/// A queue that a worker serves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServedQueue {
    /// The queue.
    pub name: QueueName,
    /// Its share of the worker, next to the others.
    pub weight: u32,
    /// The id under which the worker holds jobs of this queue, as
    /// [`JobInfo::worker`](crate::JobInfo::worker) shows it: another one once others took those over.
    pub member: WorkerId,
}

/// A job that a worker runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningJob {
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Its queue.
    pub queue: String,
    /// Since when it has been running.
    pub since: Timestamp,
}

impl WorkerInfo {
    /// `None` for what no worker wrote.
    pub(crate) fn new(registered: &Registered, now: At) -> Option<Self> {
        let record = WorkerRecord::decode(&registered.record)?;
        let [done, failed, retried, dead] = record.totals;
        let spent = Duration::from_millis(record.spent);
        let totals = Totals {
            done,
            failed,
            retried,
            dead,
            spent,
        };
        Some(Self {
            id: registered.worker.clone(),
            host: record.host,
            pid: record.pid,
            version: record.version,
            started_at: At::from_ms(record.started_at).timestamp(),
            last_heartbeat: registered.seen.timestamp(),
            silent_for: now.since(registered.seen),
            lease: Duration::from_millis(record.lease),
            state: WorkerState::named(&record.state),
            queues: record.queues.iter().filter_map(served).collect(),
            slots: record.slots,
            slots_used: record.slots_used,
            slots_leaked: record.slots_leaked,
            running: record.running.into_iter().map(running).collect(),
            totals,
        })
    }

    /// Whether it has not been heard of for its lease: it has died, or cannot reach the store, and
    /// others take its jobs over.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.silent_for > self.lease
    }
}

impl WorkerState {
    fn named(name: &str) -> Self {
        match name {
            "working" => Self::Working,
            "quiet" => Self::Quiet,
            "stopping" => Self::Stopping,
            _ => Self::Unknown,
        }
    }
}

fn served(queue: &QueueRecord) -> Option<ServedQueue> {
    Some(ServedQueue {
        name: queue.name.parse().ok()?,
        weight: queue.weight,
        member: WorkerId::from_stored(&queue.member),
    })
}

fn running(job: RunningRecord) -> RunningJob {
    RunningJob {
        id: JobId::from_bytes(job.id),
        name: job.name,
        queue: job.queue,
        since: At::from_ms(job.since).timestamp(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    fn registered(record: Vec<u8>) -> Registered {
        Registered {
            worker: WorkerId::from_stored("w1"),
            seen: At::from_ms(10_000),
            record: record.into(),
        }
    }

    fn info(record: &WorkerRecord, now: u64) -> WorkerInfo {
        WorkerInfo::new(&registered(record.encode().into()), At::from_ms(now)).unwrap()
    }

    #[test]
    fn a_worker_is_lost_once_it_has_been_silent_for_longer_than_its_lease() {
        let record = WorkerRecord {
            lease: 7000,
            ..WorkerRecord::default()
        };
        for (now, lost) in [(0, false), (10_000, false), (17_000, false), (17_001, true)] {
            assert_eq!(info(&record, now).is_lost(), lost, "{now}");
        }
    }

    #[test]
    fn states_are_read_by_their_names() {
        for (name, state) in [
            ("working", WorkerState::Working),
            ("quiet", WorkerState::Quiet),
            ("stopping", WorkerState::Stopping),
            ("", WorkerState::Unknown),
        ] {
            let record = WorkerRecord {
                state: name.to_owned(),
                ..WorkerRecord::default()
            };
            assert_eq!(info(&record, 0).state, state, "{name:?}");
        }
    }

    /// `{"pid": 7, "later": [1]}`, and the map with nothing in it.
    #[test]
    fn a_record_may_tell_more_or_less_than_is_known() {
        let more = b"\x82\xa3pid\x07\xa5later\x91\x01";
        let read = WorkerInfo::new(&registered(more.to_vec()), At::from_ms(0)).unwrap();
        assert_eq!(read.pid, 7);
        assert!(WorkerInfo::new(&registered(vec![0x80]), At::from_ms(0)).is_some());
        assert!(WorkerInfo::new(&registered(vec![]), At::from_ms(0)).is_none());
    }

    #[test]
    fn a_queue_that_cannot_be_is_left_out() {
        let queues = ["mail", "no spaces"].map(|name| QueueRecord::new(name, 1, "w1"));
        let record = WorkerRecord {
            queues: queues.into(),
            ..WorkerRecord::default()
        };
        let names: Vec<_> = info(&record, 0)
            .queues
            .into_iter()
            .map(|q| q.name)
            .collect();
        assert_eq!(names, [QueueName::new("mail").unwrap()]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_worker_or_none(bytes in vec(any::<u8>(), 0..200)) {
            WorkerInfo::new(&registered(bytes), At::from_ms(0));
        }

        #[test]
        fn a_record_cut_or_changed_anywhere_is_a_worker_or_none(
            at in 0..60_usize, byte: u8, cut: bool,
        ) {
            let record = WorkerRecord {
                host: "h".to_owned(),
                running: vec![RunningRecord::new([1; 16], "a", "mail", 1)],
                queues: vec![QueueRecord::new("mail", 1, "w1")],
                ..WorkerRecord::default()
            };
            let mut bytes = Vec::from(record.encode());
            let at = at * bytes.len() / 60;
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            let info = WorkerInfo::new(&registered(bytes), At::from_ms(0));
            prop_assert!(info.is_none_or(|info| info.running.len() < 100));
        }
    }
}
