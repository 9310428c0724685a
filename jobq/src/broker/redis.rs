//! The Redis broker (stub).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use super::*;
use crate::error::ConnectError;

/// Where a Redis is and how to log in.
pub struct RedisConfig;

impl RedisConfig {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub fn parse(url: &str, namespace: Option<&str>) -> Result<Self, ConnectError> {
        unimplemented!()
    }
}

/// The Redis broker.
#[derive(Debug, Default)]
pub struct RedisBroker;

impl RedisBroker {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect(config: RedisConfig, timeout: Duration) -> Result<Self, ConnectError> {
        unimplemented!()
    }
}

#[async_trait]
impl Broker for RedisBroker {
    fn describe(&self) -> String {
        unimplemented!()
    }
    fn now(&self) -> At {
        unimplemented!()
    }
    fn is_in_process(&self) -> bool {
        unimplemented!()
    }
    async fn fork(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        unimplemented!()
    }
    async fn warnings(&self) -> Result<Vec<String>, BrokerError> {
        unimplemented!()
    }
    async fn enqueue(&self, queue: &QueueName, entries: &[Entry]) -> Result<(), BrokerError> {
        unimplemented!()
    }
    async fn round(&self, settles: &[Settle], claim: Option<&Claim>) -> RoundAnswer {
        unimplemented!()
    }
    async fn renew(&self, member: &Member) -> Result<Renewed, BrokerError> {
        unimplemented!()
    }
    async fn promote(&self, queue: &QueueName, worker: &WorkerId) -> Result<Promoted, BrokerError> {
        unimplemented!()
    }
    async fn adopt(&self, adoption: &Adoption) -> Result<Adopted, BrokerError> {
        unimplemented!()
    }
    async fn leave(&self, queue: &QueueName, worker: &WorkerId) -> Result<bool, BrokerError> {
        unimplemented!()
    }
    async fn members(&self, queue: &QueueName) -> Result<Vec<(WorkerId, u64)>, BrokerError> {
        unimplemented!()
    }
    async fn owners(
        &self,
        queue: &QueueName,
        cursor: u64,
    ) -> Result<(u64, Vec<WorkerId>), BrokerError> {
        unimplemented!()
    }
    async fn held(&self, queue: &QueueName, worker: &WorkerId) -> Result<Vec<Token>, BrokerError> {
        unimplemented!()
    }
    fn waiter(&self, queue: &QueueName, worker: &WorkerId) -> Arc<dyn Waiter> {
        unimplemented!()
    }
    fn due_signal(&self, queue: &QueueName) -> Arc<Notify> {
        unimplemented!()
    }
}

#[async_trait]
impl Inspect for RedisBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        unimplemented!()
    }
    async fn stats(&self, queue: &QueueName) -> Result<Counts, BrokerError> {
        unimplemented!()
    }
    async fn page(
        &self,
        queue: &QueueName,
        state: JobState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        unimplemented!()
    }
    async fn pause(&self, queue: &QueueName) -> Result<(), BrokerError> {
        unimplemented!()
    }
    async fn resume(&self, queue: &QueueName) -> Result<(), BrokerError> {
        unimplemented!()
    }
    async fn take_dead(
        &self,
        queue: &QueueName,
        record: &Bytes,
        requeue: Option<&Bytes>,
    ) -> Result<bool, BrokerError> {
        unimplemented!()
    }
}
