//! Looking in, and intervening: nothing here holds the server for long.

use async_trait::async_trait;
use bytes::Bytes;

use super::RedisBroker;
use super::pages::Order;
use super::reply;
use super::scripts;
use super::value;
use crate::broker::{Broker, Counts, Element, Inspect, JobState, MAX_BATCH, Requeue, TakeDead};
use crate::error::BrokerError;
use crate::id::{JobId, QueueName, WorkerId};

/// Looks at a queue while workers join it, before what the last to join own is left out.
const LOOKS: u32 = 5;

#[async_trait]
impl Inspect for RedisBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        let names = self.all_queues().await?;
        // Anyone may add to the set: what is no queue name is no queue.
        let legal = names
            .iter()
            .filter_map(|name| value::text(name)?.parse().ok());
        let mut queues: Vec<QueueName> = legal.collect();
        queues.sort();
        // A scan may give a name twice.
        queues.dedup();
        Ok(queues)
    }

    async fn stats(&self, queue: &QueueName) -> Result<Counts, BrokerError> {
        let keys = self.keys(queue);
        let mut looks = 1;
        loop {
            let members = self.members(queue).await?.into_iter();
            let known: Vec<WorkerId> = members.map(|(worker, _)| worker).collect();
            let step = scripts::count(&keys, &known);
            let (counts, members) = reply::counted(self.ask(step).await?)?;
            // What a worker owns that joined in between is not counted: look again.
            if looks == LOOKS || members.iter().all(|member| known.contains(member)) {
                return Ok(counts);
            }
            looks += 1;
        }
    }

    /// A page is read in several steps and is no snapshot.
    async fn page(
        &self,
        queue: &QueueName,
        state: JobState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        let keys = self.keys(queue);
        let end = offset.saturating_add(limit.min(MAX_BATCH).into());
        let order = match state {
            JobState::Ready => Order::FromRight(keys.ready()),
            JobState::Suspect => Order::FromRight(keys.suspects()),
            JobState::Delayed => Order::ByScore(keys.delayed()),
            JobState::Dead => Order::FromLeft(keys.dead()),
            JobState::InFlight => return self.page_in_flight(queue, offset, end).await,
        };
        self.page_in_order(&order, offset, end).await
    }

    async fn newest_ready(
        &self,
        queue: &QueueName,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        let end = offset.saturating_add(limit.min(MAX_BATCH).into());
        let order = Order::FromLeft(self.keys(queue).ready());
        self.page_in_order(&order, offset, end).await
    }

    async fn pause(&self, queue: &QueueName) -> Result<(), BrokerError> {
        self.ask(scripts::pause(&self.keys(queue))).await.map(drop)
    }

    async fn resume(&self, queue: &QueueName) -> Result<(), BrokerError> {
        self.ask(scripts::resume(&self.keys(queue))).await.map(drop)
    }

    async fn cancel(&self, queue: &QueueName, id: JobId) -> Result<(), BrokerError> {
        let step = scripts::cancel(&self.keys(queue), id);
        self.ask(step).await.map(drop)
    }

    async fn oldest_dead(
        &self,
        queue: &QueueName,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Bytes>, BrokerError> {
        let end = offset.saturating_add(limit.min(MAX_BATCH).into());
        let order = Order::FromRight(self.keys(queue).dead());
        let elements = self.page_in_order(&order, offset, end).await?;
        Ok(elements.into_iter().map(|element| element.bytes).collect())
    }

    async fn take_dead(
        &self,
        queue: &QueueName,
        takes: &[TakeDead],
        near: u64,
    ) -> Result<u64, BrokerError> {
        let step = scripts::take_dead(&self.keys(queue), takes, near);
        reply::how_many(self.ask(step).await?, b"taken")
    }

    async fn purge(&self, queue: &QueueName, state: JobState) -> Result<u64, BrokerError> {
        match scripts::purge(&self.keys(queue), state) {
            Some(step) => reply::how_many(self.ask(step).await?, b"purged"),
            None => Ok(0),
        }
    }

    async fn find_delayed(
        &self,
        queue: &QueueName,
        id: JobId,
    ) -> Result<Option<Bytes>, BrokerError> {
        self.search_delayed(&self.keys(queue), id).await
    }

    async fn run_now(
        &self,
        queue: &QueueName,
        delayed: &Bytes,
        job: &Requeue,
    ) -> Result<bool, BrokerError> {
        let step = scripts::run_now(&self.keys(queue), delayed, job);
        reply::one_of(self.ask(step).await?, b"moved", b"absent")
    }

    async fn withdraw(
        &self,
        queue: &QueueName,
        state: JobState,
        element: &Bytes,
        place: u64,
    ) -> Result<bool, BrokerError> {
        match scripts::withdraw(&self.keys(queue), state, element, place) {
            Some(step) => reply::one_of(self.ask(step).await?, b"taken", b"absent"),
            None => Ok(false),
        }
    }
}
