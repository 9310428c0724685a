//! What is done to keys, and undone.

use redis::aio::MultiplexedConnection;

use crate::rows::r1::note;
use crate::schedule::Schedule;
use crate::world::{NAMESPACE, World};

/// Of each of these a queue has one, or each of its workers.
const KEYS: [&str; 10] = [
    "ready",
    "delayed",
    "suspects",
    "cancelled",
    "dead",
    "timekeeper",
    "meta",
    "workers",
    "inflight",
    "handoff",
];

/// What is done to a key of a queue, which is named for both.
#[derive(Debug, Clone)]
pub(super) struct Damage {
    pub(super) queue: String,
    key: &'static str,
    retyped: bool,
}

impl Damage {
    pub(super) fn all() -> Vec<Self> {
        let of = |key: &'static str| {
            [("deleted", false), ("retyped", true)].map(|(how, retyped)| Self {
                queue: format!("{key}-{how}"),
                key,
                retyped,
            })
        };
        KEYS.into_iter().flat_map(of).collect()
    }

    /// The keys of this class that there are; those of workers by worker.
    fn keys(&self, workers: &[String]) -> Vec<String> {
        let Self { queue, key, .. } = self;
        let key = format!("{NAMESPACE}:{{{queue}}}:{key}");
        match self.key {
            "inflight" | "handoff" => workers
                .iter()
                .map(|worker| format!("{key}:{worker}"))
                .collect(),
            _ => vec![key],
        }
    }
}

/// Does all of them.
pub(super) async fn harm(
    world: &World,
    redis: &mut MultiplexedConnection,
    damages: &[Damage],
    schedule: &mut Schedule,
) {
    let members = world.census().await.members;
    let workers: Vec<_> = members.into_iter().map(|(worker, _)| worker).collect();
    note(world, "keys-are-damaged");
    for damage in damages {
        schedule.note(&*damage.queue);
        for key in damage.keys(&workers) {
            let mut command = match damage.retyped {
                true => redis::cmd("SET"),
                false => redis::cmd("DEL"),
            };
            command.arg(key);
            if damage.retyped {
                command.arg("something else");
            }
            ask(redis, &command).await;
        }
    }
}

/// Deletes every key that is of another type than it should be.
pub(super) async fn mend(world: &World, redis: &mut MultiplexedConnection, damages: &[Damage]) {
    note(world, "keys-are-mended");
    for damage in damages.iter().filter(|damage| damage.retyped) {
        let mut keys = redis::cmd("KEYS");
        keys.arg(format!("{NAMESPACE}:{{{}}}:{}*", damage.queue, damage.key));
        let found: redis::RedisResult<Vec<String>> = keys.query_async(redis).await;
        for key in found.expect("Redis answers") {
            let kind: redis::RedisResult<String> =
                redis::cmd("TYPE").arg(&key).query_async(redis).await;
            if kind.expect("Redis answers") == "string" {
                ask(redis, redis::cmd("DEL").arg(key)).await;
            }
        }
    }
}

async fn ask(redis: &mut MultiplexedConnection, command: &redis::Cmd) {
    let answer: redis::RedisResult<redis::Value> = command.query_async(redis).await;
    answer.expect("Redis answers");
}
