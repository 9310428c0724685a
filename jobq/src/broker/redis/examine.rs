//! What is asked when something is wrong: of the server, and of how queues lie in it. Managed
//! servers refuse some of it, and so do the rights of most users: that is not known then, or an error
//! that names the right where the rest tells nothing without it.

mod answers;
mod told;

use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use redis::Value;

use self::answers::{read_settings, read_slow_calls};
use self::told::{of_its_type, told, told_if_allowed};
use super::fault::{Fault, corrupt};
use super::info::{Info, SECTIONS};
use super::keys::{self, QueueKeys};
use super::step::Step;
use super::value;
use super::{RedisBroker, SCAN_STEP, member, reply, rights};
use crate::broker::{ClockFacts, Examine, KeyFacts, Owned, QueueFacts, Role, ServerFacts, Upkeep};
use crate::error::BrokerError;
use crate::id::{QueueName, WorkerId};
use crate::timestamp::At;

/// How often the clock is asked: the fastest answer tells it best.
const CLOCK_ASKED: u32 = 5;

/// Slow calls that are looked at, the newest first.
const SLOW_CALLS: &str = "100";

/// What the server is asked of its configuration, by name: never for all of it, in which its
/// passwords stand.
const SETTINGS: [&str; 7] = [
    "appendfsync",
    "save",
    "timeout",
    "tcp-keepalive",
    "list-max-listpack-size",
    "list-compress-depth",
    "min-replicas-to-write",
];

#[async_trait]
impl Examine for RedisBroker {
    async fn examine(&self) -> Result<Option<ServerFacts>, BrokerError> {
        let (now, round_trip, clock) = self.ask_clock().await?;
        let info = Step::command("INFO").arg(&SECTIONS);
        let [info] = self.ask_each(vec![info], told).await?;
        let settings = self.ask_if_allowed(&[&["CONFIG", "GET"], &SETTINGS]);
        let settings = settings.await?;
        let slow = self.ask_if_allowed(&[&["SLOWLOG", "GET", SLOW_CALLS]]);
        let slow = slow.await?;
        let info = info.as_ref().and_then(value::text).unwrap_or_default();
        Ok(Some(ServerFacts {
            user: self.link.config().user().to_owned(),
            has_password: self.link.config().has_password(),
            round_trip,
            clock,
            settings: settings.map(read_settings),
            slow: slow.map(|slow| read_slow_calls(slow, now)),
            ..Info::new(info).facts(now)
        }))
    }

    async fn examine_queue(&self, queue: &QueueName) -> Result<Option<QueueFacts>, BrokerError> {
        let keys = self.keys(queue);
        let Some(found) = self.examine_keys(keys.fixed()).await? else {
            return Ok(None);
        };
        let paused = Step::command("HEXISTS").arg(keys.meta()).arg("paused");
        let [paused] = self.ask_each(vec![paused], told_if_allowed).await?;
        let paused = paused.as_ref().and_then(value::number);
        Ok(Some(QueueFacts {
            keys: found,
            paused: paused == Some(1),
            members: self.known_members(&keys).await?,
        }))
    }

    async fn examine_namespace(&self) -> Result<Vec<KeyFacts>, BrokerError> {
        let keys = keys::of_namespace(self.link.config().namespace());
        Ok(self.examine_keys(keys).await?.unwrap_or_default())
    }

    async fn all_owners(
        &self,
        cursor: u64,
    ) -> Result<(u64, Vec<(QueueName, WorkerId)>), BrokerError> {
        let namespace = self.link.config().namespace();
        let step = Step::command("SCAN").arg(cursor);
        let step = step.arg("MATCH").arg(keys::owned_pattern(namespace));
        let (next, found) = reply::scanned(self.ask(step.arg("COUNT").arg(SCAN_STEP)).await?)?;
        let owners = found
            .iter()
            .filter_map(|key| keys::owner(namespace, value::text(key)?));
        Ok((next, owners.collect()))
    }

