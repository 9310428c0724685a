//! A broker that only takes: it notes each step and fails the one it is told to.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use super::*;
use crate::broker::{
    Adopted, Adoption, Claim, Counts, Element, Examine, Inspect, JobState, Member, Operate, Order,
    Promoted, Registered, Renewed, Report, Reported, Requeue, RoundAnswer, Settle, TakeDead, Tally,
    Waiter,
};
use crate::id::{Token, WorkerId};

/// What [`Recorder`] is never asked.
const ENQUEUES_ONLY: &str = "a client that enqueues asks for nothing else";

#[derive(Debug, Default)]
pub(super) struct Recorder {
    steps: Mutex<Vec<Vec<Entry>>>,
    failing: Option<(usize, bool)>,
}

impl Recorder {
    /// Fails the step of this number, from 0, with an outcome that is unknown or not.
    pub(super) fn failing(step: usize, unknown: bool) -> Self {
        Self {
            failing: Some((step, unknown)),
            ..Self::default()
        }
    }

    pub(super) fn steps(&self) -> Vec<Vec<Entry>> {
        self.steps.lock().unwrap().clone()
    }
}

#[async_trait]
impl Broker for Recorder {
    fn describe(&self) -> String {
        "recorder".into()
    }

    fn now(&self) -> At {
        At::from_ms(1_700_000_000_000)
    }

    fn is_in_process(&self) -> bool {
        true
    }

    async fn fork(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn warnings(&self) -> Result<Vec<String>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn enqueue(&self, _: &QueueName, entries: &[Entry]) -> Result<(), BrokerError> {
        let mut steps = self.steps.lock().unwrap();
        match self.failing {
            Some((step, unknown)) if step == steps.len() => {
                let error = BrokerError::new(BrokerErrorKind::Timeout, "no answer");
                Err(if unknown {
                    error.with_outcome_unknown()
                } else {
                    error
                })
            }
            _ => {
                steps.push(entries.to_vec());
                Ok(())
            }
        }
    }

    async fn round(&self, _: &[Settle], _: Option<&Claim>) -> RoundAnswer {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn cancelled(&self, _: &QueueName, _: &[JobId]) -> Result<Vec<bool>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn renew(&self, _: &Member) -> Result<Renewed, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn promote(&self, _: &QueueName, _: &WorkerId) -> Result<Promoted, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn adopt(&self, _: &Adoption) -> Result<Adopted, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn leave(&self, _: &QueueName, _: &WorkerId) -> Result<bool, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn members(&self, _: &QueueName) -> Result<Vec<(WorkerId, u64)>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn owners(&self, _: &QueueName, _: u64) -> Result<(u64, Vec<WorkerId>), BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn held(&self, _: &QueueName, _: &WorkerId) -> Result<Vec<Token>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    fn waiter(&self, _: &QueueName, _: &WorkerId) -> Arc<dyn Waiter> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    fn due_signal(&self, _: &QueueName) -> Arc<Notify> {
        unreachable!("{ENQUEUES_ONLY}")
    }
}

impl Examine for Recorder {}

#[async_trait]
impl Inspect for Recorder {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn stats(&self, _: &QueueName) -> Result<Counts, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn page(
        &self,
        _: &QueueName,
        _: JobState,
        _: u64,
        _: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn newest_ready(
        &self,
        _: &QueueName,
        _: u64,
        _: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn pause(&self, _: &QueueName) -> Result<(), BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn resume(&self, _: &QueueName) -> Result<(), BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn cancel(&self, _: &QueueName, _: JobId) -> Result<(), BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn oldest_dead(&self, _: &QueueName, _: u64, _: u32) -> Result<Vec<Bytes>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn take_dead(&self, _: &QueueName, _: &[TakeDead], _: u64) -> Result<u64, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn purge(&self, _: &QueueName, _: JobState) -> Result<u64, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn find_delayed(&self, _: &QueueName, _: JobId) -> Result<Option<Bytes>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn run_now(&self, _: &QueueName, _: &Bytes, _: &Requeue) -> Result<bool, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn withdraw(
        &self,
        _: &QueueName,
        _: JobState,
        _: &Bytes,
        _: u64,
    ) -> Result<bool, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }
}

#[async_trait]
impl Operate for Recorder {
    async fn report(&self, _: &Report) -> Result<Reported, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn totals(&self, _: &QueueName) -> Result<Vec<Tally>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn register(
        &self,
        _: &WorkerId,
        _: &Bytes,
        _: Duration,
    ) -> Result<Option<Order>, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn deregister(&self, _: &WorkerId) -> Result<(), BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn registered(&self, _: u64) -> Result<(u64, Vec<Registered>), BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }

    async fn order(&self, _: &WorkerId, _: Order) -> Result<bool, BrokerError> {
        unreachable!("{ENQUEUES_ONLY}")
    }
}
