//! The steps of a broker, each made a value for the hook and its answer taken out again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jobq::broker::{
    Adopted, Adoption, Broker, Claim, Counts, Element, Entry, Examine, Inspect, JobState, KeyFacts,
    Member, Operate, Order, Owned, Promoted, QueueFacts, Registered, Renewed, Report, Reported,
    Requeue, Role, RoundAnswer, ServerFacts, Settle, TakeDead, Tally, Upkeep, Waiter, Wake,
};
use jobq::{At, BrokerError, JobId, QueueName, Token, WorkerId};
use tokio::sync::Notify;

use super::{Answer, Hooked, Step};

/// The answer of a step, which has to be of this kind.
macro_rules! answer {
    ($answer:expr, $kind:ident) => {
        match $answer {
            Answer::$kind(answer) => answer,
            other => panic!(
                "a hook answered {other:?} where {} is due",
                stringify!($kind)
            ),
        }
    };
}

#[async_trait]
impl Broker for Hooked {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn now(&self) -> At {
        self.inner.now()
    }

    fn is_in_process(&self) -> bool {
        self.inner.is_in_process()
    }

    async fn fork(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        let fork = answer!(self.pass(Step::Fork, None).await, Forked)?;
        Ok(Arc::new(Self::new(fork, self.hook.clone())))
    }

    fn reconnects(&self) -> u64 {
        self.inner.reconnects()
    }

    async fn warnings(&self) -> Result<Vec<String>, BrokerError> {
        self.inner.warnings().await
    }

    async fn check_rights(&self, queue: &QueueName) -> Result<(), BrokerError> {
        self.inner.check_rights(queue).await
    }

    async fn enqueue(&self, queue: &QueueName, entries: &[Entry]) -> Result<(), BrokerError> {
        let (queue, entries) = (queue.clone(), entries.to_vec());
        answer!(
            self.pass(Step::Enqueue { queue, entries }, None).await,
            Enqueued
        )
    }

    async fn round(&self, settles: &[Settle], claim: Option<&Claim>) -> RoundAnswer {
        let (settles, claim) = (settles.to_vec(), claim.cloned());
        answer!(self.pass(Step::Round { settles, claim }, None).await, Round)
    }

    async fn cancelled(&self, queue: &QueueName, ids: &[JobId]) -> Result<Vec<bool>, BrokerError> {
        let (queue, ids) = (queue.clone(), ids.to_vec());
        answer!(
            self.pass(Step::Cancelled { queue, ids }, None).await,
            Cancelled
        )
    }

    async fn renew(&self, member: &Member) -> Result<Renewed, BrokerError> {
        answer!(self.pass(Step::Renew(member.clone()), None).await, Renewed)
    }

    async fn promote(&self, queue: &QueueName, worker: &WorkerId) -> Result<Promoted, BrokerError> {
        let (queue, worker) = (queue.clone(), worker.clone());
        answer!(
            self.pass(Step::Promote { queue, worker }, None).await,
            Promoted
        )
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Adopted, BrokerError> {
        answer!(
            self.pass(Step::Adopt(adoption.clone()), None).await,
            Adopted
        )
    }

    async fn leave(&self, queue: &QueueName, worker: &WorkerId) -> Result<bool, BrokerError> {
        let (queue, worker) = (queue.clone(), worker.clone());
        answer!(self.pass(Step::Leave { queue, worker }, None).await, Left)
    }

    async fn members(&self, queue: &QueueName) -> Result<Vec<(WorkerId, u64)>, BrokerError> {
        let queue = queue.clone();
        answer!(self.pass(Step::Members { queue }, None).await, Members)
    }

    async fn owners(
        &self,
        queue: &QueueName,
        cursor: u64,
    ) -> Result<(u64, Vec<WorkerId>), BrokerError> {
        let queue = queue.clone();
        answer!(
            self.pass(Step::Owners { queue, cursor }, None).await,
            Owners
        )
    }

    async fn held(&self, queue: &QueueName, worker: &WorkerId) -> Result<Vec<Token>, BrokerError> {
        let (queue, worker) = (queue.clone(), worker.clone());
        answer!(self.pass(Step::Held { queue, worker }, None).await, Held)
    }

    fn waiter(&self, queue: &QueueName, worker: &WorkerId) -> Arc<dyn Waiter> {
        Arc::new(HookedWaiter {
            inner: self.inner.waiter(queue, worker),
            broker: self.clone(),
            queue: queue.clone(),
            worker: worker.clone(),
        })
    }

    fn due_signal(&self, queue: &QueueName) -> Arc<Notify> {
        self.inner.due_signal(queue)
    }
}

/// One worker's waiting place on one queue.
#[derive(Debug)]
struct HookedWaiter {
    inner: Arc<dyn Waiter>,
    broker: Hooked,
    queue: QueueName,
    worker: WorkerId,
}

#[async_trait]
impl Waiter for HookedWaiter {
    async fn wait(&self, timeout: Duration) -> Result<Wake, BrokerError> {
        let step = Step::Wait {
            queue: self.queue.clone(),
            worker: self.worker.clone(),
            timeout,
        };
        answer!(
            self.broker.pass(step, Some(self.inner.clone())).await,
            Woken
        )
    }