    async fn owned(
        &self,
        queue: &QueueName,
        workers: &[WorkerId],
    ) -> Result<Vec<Owned>, BrokerError> {
        let keys = self.keys(queue);
        let mut owned = Vec::with_capacity(workers.len());
        for worker in workers {
            let (in_flight, handoff) = (keys.in_flight(worker), keys.handoff(worker));
            let steps = vec![
                Step::command("HLEN").arg(&in_flight),
                Step::command("LLEN").arg(&handoff),
            ];
            let lengths: [_; 2] = self.ask_each(steps, of_its_type).await?;
            let mut damaged = Vec::new();
            for (key, expected, length) in [
                (in_flight, "hash", &lengths[0]),
                (handoff, "list", &lengths[1]),
            ] {
                if length.is_none() {
                    damaged.push(self.examine_damaged(key, expected).await?);
                }
            }
            let [in_flight, handed] = lengths.map(|length| value::number(&length?));
            owned.push(Owned {
                worker: worker.clone(),
                in_flight,
                handed,
                damaged,
            });
        }
        Ok(owned)
    }

    async fn missing_rights(
        &self,
        role: Role,
        queue: &QueueName,
    ) -> Result<Vec<String>, BrokerError> {
        rights::missing(&self.link, role, queue).await
    }

    async fn missing_rules(
        &self,
        role: Role,
        queue: &QueueName,
    ) -> Result<Vec<String>, BrokerError> {
        rights::missing_rules(&self.link, role, queue).await
    }

    async fn begin(&self, upkeep: Upkeep) -> Result<bool, BrokerError> {
        let step = match upkeep {
            // If a rewrite is under way, once that has ended.
            Upkeep::Save => Step::command("BGSAVE").arg("SCHEDULE"),
            Upkeep::Rewrite => Step::command("BGREWRITEAOF"),
        };
        match self.link.call_one(step).await {
            Err(fault) if fault.is_in_progress() => Ok(false),
            answer => Ok(answer.map(|_| true)?),
        }
    }
}

impl RedisBroker {
    /// What the server answers to each, as it is read.
    async fn ask_each<const N: usize>(
        &self,
        steps: Vec<Step>,
        read: fn(Result<Value, Fault>) -> Result<Option<Value>, BrokerError>,
    ) -> Result<[Option<Value>; N], BrokerError> {
        let answers = self.link.call(steps).await.into_iter().map(read);
        let answers: Vec<_> = answers.collect::<Result<_, _>>()?;
        <[_; N]>::try_from(answers).map_err(|_| corrupt("an answer to each question"))
    }

    /// The same for a command that few users may run: who may not does not even try, for the server
    /// would log that.
    async fn ask_if_allowed(&self, words: &[&[&str]]) -> Result<Option<Value>, BrokerError> {
        let words: Vec<String> = words.concat().into_iter().map(str::to_owned).collect();
        let step = Step::command(&words[0]).arg(&words[1..]);
        match rights::may(&self.link, words).await? {
            true => {
                let [answer] = self.ask_each(vec![step], told).await?;
                Ok(answer)
            }
            false => Ok(None),
        }
    }

    /// The server's time, how long the fastest of some questions took, and what that one says of
    /// its clock.
    async fn ask_clock(&self) -> Result<(At, Duration, ClockFacts), BrokerError> {
        let mut best = None;
        for _ in 0..CLOCK_ASKED {
            let (here, asked) = (At::from(SystemTime::now()), Instant::now());
            let answer = self.ask(Step::command("TIME")).await?;
            let took = asked.elapsed();
            let server = value::time(&answer).ok_or_else(|| corrupt("a time"))?;
            if best.is_none_or(|(_, fastest, _)| took < fastest) {
                best = Some((server, took, compared(here, took, server)));
            }
        }
        best.ok_or_else(|| corrupt("a time"))
    }

