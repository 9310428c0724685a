//! What workers tell of themselves and of their work, and what they are ordered.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryBroker;
use super::queue::Queue;
use crate::broker::{
    Broker, MAX_NAMES, ORDER_KEPT, OTHER_JOBS, Operate, Order, Registered, Report, Reported, Tally,
    Totals,
};
use crate::error::BrokerError;
use crate::id::{QueueName, WorkerId};
use crate::timestamp::At;

/// What is known of workers, whatever their queues.
#[derive(Debug, Default)]
pub(super) struct Registry {
    /// With until when it is kept.
    workers: HashMap<WorkerId, (At, Registered)>,
    orders: HashMap<WorkerId, (At, Order)>,
}

impl Registry {
    fn forget_silent(&mut self, now: At) {
        self.workers.retain(|_, (until, _)| now <= *until);
        self.orders.retain(|_, (until, _)| now < *until);
    }
}

impl Queue {
    fn report(&mut self, report: &Report) -> Reported {
        if self.members.get(&report.worker).copied().unwrap_or(0) == 0 {
            return Reported::Reaped;
        }
        let last = self.reports.entry(report.worker.clone()).or_default();
        if report.number > *last {
            *last = report.number;
            report.tallies.iter().for_each(|tally| self.add(tally));
        }
        Reported::Counted
    }

    fn add(&mut self, tally: &Tally) {
        let apart = self.totals.len() - usize::from(self.totals.contains_key(OTHER_JOBS));
        let full = apart >= MAX_NAMES && !self.totals.contains_key(&tally.name);
        let name = if full { OTHER_JOBS } else { &tally.name };
        let ms = u64::try_from(tally.totals.spent.as_millis()).unwrap_or(u64::MAX);
        let added = Totals {
            spent: Duration::from_millis(ms),
            ..tally.totals
        };
        let sum = self.totals.entry(name.to_owned()).or_default();
        *sum = sum.plus(added);
    }
}

impl MemoryBroker {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        let registry = &self.0.registry;
        registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Operate for MemoryBroker {
    async fn report(&self, report: &Report) -> Result<Reported, BrokerError> {
        Ok(self.step(&report.queue, |queue, _| queue.report(report)))
    }

    async fn totals(&self, queue: &QueueName) -> Result<Vec<Tally>, BrokerError> {
        let tallies = |queue: &mut Queue, _| {
            let totals = queue.totals.iter();
            totals
                .map(|(name, &totals)| Tally::new(name, totals))
                .collect()
        };
        Ok(self.step(queue, tallies))
    }

    async fn register(
        &self,
        worker: &WorkerId,
        record: &Bytes,
        kept: Duration,
    ) -> Result<Option<Order>, BrokerError> {
        let (mut registry, now) = (self.registry(), self.now());
        let registered = Registered {
            worker: worker.clone(),
            seen: now,
            record: record.clone(),
        };
        let until = now.after(kept);
        registry.workers.insert(worker.clone(), (until, registered));
        registry.forget_silent(now);
        Ok(registry.orders.get(worker).map(|(_, order)| *order))
    }

    async fn deregister(&self, worker: &WorkerId) -> Result<(), BrokerError> {
        let mut registry = self.registry();
        registry.workers.remove(worker);
        registry.orders.remove(worker);
        Ok(())
    }

    async fn registered(&self, _cursor: u64) -> Result<(u64, Vec<Registered>), BrokerError> {
        let (mut registry, now) = (self.registry(), self.now());
        registry.forget_silent(now);
        let workers = registry.workers.values();
        Ok((
            0,
            workers.map(|(_, registered)| registered.clone()).collect(),
        ))
    }

    async fn order(&self, worker: &WorkerId, order: Order) -> Result<bool, BrokerError> {
        let (mut registry, now) = (self.registry(), self.now());
        registry.forget_silent(now);
        if !registry.workers.contains_key(worker) {
            return Ok(false);
        }
        let stops = matches!(registry.orders.get(worker), Some((_, Order::Stop)));
        if order == Order::Stop || !stops {
            let until = now.after(ORDER_KEPT);
            registry.orders.insert(worker.clone(), (until, order));
        }
        Ok(true)
    }
}
