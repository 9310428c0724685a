//! A broker under test: asked what the model is asked, and looked into afterwards.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jobq::broker::memory::MemoryBroker;
use jobq::broker::redis::{RedisBroker, RedisConfig};
use jobq::broker::{Broker, Settle, Waiter};
use jobq::{At, BrokerError, QueueName, Token, WorkerId};
use redis::aio::MultiplexedConnection;

use super::request::{Answer, Request};
use super::state::{self, State};

pub(crate) struct Subject {
    pub(crate) name: &'static str,
    broker: Arc<dyn Broker>,
    queue: QueueName,
    waiters: HashMap<WorkerId, Arc<dyn Waiter>>,
    store: Store,
    start: At,
}

/// How to look into it.
enum Store {
    Memory(MemoryBroker),
    Redis {
        connection: MultiplexedConnection,
        prefix: String,
    },
}

/// A server for all sequences, each of which has a queue of its own.
pub(crate) struct Redis {
    broker: Arc<dyn Broker>,
    connection: MultiplexedConnection,
    namespace: String,
    queues: AtomicU64,
}

impl Redis {
    pub(crate) async fn connect() -> Self {
        let (url, namespace) = (crate::shared().url(), crate::namespace());
        let config = RedisConfig::parse(&url, Some(&namespace)).expect("the URL is well-formed");
        let broker = RedisBroker::connect(config, Duration::from_secs(30)).await;
        let broker: Arc<dyn Broker> = Arc::new(broker.expect("the server answers"));
        let connection = crate::beside(&url).await;
        // What the server does not know yet would be settled after the claim of its round.
        let known = settle_of_nobody();
        broker.settle(known).await.expect("the server answers");
        Self {
            broker,
            connection: connection.expect("the server answers"),
            namespace,
            queues: AtomicU64::new(0),
        }
    }

    pub(crate) fn new_queue(&self) -> Subject {
        let number = self.queues.fetch_add(1, Ordering::Relaxed);
        let queue = format!("queue{number}");
        let store = Store::Redis {
            connection: self.connection.clone(),
            prefix: format!("{}:{{{queue}}}:", self.namespace),
        };
        Subject::new("redis", self.broker.clone(), &queue, store)
    }
}

/// A settlement on a queue that no sequence has, of a job that nobody holds.
fn settle_of_nobody() -> Settle {
    let queue = QueueName::new("nobody").expect("the name is legal");
    let token = Token { claim: 1, index: 1 };
    Settle::release(queue, WorkerId::from_stored("nobody"), &[token])
}

impl Subject {
    pub(crate) fn memory() -> Self {
        let broker = MemoryBroker::new();
        Self::new(
            "memory",
            Arc::new(broker.clone()),
            "queue",
            Store::Memory(broker),
        )
    }

    fn new(name: &'static str, broker: Arc<dyn Broker>, queue: &str, store: Store) -> Self {
        Self {
            name,
            start: broker.now(),
            broker,
            queue: QueueName::new(queue).expect("the name is legal"),
            waiters: HashMap::new(),
            store,
        }
    }

    /// Waits until times that are taken from now on are later than all before.
    pub(crate) async fn next_tick(&self) {
        let before = self.broker.now();
        // Two of this clock's milliseconds are one whole of the server's at least.
        while self.broker.now() < before.after(Duration::from_millis(2)) {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }

    pub(crate) async fn state(&mut self) -> State {
        match &mut self.store {
            Store::Memory(broker) => state::of_memory(broker.snapshot(&self.queue), self.start),
            Store::Redis { connection, prefix } => {
                let state = state::of_redis(connection, prefix, self.start).await;
                state.expect("the keys can be read")
            }
        }
    }

    pub(crate) async fn ask(&mut self, request: &Request) -> Answer {
        let answer = self.try_ask(request).await;
        answer.expect("the broker answers").coarse()
    }

    async fn try_ask(&mut self, request: &Request) -> Result<Answer, BrokerError> {
        let (broker, queue) = (&self.broker, &self.queue);
        Ok(match self.here(request.clone()) {
            Request::Enqueue(entries) => {
                broker.enqueue(queue, &entries).await?;
                Answer::Done
            }
            Request::Round(settles, claim) => {
                let round = broker.round(&settles, claim.as_ref()).await;
                let settles = round.settles.into_iter().collect::<Result<_, _>>()?;
                Answer::Round(settles, round.claim.transpose()?)
            }
            Request::Renew(member) => Answer::Renewed(broker.renew(&member).await?),
            Request::Promote(worker) => Answer::Promoted(broker.promote(queue, &worker).await?),
            Request::Adopt(adoption) => Answer::Adopted(broker.adopt(&adoption).await?),
            Request::Leave(worker) => Answer::Left(broker.leave(queue, &worker).await?),
            Request::Pause(true) => {
                broker.pause(queue).await?;
                Answer::Done
            }
            Request::Pause(false) => {
                broker.resume(queue).await?;
                Answer::Done
            }
            Request::TakeDead(takes, near) => {
                Answer::Taken(broker.take_dead(queue, &takes, near).await?)
            }
            Request::Purge(state) => Answer::Taken(broker.purge(queue, state).await?),
            Request::RunNow(delayed, job) => {
                Answer::Moved(broker.run_now(queue, &delayed, &job).await?)
            }
            Request::Cancel(id) => {
                broker.cancel(queue, id).await?;
                Answer::Done
            }
            Request::WhichCancelled(ids) => Answer::Cancelled(broker.cancelled(queue, &ids).await?),
            Request::Wait(worker) => {
                let new = || broker.waiter(queue, &worker);
                let waiter = self.waiters.entry(worker.clone()).or_insert_with(new);
                Answer::Woken(waiter.wait(crate::DEADLINE).await?)
            }
        })
    }

    /// Requests name no queue of their own: each subject has its own.
    fn here(&self, mut request: Request) -> Request {
        match &mut request {
            Request::Round(settles, claim) => {
                let settles = settles.iter_mut().map(|settle| &mut settle.queue);
                let claim = claim.iter_mut().map(|claim| &mut claim.member.queue);
                settles
                    .chain(claim)
                    .for_each(|name| *name = self.queue.clone());
            }
            Request::Renew(member) => member.queue = self.queue.clone(),
            Request::Adopt(adoption) => adoption.member.queue = self.queue.clone(),
            _ => {}
        }
        request
    }
}