    /// Of these keys, with their types, those that there are; `None` where a server says nothing of
    /// types.
    async fn examine_keys<const N: usize>(
        &self,
        keys: [(String, &'static str); N],
    ) -> Result<Option<Vec<KeyFacts>>, BrokerError> {
        let types = keys.iter().map(|(key, _)| Step::command("TYPE").arg(key));
        let types: [_; N] = self.ask_each(types.collect(), told_if_allowed).await?;
        let mut there = Vec::new();
        for ((key, expected), found) in keys.into_iter().zip(types) {
            let Some(found) = found.as_ref().and_then(value::text) else {
                return Ok(None);
            };
            if found != "none" {
                there.push(self.examine_key(key, expected, found).await?);
            }
        }
        Ok(Some(there))
    }

    async fn examine_key(
        &self,
        key: String,
        expected: &'static str,
        found: &str,
    ) -> Result<KeyFacts, BrokerError> {
        let length = match found {
            "list" => Some("LLEN"),
            "hash" => Some("HLEN"),
            "zset" => Some("ZCARD"),
            _ => None,
        };
        let length = length.filter(|_| found == expected);
        let mut steps = vec![
            Step::command("MEMORY").arg("USAGE").arg(&key),
            Step::command("OBJECT").arg("ENCODING").arg(&key),
        ];
        steps.extend(length.map(|length| Step::command(length).arg(&key)));
        let mut answers = self.link.call(steps).await.into_iter();
        let mut next = || {
            answers
                .next()
                .ok_or_else(|| corrupt("an answer to each question"))
        };
        let (bytes, encoding) = (told(next()?)?, told(next()?)?);
        let length = match length {
            Some(_) => told_if_allowed(next()?)?,
            None => None,
        };
        let number = |value: Option<Value>| value.as_ref().and_then(value::number);
        Ok(KeyFacts {
            key,
            expected,
            found: found.to_owned(),
            length: number(length),
            bytes: number(bytes),
            encoding: encoding.as_ref().and_then(value::text).map(str::to_owned),
        })
    }

    /// A key that was found to be of another type.
    async fn examine_damaged(
        &self,
        key: String,
        expected: &'static str,
    ) -> Result<KeyFacts, BrokerError> {
        let step = Step::command("TYPE").arg(&key);
        let [found] = self.ask_each(vec![step], told_if_allowed).await?;
        let found = found.as_ref().and_then(value::text).unwrap_or_default();
        self.examine_key(key, expected, found).await
    }

    /// The members, if their key is not damaged.
    async fn known_members(&self, keys: &QueueKeys) -> Result<Vec<(WorkerId, u64)>, BrokerError> {
        let step = Step::command("HGETALL").arg(keys.workers());
        let [members] = self.ask_each(vec![step], told_if_allowed).await?;
        Ok(match members {
            Some(Value::Map(fields)) => fields.into_iter().filter_map(member).collect(),
            _ => Vec::new(),
        })
    }
}

/// What a server's time says of its clock that was asked for at `here`, for so long.
fn compared(here: At, took: Duration, server: At) -> ClockFacts {
    let middle = here.after(took / 2).as_ms();
    let ahead = i128::from(server.as_ms()) - i128::from(middle);
    let half = u64::try_from((took / 2).as_millis()).unwrap_or(u64::MAX);
    ClockFacts {
        ahead_ms: i64::try_from(ahead).unwrap_or(i64::MAX),
        // And one for what is cut off of either.
        error_ms: half.saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_by_the_middle_of_the_question() {
        for (took, server, ahead_ms, error_ms) in [
            (0, 1000, 0, 1),
            (20, 1010, 0, 11),
            (20, 4010, 3000, 11),
            (20, 10, -1000, 11),
            (0, u64::MAX, i64::MAX, 1),
        ] {
            let took = Duration::from_millis(took);
            let clock = compared(At::from_ms(1000), took, At::from_ms(server));
            let expected = ClockFacts { ahead_ms, error_ms };
            assert_eq!(clock, expected, "{took:?} {server}");
        }
    }
}
