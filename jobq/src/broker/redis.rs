//! The Redis broker.
//!
//! | file | knows |
//! | --- | --- |
//! | `redis/config.rs` | the URL, and what may stand beside it |
//! | `redis/keys.rs` | how keys are spelled |
//! | `redis/lua/*.lua` | the atomic steps, one file each |
//! | `redis/scripts.rs` | the order of their KEYS and ARGV |
//! | `redis/step.rs` | how a step is sent |
//! | `redis/{reply,value}.rs` | what they answer |
//! | `redis/endpoint.rs` | TCP, TLS, logging in |
//! | `redis/tls.rs` | whom to trust |
//! | `redis/stream.rs` | that an end amid an answer is a loss |
//! | `redis/handshake.rs` | what is said first |
//! | `redis/connection.rs` | staying connected, timeouts, scripts the server has forgotten |
//! | `redis/clock.rs` | the server's time |
//! | `redis/producer.rs` | how many callers' jobs go out together |
//! | `redis/fault.rs` | which error means what |
//! | `redis/rights.rs` | what a user lacked the right to |
//! | `redis/{waiter,signals}.rs` | blocking, and listening for due times |
//! | `redis/inspect.rs` | looking in, and intervening |
//! | `redis/{examine,info}.rs` | what is asked when something is wrong |
//! | `redis/operate.rs` | what workers tell of themselves, and what they are ordered |
//! | `redis/{pages,scans}.rs` | reading what may be long, a bounded part at a time |
//! | `redis/warnings.rs` | what could lose or delay jobs |
//!
//! Delayed is a sorted set, which holds an element once: two delayed jobs of one queue that are
//! equal to the byte become one. Envelopes differ by their ids, so only copies of one envelope
//! can meet this.

mod clock;
mod config;
mod connection;
mod endpoint;
mod examine;
mod fault;
mod handshake;
mod info;
mod inspect;
mod keys;
mod operate;
mod pages;
mod producer;
mod reply;
mod rights;
mod scans;
mod scripts;
mod signals;
mod step;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod value;
mod waiter;
mod warnings;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use redis::Value;
use tokio::runtime::Handle;
use tokio::sync::Notify;

pub use self::config::RedisConfig;
pub(crate) use self::config::{check_ca_file, check_timeout};
use self::connection::Link;
use self::endpoint::Endpoint;
use self::fault::{Fault, corrupt};
use self::keys::QueueKeys;
use self::producer::Producer;
use self::signals::Signals;
use self::step::Step;
use self::waiter::RedisWaiter;
use super::{
    Adopted, Adoption, Broker, Claim, Entry, Examine, Member, Promoted, Renewed, Role, RoundAnswer,
    Settle, Waiter,
};
use crate::error::{BrokerError, ConnectError};
use crate::id::{JobId, QueueName, Token, WorkerId};
use crate::timestamp::At;

/// Keys that one step of a scan looks at, about.
const SCAN_STEP: u32 = 1000;

/// Jobs in a Redis server, 7.0 or newer. Connections are opened again when they are lost.
#[derive(Debug)]
pub struct RedisBroker {
    link: Arc<Link>,
    producer: Arc<Producer>,
    signals: Signals,
}

impl RedisBroker {
    /// Connects. `timeout`, 10 ms to 1 h, bounds this call, and later every other.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], within the timeout; none holds the password.
    pub async fn connect(config: RedisConfig, timeout: Duration) -> Result<Self, ConnectError> {
        check_timeout(timeout)?;
        check_ca_file(config.ca_file(), config.is_tls())?;
        // Without one the first timer would panic.
        if Handle::try_current().is_err() {
            return Err(ConnectError::NoRuntime);
        }
        let endpoint = Arc::new(Endpoint::new(config).await?);
        let link = Link::new(endpoint, Arc::default(), timeout);
        let connected = link.connect().await;
        connected.map_err(|error| error.into_connect_error(link.config()))?;
        Ok(Self::over(link))
    }

    fn over(link: Link) -> Self {
        let link = Arc::new(link);
        Self {
            producer: Arc::new(Producer::new(link.clone())),
            signals: Signals::new(link.endpoint().clone(), link.timeout()),
            link,
        }
    }

    fn keys(&self, queue: &QueueName) -> QueueKeys {
        QueueKeys::new(self.link.config().namespace(), queue)
    }

    async fn ask(&self, step: Step) -> Result<Value, BrokerError> {
        Ok(self.link.call_one(step).await?)
    }
}

#[async_trait]
impl Broker for RedisBroker {
    fn describe(&self) -> String {
        self.link.config().describe()
    }

    fn now(&self) -> At {
        self.link.clock().now()
    }

    fn is_in_process(&self) -> bool {
        false
    }

    async fn fork(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        let link = self.link.another();
        let connected = link.connect().await;
        connected.map_err(|error| Fault::from_open(link.config(), error))?;
        Ok(Arc::new(Self::over(link)))
    }

    fn reconnects(&self) -> u64 {
        self.link.endpoint().reopened.load(Ordering::Relaxed)
    }

