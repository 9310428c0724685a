//! Reports of workers and orders to them.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::fault::Fault;
use super::step::Step;
use super::{RedisBroker, keys, reply, scripts};
use crate::broker::{Broker, Operate, Order, Registered, Report, Reported, Tally};
use crate::error::BrokerError;
use crate::id::{QueueName, WorkerId};

/// Workers that one step of a scan looks at, about: each may tell of a hundred jobs.
const SCAN_STEP: u32 = 50;

#[async_trait]
impl Operate for RedisBroker {
    async fn report(&self, report: &Report) -> Result<Reported, BrokerError> {
        let step = scripts::report(&self.keys(&report.queue), report);
        match reply::one_of(self.ask(step).await?, b"counted", b"reaped")? {
            true => Ok(Reported::Counted),
            false => Ok(Reported::Reaped),
        }
    }

    async fn totals(&self, queue: &QueueName) -> Result<Vec<Tally>, BrokerError> {
        reply::tallies(self.ask(scripts::totals(&self.keys(queue))).await?)
    }

    async fn register(
        &self,
        worker: &WorkerId,
        record: &Bytes,
        kept: Duration,
    ) -> Result<Option<Order>, BrokerError> {
        let steps = scripts::register(self.namespace(), worker, record, kept);
        let mut answers = self.link.call(steps.into()).await;
        let order = answers.pop().transpose()?;
        all(answers)?;
        Ok(order.as_ref().and_then(reply::ordered))
    }

    async fn deregister(&self, worker: &WorkerId) -> Result<(), BrokerError> {
        let steps = scripts::deregister(self.namespace(), worker);
        all(self.link.call(steps.into()).await)
    }

    async fn registered(&self, cursor: u64) -> Result<(u64, Vec<Registered>), BrokerError> {
        let step = Step::command("HSCAN").arg(keys::registry(self.namespace()));
        let step = step.arg(cursor).arg("COUNT").arg(SCAN_STEP);
        let (cursor, found) = reply::scanned(self.ask(step).await?)?;
        let (now, mut found) = (self.now(), found.into_iter());
        let mut workers = Vec::new();
        while let (Some(worker), Some(told)) = (found.next(), found.next()) {
            workers.extend(reply::registered(&worker, told, now));
        }
        Ok((cursor, workers))
    }

    async fn order(&self, worker: &WorkerId, order: Order) -> Result<bool, BrokerError> {
        let step = Step::command("HGET").arg(keys::registry(self.namespace()));
        let told = self.ask(step.arg(worker.as_str())).await?;
        if !reply::seen(&told, self.now()) {
            return Ok(false);
        }
        // One that goes in this moment leaves the order behind, which nobody obeys, until it expires.
        let step = scripts::order(self.namespace(), worker, order);
        self.ask(step).await.map(|_| true)
    }
}

impl RedisBroker {
    fn namespace(&self) -> &str {
        self.link.config().namespace()
    }
}

fn all(answers: Vec<Result<redis::Value, Fault>>) -> Result<(), BrokerError> {
    Ok(answers
        .into_iter()
        .try_for_each(|answer| answer.map(drop))?)
}
