//! Looking in: nothing here holds the server for long.

use async_trait::async_trait;
use bytes::Bytes;
use redis::{Cmd, Value};

use super::RedisBroker;
use super::fault::corrupt;
use super::keys::{self, QueueKeys};
use super::reply;
use super::scripts::{self, Step};
use crate::broker::{Broker, Counts, Element, Inspect, JobState, MAX_BATCH, Requeue};
use crate::error::BrokerError;
use crate::id::{JobId, QueueName, Token, WorkerId};

/// Elements that one command reads: a thousand of 1 MiB at once would hold the server for seconds.
const READ_AT_ONCE: u64 = 50;

/// Looks at a queue while workers join it, before what the last to join own is left out.
const LOOKS: u32 = 5;

fn command(name: &str, key: String) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(key);
    command
}

#[async_trait]
impl Inspect for RedisBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        let key = keys::queues(self.link.config().namespace());
        let names = self.ask(Step::plain(command("SMEMBERS", key))).await?;
        let names = reply::list(names, "a set of queues")?;
        // Anyone may add to the set: what is no queue name is no queue.
        let legal = names
            .iter()
            .filter_map(|name| reply::text(name)?.parse().ok());
        let mut queues: Vec<QueueName> = legal.collect();
        queues.sort();
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
        match state {
            JobState::InFlight => self.page_in_flight(queue, &keys, offset, end).await,
            _ => self.page_in_order(&keys, state, offset, end).await,
        }
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

    async fn take_dead(
        &self,
        queue: &QueueName,
        record: &Bytes,
        requeue: Option<&Requeue>,
    ) -> Result<bool, BrokerError> {
        let step = scripts::take_dead(&self.keys(queue), record, requeue);
        reply::one_of(self.ask(step).await?, b"taken", b"absent")
    }
}

impl RedisBroker {
    async fn page_in_order(
        &self,
        keys: &QueueKeys,
        state: JobState,
        offset: u64,
        end: u64,
    ) -> Result<Vec<Element>, BrokerError> {
        let mut page = Vec::new();
        let mut from = offset;
        while from < end {
            let upto = end.min(from.saturating_add(READ_AT_ONCE));
            let some = self
                .ask(Step::plain(range(keys, state, from, upto)))
                .await?;
            let some = elements(state, some)?;
            let last = (some.len() as u64) < upto - from;
            page.extend(some);
            if last {
                break;
            }
            from = upto;
        }
        Ok(page)
    }

    async fn page_in_flight(
        &self,
        queue: &QueueName,
        keys: &QueueKeys,
        offset: u64,
        end: u64,
    ) -> Result<Vec<Element>, BrokerError> {
        let mut workers = self.members(queue).await?;
        workers.sort();
        let mut page = Vec::new();
        let mut before = 0;
        for (worker, _) in workers {
            let mut tokens = self.held(queue, &worker).await?;
            tokens.sort_unstable();
            let wanted = window(before, tokens.len(), offset, end);
            before += tokens.len() as u64;
            for tokens in tokens[wanted].chunks(READ_AT_ONCE as usize) {
                page.extend(self.records(keys, &worker, tokens).await?);
            }
            if before >= end {
                break;
            }
        }
        Ok(page)
    }

    async fn records(
        &self,
        keys: &QueueKeys,
        worker: &WorkerId,
        tokens: &[Token],
    ) -> Result<Vec<Element>, BrokerError> {
        let mut command = command("HMGET", keys.in_flight(worker));
        for token in tokens {
            command.arg(token.to_string());
        }
        let records = reply::list(self.ask(Step::plain(command)).await?, "a list of envelopes")?;
        // One that was settled in the meantime is gone.
        let there = records.into_iter().filter_map(reply::bytes);
        let elements = there.map(|bytes| Element {
            bytes,
            due: None,
            worker: Some(worker.clone()),
        });
        Ok(elements.collect())
    }
}

/// Which of `count` items, the first of which is number `before`, lie in `offset..end`.
fn window(before: u64, count: usize, offset: u64, end: u64) -> std::ops::Range<usize> {
    let within = |number: u64| {
        let place = number.saturating_sub(before);
        usize::try_from(place).unwrap_or(count).min(count)
    };
    within(offset)..within(end)
}

/// Elements `from..upto`, counted from the front.
fn range(keys: &QueueKeys, state: JobState, from: u64, upto: u64) -> Cmd {
    let at = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (from, last) = (at(from), at(upto) - 1);
    match state {
        JobState::Delayed => {
            let mut command = command("ZRANGE", keys.delayed());
            command.arg(from).arg(last).arg("WITHSCORES");
            command
        }
        JobState::Dead => {
            let mut command = command("LRANGE", keys.dead());
            command.arg(from).arg(last);
            command
        }
        JobState::Ready | JobState::InFlight => {
            let mut command = command("LRANGE", keys.ready());
            command.arg(-1 - last).arg(-1 - from);
            command
        }
    }
}

fn elements(state: JobState, value: Value) -> Result<Vec<Element>, BrokerError> {
    if state == JobState::Delayed {
        let pairs = pairs(value)?.into_iter();
        let elements = pairs.filter_map(|(bytes, score)| {
            Some(Element {
                bytes: reply::bytes(bytes)?,
                due: reply::score(&score),
                worker: None,
            })
        });
        return Ok(elements.collect());
    }
    let bytes = reply::list(value, "a list of elements")?.into_iter();
    let elements = bytes.filter_map(|bytes| {
        Some(Element {
            bytes: reply::bytes(bytes)?,
            due: None,
            worker: None,
        })
    });
    let mut elements: Vec<Element> = elements.collect();
    if state == JobState::Ready {
        elements.reverse();
    }
    Ok(elements)
}

/// The answer of ZRANGE WITHSCORES: in RESP3, pairs.
fn pairs(value: Value) -> Result<Vec<(Value, Value)>, BrokerError> {
    let pairs = reply::list(value, "elements with scores")?.into_iter();
    let pairs = pairs.map(|pair| {
        let pair = reply::list(pair, "an element with its score")?;
        let pair = <[Value; 2]>::try_from(pair);
        pair.map(Into::into)
            .map_err(|_| corrupt("an element with its score"))
    });
    pairs.collect()
}
