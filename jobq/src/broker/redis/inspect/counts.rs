//! The figures of a queue at one moment: read apart from one another, a job on its way from
//! delayed to in flight could be in none of them, and a queue at work look empty.

use redis::{Cmd, Value};

use super::{RedisBroker, command, pairs};
use crate::broker::redis::fault::{corrupt, judge};
use crate::broker::redis::keys::QueueKeys;
use crate::broker::redis::reply;
use crate::broker::redis::scripts::Step;
use crate::broker::{Broker, Counts};
use crate::error::BrokerError;
use crate::id::{QueueName, WorkerId};

/// Looks in a row during which workers may join: with more, what the last joined own is left out.
const LOOKS: usize = 5;

/// Figures before those of the workers.
const FIXED: usize = 8;

impl RedisBroker {
    /// What a worker owns that is no member is not counted: the next sweep adopts it.
    pub(super) async fn count(&self, queue: &QueueName) -> Result<Counts, BrokerError> {
        let keys = self.keys(queue);
        for look in 1.. {
            let members = self.members(queue).await?.into_iter();
            let members: Vec<WorkerId> = members.map(|(worker, _)| worker).collect();
            let values = self.at_once(questions(&keys, &members)).await?;
            let (present, counts) = counts(values)?;
            let is_missed = |value| reply::text(value).is_some_and(|id| !is_in(&members, id));
            if look >= LOOKS || !present.iter().any(is_missed) {
                return Ok(counts);
            }
        }
        unreachable!("the last look is an answer")
    }

    /// Several commands as one step.
    async fn at_once(&self, commands: Vec<Cmd>) -> Result<Vec<Value>, BrokerError> {
        let commands = [redis::cmd("MULTI")].into_iter().chain(commands);
        let commands = commands.chain([redis::cmd("EXEC")]);
        let answers = self.link.call(commands.map(Step::plain).collect()).await;
        let mut all = Value::Nil;
        for answer in answers {
            all = answer?;
        }
        let values = reply::list(all, "the answers of a transaction")?.into_iter();
        values.map(|value| Ok(judge(value)?)).collect()
    }
}

fn is_in(members: &[WorkerId], id: &str) -> bool {
    members.iter().any(|member| member.as_str() == id)
}

fn questions(keys: &QueueKeys, members: &[WorkerId]) -> Vec<Cmd> {
    let mut paused = command("HEXISTS", keys.meta());
    paused.arg("paused");
    let mut oldest = command("LINDEX", keys.ready());
    oldest.arg(-1);
    let mut first = command("ZRANGE", keys.delayed());
    first.arg(0).arg(0).arg("WITHSCORES");
    let fixed: [Cmd; FIXED] = [
        command("LLEN", keys.ready()),
        command("ZCARD", keys.delayed()),
        command("LLEN", keys.suspects()),
        command("LLEN", keys.dead()),
        paused,
        oldest,
        first,
        command("HKEYS", keys.workers()),
    ];
    let owned = members.iter().flat_map(|worker| {
        [
            command("HLEN", keys.in_flight(worker)),
            command("LLEN", keys.handoff(worker)),
        ]
    });
    fixed.into_iter().chain(owned).collect()
}

/// The members at that moment, and the figures.
fn counts(mut values: Vec<Value>) -> Result<(Vec<Value>, Counts), BrokerError> {
    let owned = values.split_off(FIXED.min(values.len()));
    let [
        ready,
        delayed,
        suspects,
        dead,
        paused,
        oldest,
        first,
        members,
    ] = <[Value; FIXED]>::try_from(values).map_err(|_| corrupt("as many answers as questions"))?;
    let first = pairs(first)?.pop();
    let counts = Counts {
        ready: length(&ready)?,
        delayed: length(&delayed)?,
        in_flight: owned.iter().map(length).sum::<Result<u64, _>>()?,
        suspects: length(&suspects)?,
        dead: length(&dead)?,
        paused: length(&paused)? > 0,
        oldest: reply::bytes(oldest),
        next_due: first.and_then(|(_, score)| reply::score(&score)),
    };
    Ok((reply::list(members, "a list of workers")?, counts))
}

fn length(value: &Value) -> Result<u64, BrokerError> {
    reply::number(value).ok_or_else(|| corrupt("a length"))
}
