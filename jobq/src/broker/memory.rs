//! The in-process broker: `memory://`. The same steps as on Redis, with no server; time is
//! tokio's, so a test that pauses it runs hours of delays in milliseconds.
//!
//! One lock guards everything and is held for one step at a time, never across an `await`. The
//! steps themselves are those of `Queue`, which knows neither the lock nor the clock.

mod batch;
mod by_time;
mod cancelled;
mod dead;
mod intervene;
mod look;
mod membership;
mod operate;
mod queue;
mod waiter;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use self::look::Snapshot;
use self::operate::Registry;
use self::queue::Queue;
use self::waiter::MemoryWaiter;
use super::{
    Adopted, Adoption, Broker, Claim, Counts, Element, Entry, Examine, Inspect, JobState, Member,
    Promoted, Renewed, Requeue, RoundAnswer, Settle, TakeDead, Waiter,
};
use crate::error::BrokerError;
use crate::id::{JobId, QueueName, Token, WorkerId};
use crate::timestamp::At;

/// A broker inside this process. Clones share its queues, which end with the last of them.
#[derive(Clone, Default)]
pub struct MemoryBroker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queues: Mutex<HashMap<QueueName, Queue>>,
    registry: Mutex<Registry>,
    /// The time of day at one instant of tokio's clock, taken at first use.
    base: OnceLock<(Instant, At)>,
}

impl MemoryBroker {
    /// An empty one. Needs no runtime.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything a queue holds, for tests that compare brokers.
    #[doc(hidden)]
    #[must_use]
    pub fn snapshot(&self, queue: &QueueName) -> Snapshot {
        self.step(queue, |queue, now| queue.snapshot(now))
    }

    /// One atomic step. What it put into ready wakes waiters once it is whole, as on Redis.
    fn step<T>(&self, name: &QueueName, change: impl FnOnce(&mut Queue, At) -> T) -> T {
        let mut queues = self.lock();
        let queue = queues.entry(name.clone()).or_default();
        let now = self.now();
        let before = queue.next_due();
        let answer = change(queue, now);
        queue.wake_waiters();
        queue.signal_earlier_due(before);
        answer
    }

    /// A panic under the lock leaves every queue in a legal state, so its poison is ignored.
    fn lock(&self) -> MutexGuard<'_, HashMap<QueueName, Queue>> {
        let queues = &self.0.queues;
        queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBroker").finish_non_exhaustive()
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn describe(&self) -> String {
        "memory://".to_owned()
    }

    fn now(&self) -> At {
        let instant = Instant::now();
        let (base, at) = *self
            .0
            .base
            .get_or_init(|| (instant, At::from(SystemTime::now())));
        at.after(instant.saturating_duration_since(base))
    }

    fn is_in_process(&self) -> bool {
        true
    }

    async fn fork(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        Ok(Arc::new(self.clone()))
    }

    async fn warnings(&self) -> Result<Vec<String>, BrokerError> {
        Ok(Vec::new())
    }

    async fn enqueue(&self, queue: &QueueName, entries: &[Entry]) -> Result<(), BrokerError> {
        self.step(queue, |queue, now| queue.enqueue(entries, now));
        Ok(())
    }

    async fn round(&self, settles: &[Settle], claim: Option<&Claim>) -> RoundAnswer {
        let settle =
            |settle: &Settle| self.step(&settle.queue, |queue, now| queue.settle(settle, now));
        let take =
            |claim: &Claim| self.step(&claim.member.queue, |queue, now| queue.claim(claim, now));
        RoundAnswer {
            settles: settles.iter().map(settle).map(Ok).collect(),
            claim: claim.map(take).map(Ok),
        }
    }

    async fn cancelled(&self, queue: &QueueName, ids: &[JobId]) -> Result<Vec<bool>, BrokerError> {
        Ok(self.step(queue, |queue, now| queue.which_cancelled(ids, now)))
    }

    async fn renew(&self, member: &Member) -> Result<Renewed, BrokerError> {
        Ok(self.step(&member.queue, |queue, _| queue.renew(member)))
    }

    async fn promote(&self, queue: &QueueName, worker: &WorkerId) -> Result<Promoted, BrokerError> {
        Ok(self.step(queue, |queue, now| queue.promote(worker, now)))
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Adopted, BrokerError> {
        Ok(self.step(&adoption.member.queue, |queue, _| queue.adopt(adoption)))
    }

    async fn leave(&self, queue: &QueueName, worker: &WorkerId) -> Result<bool, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.leave(worker)))
    }

    async fn members(&self, queue: &QueueName) -> Result<Vec<(WorkerId, u64)>, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.members()))
    }

    async fn owners(
        &self,
        queue: &QueueName,
        _cursor: u64,
    ) -> Result<(u64, Vec<WorkerId>), BrokerError> {
        Ok((0, self.step(queue, |queue, _| queue.owners())))
    }

    async fn held(&self, queue: &QueueName, worker: &WorkerId) -> Result<Vec<Token>, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.held(worker)))
    }

    fn waiter(&self, queue: &QueueName, worker: &WorkerId) -> Arc<dyn Waiter> {
        Arc::new(MemoryWaiter::new(self.clone(), queue, worker))
    }

    fn due_signal(&self, queue: &QueueName) -> Arc<Notify> {
        self.step(queue, |queue, _| queue.due_signal())
    }
}

/// Nothing to say.
impl Examine for MemoryBroker {}

#[async_trait]
impl Inspect for MemoryBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        let queues = self.lock();
        let known = queues.iter().filter(|(_, queue)| queue.is_listed());
        let mut names = known.map(|(name, _)| name.clone()).collect::<Vec<_>>();
        names.sort();
        Ok(names)
    }

    async fn stats(&self, queue: &QueueName) -> Result<Counts, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.stats()))
    }

    async fn page(
        &self,
        queue: &QueueName,
        state: JobState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.page(state, offset, limit)))
    }

    async fn newest_ready(
        &self,
        queue: &QueueName,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.newest_ready(offset, limit)))
    }

    async fn pause(&self, queue: &QueueName) -> Result<(), BrokerError> {
        self.step(queue, |queue, _| queue.set_paused(true));
        Ok(())
    }

    async fn resume(&self, queue: &QueueName) -> Result<(), BrokerError> {
        self.step(queue, |queue, _| queue.set_paused(false));
        Ok(())
    }

    async fn cancel(&self, queue: &QueueName, id: JobId) -> Result<(), BrokerError> {
        self.step(queue, |queue, now| queue.cancel(id, now));
        Ok(())
    }

    async fn oldest_dead(
        &self,
        queue: &QueueName,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Bytes>, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.oldest_dead(offset, limit)))
    }

    async fn take_dead(
        &self,
        queue: &QueueName,
        takes: &[TakeDead],
        near: u64,
    ) -> Result<u64, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.take_dead(takes, near)))
    }

    async fn purge(&self, queue: &QueueName, state: JobState) -> Result<u64, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.purge(state)))
    }

    async fn find_delayed(
        &self,
        queue: &QueueName,
        id: JobId,
    ) -> Result<Option<Bytes>, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.find_delayed(id)))
    }

    async fn run_now(
        &self,
        queue: &QueueName,
        delayed: &Bytes,
        job: &Requeue,
    ) -> Result<bool, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.run_now(delayed, job)))
    }

    async fn withdraw(
        &self,
        queue: &QueueName,
        state: JobState,
        element: &Bytes,
        place: u64,
    ) -> Result<bool, BrokerError> {
        Ok(self.step(queue, |queue, _| queue.withdraw(state, element, place)))
    }
}

#[cfg(test)]
mod tests;
