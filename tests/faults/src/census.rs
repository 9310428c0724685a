//! Every element in every key of a namespace, at one moment: read with plain commands, beside jobq.

use std::fmt;

use bytes::Bytes;
use jobq::{DeadRecord, Envelope, JobId};
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script, Value};

/// Where an element lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// In ready.
    Ready,
    /// In delayed.
    Delayed,
    /// In suspects.
    Suspects,
    /// In the handoff of a worker.
    Handoff(String),
    /// In flight: of a worker, under a token.
    InFlight(String, String),
    /// Dead, for a reason.
    Dead(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Delayed => f.write_str("delayed"),
            Self::Suspects => f.write_str("suspects"),
            Self::Handoff(worker) => write!(f, "handoff of {worker}"),
            Self::InFlight(worker, token) => write!(f, "in flight at {worker} as {token}"),
            Self::Dead(reason) => write!(f, "dead: {reason}"),
        }
    }
}

/// One element.
#[derive(Debug, Clone)]
pub struct Element {
    /// The queue.
    pub queue: String,
    /// Where in it.
    pub place: Place,
    /// Whose it is; `None` if the bytes are no envelope.
    pub id: Option<JobId>,
    /// How many workers died with it.
    pub crashes: u32,
}

/// What Redis held at one moment.
#[derive(Debug, Clone, Default)]
pub struct Census {
    /// Every element.
    pub elements: Vec<Element>,
    /// The members of all queues: worker, queue.
    pub members: Vec<(String, String)>,
    /// Every key, without its namespace, sorted.
    pub keys: Vec<String>,
}

/// Answers of every key its name, its type, and what is in it.
const READ: &str = r"
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
    local type = redis.call('TYPE', key).ok
    local inside = {}
    if type == 'list' then inside = redis.call('LRANGE', key, 0, -1)
    elseif type == 'hash' then inside = redis.call('HGETALL', key)
    elseif type == 'zset' then inside = redis.call('ZRANGE', key, 0, -1) end
    found[#found + 1] = {key, inside}
end
return found";

/// Answers how many elements wait or are in flight, how many are dead, and how many members there are.
const COUNT: &str = r"
local open, dead, members = 0, 0, 0
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
    if string.match(key, '}:ready$') or string.match(key, '}:suspects$')
        or string.match(key, '}:handoff:[^:]*$') then open = open + redis.call('LLEN', key)
    elseif string.match(key, '}:delayed$') then open = open + redis.call('ZCARD', key)
    elseif string.match(key, '}:inflight:[^:]*$') then open = open + redis.call('HLEN', key)
    elseif string.match(key, '}:workers$') then members = members + redis.call('HLEN', key)
    elseif string.match(key, '}:dead$') then dead = dead + redis.call('LLEN', key) end
end
return {open, dead, members}";

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Elements that are still to run, or run.
    pub open: u64,
    /// Dead records.
    pub dead: u64,
    /// Members of queues.
    pub members: u64,
}

impl Census {
    /// Reads everything.
    ///
    /// # Errors
    ///
    /// Redis' own.
    pub async fn take(redis: &mut MultiplexedConnection, namespace: &str) -> RedisResult<Self> {
        let keys: Vec<(String, Vec<Value>)> = ask(redis, READ, namespace).await?;
        let mut census = Self::default();
        for (key, inside) in keys {
            let name = key[namespace.len() + 1..].to_owned();
            if let Some((queue, part)) = split(&name) {
                census.add(queue, part, inside);
            }
            census.keys.push(name);
        }
        census.keys.sort();
        Ok(census)
    }

    /// Counts, which takes Redis less time.
    ///
    /// # Errors
    ///
    /// Redis' own.
    pub async fn count(redis: &mut MultiplexedConnection, namespace: &str) -> RedisResult<Count> {
        let (open, dead, members) = ask(redis, COUNT, namespace).await?;
        Ok(Count {
            open,
            dead,
            members,
        })
    }

    fn add(&mut self, queue: &str, part: &str, inside: Vec<Value>) {
        let values = inside.into_iter().map(bytes);
        let mut every = |place: &Place, value: Bytes| {
            let (id, crashes) = match place {
                Place::Dead(_) => (None, 0),
                _ => read(&value),
            };
            self.elements.push(Element {
                queue: queue.to_owned(),
                place: place.clone(),
                id,
                crashes,
            });
        };
        match part.split_once(':').unwrap_or((part, "")) {
            ("ready", _) => values.for_each(|value| every(&Place::Ready, value)),
            ("delayed", _) => values.for_each(|value| every(&Place::Delayed, value)),
            ("suspects", _) => values.for_each(|value| every(&Place::Suspects, value)),
            ("handoff", worker) => {
                values.for_each(|value| every(&Place::Handoff(worker.to_owned()), value));
            }
            ("inflight", worker) => pairs(values).for_each(|(token, value)| {
                every(&Place::InFlight(worker.to_owned(), text(&token)), value);
            }),
            ("dead", _) => values.for_each(|value| self.bury(queue, &value)),
            ("workers", _) => pairs(values).for_each(|(worker, _)| {
                self.members.push((text(&worker), queue.to_owned()));
            }),
            _ => {}
        }
    }

    fn bury(&mut self, queue: &str, record: &Bytes) {
        let record = DeadRecord::decode(record);
        let (place, (id, crashes)) = match &record {
            Ok(record) => (record.reason.to_string(), read(&record.envelope)),
            Err(_) => ("no record".to_owned(), (None, 0)),
        };
        self.elements.push(Element {
            queue: queue.to_owned(),
            place: Place::Dead(place),
            id,
            crashes,
        });
    }

    /// How many lie in places of a kind.
    #[must_use]
    pub fn in_places(&self, is: impl Fn(&Place) -> bool) -> usize {
        self.elements.iter().filter(|one| is(&one.place)).count()
    }
}

async fn ask<T: redis::FromRedisValue>(
    redis: &mut MultiplexedConnection,
    script: &str,
    namespace: &str,
) -> RedisResult<T> {
    let script = Script::new(script);
    let pattern = format!("{namespace}:*");
    script.arg(pattern).invoke_async(redis).await
}

/// `{queue}:part` of a key without its namespace.
fn split(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix('{')?.split_once("}:")
}

fn read(bytes: &Bytes) -> (Option<JobId>, u32) {
    match Envelope::decode(bytes.clone()) {
        Ok(envelope) => (Some(envelope.id()), envelope.crashes()),
        Err(_) => (None, 0),
    }
}

fn pairs(mut values: impl Iterator<Item = Bytes>) -> impl Iterator<Item = (Bytes, Bytes)> {
    std::iter::from_fn(move || Some((values.next()?, values.next()?)))
}

fn bytes(value: Value) -> Bytes {
    match value {
        Value::BulkString(bytes) => bytes.into(),
        other => panic!("Redis answered {other:?} for an element"),
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