    async fn warnings(&self) -> Result<Vec<String>, BrokerError> {
        warnings::look(self).await
    }

    async fn check_rights(&self, queue: &QueueName) -> Result<(), BrokerError> {
        let missing = self.missing_rights(Role::Worker, queue).await?;
        let config = self.link.config();
        if missing.is_empty() {
            return Ok(());
        }
        Err(match rights::is_all_of(config, queue, &missing) {
            true => rights::cannot_touch(config, queue),
            false => rights::cannot_work(config, &missing),
        })
    }

    async fn enqueue(&self, queue: &QueueName, entries: &[Entry]) -> Result<(), BrokerError> {
        Ok(self.producer.enqueue(queue, entries).await?)
    }

    async fn round(&self, settles: &[Settle], claim: Option<&Claim>) -> RoundAnswer {
        let mut steps = Vec::with_capacity(settles.len() + 1);
        let mut places = Vec::with_capacity(settles.len());
        for settle in settles {
            let (step, order) = scripts::settle(&self.keys(&settle.queue), settle);
            steps.push(step);
            places.push(order);
        }
        steps.extend(claim.map(|claim| scripts::claim(&self.keys(&claim.member.queue), claim)));
        let mut answers = self.link.call(steps).await.into_iter();
        let settles = places.iter().zip(&mut answers);
        let settles = settles.map(|(places, answer)| reply::settled(answer?, places));
        RoundAnswer {
            settles: settles.collect(),
            claim: claim
                .and_then(|_| answers.next())
                .map(|answer| reply::claimed(answer?)),
        }
    }

    async fn cancelled(&self, queue: &QueueName, ids: &[JobId]) -> Result<Vec<bool>, BrokerError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let scores = self.ask(scripts::cancelled(&self.keys(queue), ids)).await?;
        reply::cancelled(scores, ids.len(), self.now())
    }

    async fn renew(&self, member: &Member) -> Result<Renewed, BrokerError> {
        let step = scripts::renew(&self.keys(&member.queue), member);
        reply::renewed(self.ask(step).await?)
    }

    async fn promote(&self, queue: &QueueName, worker: &WorkerId) -> Result<Promoted, BrokerError> {
        let step = scripts::promote(&self.keys(queue), worker);
        reply::promoted(self.ask(step).await?)
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Adopted, BrokerError> {
        let step = scripts::adopt(&self.keys(&adoption.member.queue), adoption);
        reply::adopted(self.ask(step).await?)
    }

    async fn leave(&self, queue: &QueueName, worker: &WorkerId) -> Result<bool, BrokerError> {
        let step = scripts::leave(&self.keys(queue), worker);
        reply::one_of(self.ask(step).await?, b"left", b"owner")
    }

    async fn members(&self, queue: &QueueName) -> Result<Vec<(WorkerId, u64)>, BrokerError> {
        let step = Step::command("HGETALL").arg(self.keys(queue).workers());
        match self.ask(step).await? {
            Value::Map(fields) => Ok(fields.into_iter().filter_map(member).collect()),
            _ => Err(corrupt("a map of workers")),
        }
    }

    async fn owners(
        &self,
        queue: &QueueName,
        cursor: u64,
    ) -> Result<(u64, Vec<WorkerId>), BrokerError> {
        let keys = self.keys(queue);
        let step = Step::command("SCAN").arg(cursor);
        let step = step.arg("MATCH").arg(keys.owned_pattern());
        let step = step.arg("COUNT").arg(SCAN_STEP);
        let (cursor, found) = reply::scanned(self.ask(step).await?)?;
        let owners = found.iter().filter_map(|key| keys.owner(value::text(key)?));
        // A worker may own records and a handoff, and SCAN may give a key twice.
        let unique: HashSet<WorkerId> = owners.collect();
        Ok((cursor, unique.into_iter().collect()))
    }

    /// A field that is no token is left out: nothing could settle it. It keeps the worker from
    /// leaving, so that its membership lapses, and adoption takes every field under a new token.
    async fn held(&self, queue: &QueueName, worker: &WorkerId) -> Result<Vec<Token>, BrokerError> {
        let step = Step::command("HKEYS").arg(self.keys(queue).in_flight(worker));
        let fields = value::list(self.ask(step).await?, "a list of tokens")?;
        Ok(reply::tokens(fields.iter()))
    }

    fn waiter(&self, queue: &QueueName, worker: &WorkerId) -> Arc<dyn Waiter> {
        let keys = self.keys(queue);
        let waiter = RedisWaiter::new(&self.link, keys.ready(), keys.handoff(worker));
        Arc::new(waiter)
    }

    fn due_signal(&self, queue: &QueueName) -> Arc<Notify> {
        self.signals.listen(self.keys(queue).due())
    }
}

/// A member and its counter. What is no number counts as 0, as it does in the scripts, so that a
/// damaged registration is adopted.
fn member((worker, counter): (Value, Value)) -> Option<(WorkerId, u64)> {
    let worker = WorkerId::from_stored(value::text(&worker)?);
    Some((worker, value::number(&counter).unwrap_or(0)))
}

#[cfg(test)]
mod tests;