    async fn interrupt(&self) -> Result<(), BrokerError> {
        let step = Step::Interrupt {
            queue: self.queue.clone(),
            worker: self.worker.clone(),
        };
        answer!(
            self.broker.pass(step, Some(self.inner.clone())).await,
            Interrupted
        )
    }
}

#[async_trait]
impl Examine for Hooked {
    async fn examine(&self) -> Result<Option<ServerFacts>, BrokerError> {
        self.inner.examine().await
    }

    async fn examine_queue(&self, queue: &QueueName) -> Result<Option<QueueFacts>, BrokerError> {
        self.inner.examine_queue(queue).await
    }

    async fn examine_namespace(&self) -> Result<Vec<KeyFacts>, BrokerError> {
        self.inner.examine_namespace().await
    }

    async fn all_owners(
        &self,
        cursor: u64,
    ) -> Result<(u64, Vec<(QueueName, WorkerId)>), BrokerError> {
        self.inner.all_owners(cursor).await
    }

    async fn owned(
        &self,
        queue: &QueueName,
        workers: &[WorkerId],
    ) -> Result<Vec<Owned>, BrokerError> {
        self.inner.owned(queue, workers).await
    }

    async fn missing_rights(
        &self,
        role: Role,
        queue: &QueueName,
    ) -> Result<Vec<String>, BrokerError> {
        self.inner.missing_rights(role, queue).await
    }

    async fn missing_rules(
        &self,
        role: Role,
        queue: &QueueName,
    ) -> Result<Vec<String>, BrokerError> {
        self.inner.missing_rules(role, queue).await
    }

    async fn begin(&self, upkeep: Upkeep) -> Result<bool, BrokerError> {
        self.inner.begin(upkeep).await
    }
}

#[async_trait]
impl Inspect for Hooked {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        self.inner.queues().await
    }

    async fn stats(&self, queue: &QueueName) -> Result<Counts, BrokerError> {
        self.inner.stats(queue).await
    }

    async fn page(
        &self,
        queue: &QueueName,
        state: JobState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        self.inner.page(queue, state, offset, limit).await
    }

    async fn newest_ready(
        &self,
        queue: &QueueName,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Element>, BrokerError> {
        self.inner.newest_ready(queue, offset, limit).await
    }

    async fn pause(&self, queue: &QueueName) -> Result<(), BrokerError> {
        self.inner.pause(queue).await
    }

    async fn resume(&self, queue: &QueueName) -> Result<(), BrokerError> {
        self.inner.resume(queue).await
    }

    async fn cancel(&self, queue: &QueueName, id: JobId) -> Result<(), BrokerError> {
        self.inner.cancel(queue, id).await
    }

    async fn oldest_dead(
        &self,
        queue: &QueueName,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Bytes>, BrokerError> {
        self.inner.oldest_dead(queue, offset, limit).await
    }

    async fn take_dead(
        &self,
        queue: &QueueName,
        takes: &[TakeDead],
        near: u64,
    ) -> Result<u64, BrokerError> {
        self.inner.take_dead(queue, takes, near).await
    }

    async fn purge(&self, queue: &QueueName, state: JobState) -> Result<u64, BrokerError> {
        self.inner.purge(queue, state).await
    }

    async fn find_delayed(
        &self,
        queue: &QueueName,
        id: JobId,
    ) -> Result<Option<Bytes>, BrokerError> {
        self.inner.find_delayed(queue, id).await
    }

    async fn run_now(
        &self,
        queue: &QueueName,
        delayed: &Bytes,
        job: &Requeue,
    ) -> Result<bool, BrokerError> {
        self.inner.run_now(queue, delayed, job).await
    }

    async fn withdraw(
        &self,
        queue: &QueueName,
        state: JobState,
        element: &Bytes,
        place: u64,
    ) -> Result<bool, BrokerError> {
        self.inner.withdraw(queue, state, element, place).await
    }
}

/// No step of a job: nobody hooks into it.
#[async_trait]
impl Operate for Hooked {
    async fn report(&self, report: &Report) -> Result<Reported, BrokerError> {
        self.hook.report(report, &*self.inner).await
    }

    async fn totals(&self, queue: &QueueName) -> Result<Vec<Tally>, BrokerError> {
        self.inner.totals(queue).await
    }

    async fn register(
        &self,
        worker: &WorkerId,
        record: &Bytes,
        kept: Duration,
    ) -> Result<Option<Order>, BrokerError> {
        self.inner.register(worker, record, kept).await
    }

    async fn deregister(&self, worker: &WorkerId) -> Result<(), BrokerError> {
        self.inner.deregister(worker).await
    }

    async fn registered(&self, cursor: u64) -> Result<(u64, Vec<Registered>), BrokerError> {
        self.inner.registered(cursor).await
    }

    async fn order(&self, worker: &WorkerId, order: Order) -> Result<bool, BrokerError> {
        self.inner.order(worker, order).await
    }
}
