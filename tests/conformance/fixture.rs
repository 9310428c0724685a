//! One broker and one queue, with shorthands that keep a case to what it is about. Envelopes are
//! short names here: a broker looks into none.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::memory::MemoryBroker;
use jobq::broker::redis::{RedisBroker, RedisConfig};
use jobq::broker::{
    Action, Broker, Counts, DeadCaps, Due, Element, Entry, ReleaseTo, Settle, Settled, Settlement,
    TakeDead,
};
use jobq::{JobState, QueueName, WorkerId};

mod made;
mod worker;

pub(crate) use made::{
    bury, bytes, entry, every_action, id, job, marked, numbered, queue, record, release,
    release_to, retry, strs, text,
};
pub(crate) use worker::{Given, Worker, claimed, dead_and_reaper, granted, taken};

/// Longer than any test runs.
pub(crate) const HOURS: Duration = Duration::from_secs(7 * 3600);

/// A broker that nobody else uses.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) queue: QueueName,
}

impl Fixture {
    pub(crate) async fn memory() -> Self {
        Self::new(Arc::new(MemoryBroker::new()))
    }

    pub(crate) async fn redis() -> Self {
        let (url, namespace) = (support::shared().url(), support::namespace());
        let config = RedisConfig::parse(&url, Some(&namespace)).expect("the URL is well-formed");
        let broker = RedisBroker::connect(config, Duration::from_secs(30)).await;
        Self::new(Arc::new(broker.expect("the server answers")))
    }

    fn new(broker: Arc<dyn Broker>) -> Self {
        let queue = queue("mail");
        Self { broker, queue }
    }

    /// The same broker with another queue.
    pub(crate) fn on(&self, name: &str) -> Self {
        let broker = self.broker.clone();
        Self {
            broker,
            queue: queue(name),
        }
    }

    /// A worker that has not joined yet.
    pub(crate) fn worker(&self) -> Worker {
        Worker::new(self)
    }

    /// A member of the queue.
    pub(crate) async fn member(&self) -> Worker {
        let mut worker = self.worker();
        worker.claim(0).await;
        worker
    }

    pub(crate) async fn enqueue(&self, names: &[&str]) {
        self.enqueue_due(names, Due::Now).await;
    }

    pub(crate) async fn enqueue_due(&self, names: &[&str], due: Due) {
        let entries = names.iter().map(|name| entry(name.as_bytes(), due));
        self.enqueue_entries(&entries.collect::<Vec<_>>()).await;
    }

    pub(crate) async fn enqueue_entries(&self, entries: &[Entry]) {
        let done = self.broker.enqueue(&self.queue, entries).await;
        done.expect("enqueue");
    }

    pub(crate) async fn stats(&self) -> Counts {
        self.broker.stats(&self.queue).await.expect("stats")
    }

    pub(crate) async fn page(&self, state: JobState, offset: u64, limit: u32) -> Vec<Element> {
        let page = self.broker.page(&self.queue, state, offset, limit).await;
        page.expect("page")
    }

    /// The names in a state, in its order.
    pub(crate) async fn names(&self, state: JobState) -> Vec<String> {
        let page = self.page(state, 0, 1000).await;
        page.iter().map(|element| text(&element.bytes)).collect()
    }

    pub(crate) async fn ready(&self) -> Vec<String> {
        self.names(JobState::Ready).await
    }

    pub(crate) async fn pause(&self) {
        self.broker.pause(&self.queue).await.expect("pause");
    }

    pub(crate) async fn resume(&self) {
        self.broker.resume(&self.queue).await.expect("resume");
    }

    pub(crate) async fn counter(&self, worker: &WorkerId) -> Option<u64> {
        let members = self.broker.members(&self.queue).await.expect("members");
        let found = members.into_iter().find(|(id, _)| id == worker);
        found.map(|(_, counter)| counter)
    }

    /// All workers that own something, by a whole scan, sorted.
    pub(crate) async fn owners(&self) -> Vec<WorkerId> {
        let mut owners = Vec::new();
        let mut cursor = 0;
        loop {
            let step = self.broker.owners(&self.queue, cursor).await;
            let (next, found) = step.expect("owners");
            owners.extend(found);
            if next == 0 {
                owners.sort();
                owners.dedup();
                return owners;
            }
            cursor = next;
        }
    }

    /// Puts jobs into suspects, in this order.
    pub(crate) async fn suspect(&self, names: &[&str]) {
        let mut worker = self.worker();
        self.enqueue(names).await;
        let grant = worker.claim(1000).await;
        let release = |token| (token, release_to(ReleaseTo::Suspects));
        let settled = worker.settle(grant.tokens().into_iter().map(release)).await;
        assert!(settled.iter().all(|accepted| *accepted));
        assert!(worker.leave().await);
    }

    /// Puts records into the dead list, the last one newest.
    pub(crate) async fn bury(&self, records: &[&[u8]], caps: DeadCaps) -> Settled {
        let mut worker = self.worker();
        let fillers = vec!["dying"; records.len()];
        self.enqueue(&fillers).await;
        let grant = worker.claim(1000).await;
        let burials = grant
            .tokens()
            .into_iter()
            .zip(records)
            .map(|(token, record)| {
                let record = Bytes::copy_from_slice(record);
                let action = Action::Bury { record };
                Settlement { token, action }
            });
        let settle = Settle {
            caps,
            ..worker.settle_request(burials.collect())
        };
        let settled = self.broker.settle(settle).await.expect("settle");
        assert!(settled.accepted.iter().all(|accepted| *accepted));
        settled
    }

    /// Puts records into the dead list as they are by default, the last one newest.
    pub(crate) async fn with_dead(&self, records: &[&str]) {
        let records = records.iter().map(|record| record.as_bytes());
        let records = records.collect::<Vec<_>>();
        self.bury(&records, DeadCaps::default()).await;
    }

    /// Takes records out of the dead list, each with what is to run again, if anything; answers
    /// how many were there.
    pub(crate) async fn take_dead(&self, takes: &[(&str, Option<&str>)], near: u64) -> u64 {
        let takes = takes.iter().map(|(record, requeue)| TakeDead {
            record: bytes(record),
            requeue: requeue.map(job),
        });
        let takes = takes.collect::<Vec<_>>();
        let taken = self.broker.take_dead(&self.queue, &takes, near).await;
        taken.expect("take_dead")
    }
}
