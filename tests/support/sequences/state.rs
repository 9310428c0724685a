//! Everything a queue holds, read from each side into one form.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use jobq::broker::memory::Snapshot;
use jobq::{At, JobId, Token, WorkerId};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use super::calendar::coarse;

/// Coarse times; the timekeeper left out, whose office lapses by the clock.
pub(crate) type State = Snapshot;

pub(crate) fn of_memory(mut snapshot: Snapshot, start: At) -> State {
    for (due, _) in &mut snapshot.delayed {
        *due = coarse(*due, start);
    }
    for (until, _) in &mut snapshot.cancelled {
        *until = coarse(*until, start);
    }
    snapshot.timekeeper = None;
    snapshot
}

/// Reads the keys themselves. `prefix` is all before the name of a key.
pub(crate) async fn of_redis(
    connection: &mut MultiplexedConnection,
    prefix: &str,
    start: At,
) -> redis::RedisResult<State> {
    let key = |name: &str| format!("{prefix}{name}");
    let delayed: Vec<(Vec<u8>, f64)> = connection.zrange_withscores(key("delayed"), 0, -1).await?;
    let delayed = delayed.into_iter().map(|(bytes, score)| {
        let due = coarse(At::from_ms(score as u64), start);
        (due, Bytes::from(bytes))
    });
    let cancelled: Vec<([u8; 16], f64)> = connection
        .zrange_withscores(key("cancelled"), 0, -1)
        .await?;
    let cancelled = cancelled.into_iter().map(|(id, score)| {
        let until = coarse(At::from_ms(score as u64), start);
        (until, JobId::from_bytes(id))
    });
    let gone: Option<u64> = connection.hget(key("meta"), "gone").await?;
    let mut state = State {
        ready: front_first(connection, key("ready")).await?,
        delayed: delayed.collect(),
        suspects: front_first(connection, key("suspects")).await?,
        members: members(connection.hgetall(key("workers")).await?),
        gone: gone.unwrap_or(0),
        dead: list(connection, key("dead")).await?,
        cancelled: cancelled.collect(),
        paused: connection.hexists(key("meta"), "paused").await?,
        ..State::default()
    };
    let owned: Vec<String> = connection.keys(glob(prefix)).await?;
    for owned in owned {
        let name = owned.strip_prefix(prefix).unwrap_or_default();
        if let Some(worker) = name.strip_prefix("inflight:") {
            let records = tokens(connection.hgetall(&owned).await?);
            state
                .in_flight
                .insert(WorkerId::from_stored(worker), records);
        } else if let Some(worker) = name.strip_prefix("handoff:") {
            let handoff = front_first(connection, owned.clone()).await?;
            state
                .handoffs
                .insert(WorkerId::from_stored(worker), handoff);
        }
    }
    Ok(state)
}

fn glob(prefix: &str) -> String {
    assert!(
        !prefix.contains(['*', '?', '[', '\\']),
        "tests use plain names"
    );
    format!("{prefix}*")
}

async fn list(
    connection: &mut MultiplexedConnection,
    key: String,
) -> redis::RedisResult<Vec<Bytes>> {
    let list: Vec<Vec<u8>> = connection.lrange(key, 0, -1).await?;
    Ok(list.into_iter().map(Bytes::from).collect())
}

/// The front is the right end.
async fn front_first(
    connection: &mut MultiplexedConnection,
    key: String,
) -> redis::RedisResult<Vec<Bytes>> {
    let mut list = list(connection, key).await?;
    list.reverse();
    Ok(list)
}

fn members(fields: HashMap<String, u64>) -> BTreeMap<WorkerId, u64> {
    let fields = fields.into_iter();
    fields
        .map(|(worker, counter)| (WorkerId::from_stored(&worker), counter))
        .collect()
}

fn tokens(fields: HashMap<String, Vec<u8>>) -> BTreeMap<Token, Bytes> {
    let fields = fields.into_iter();
    fields
        .map(|(token, bytes)| {
            (
                Token::from_stored(&token).expect("a token"),
                Bytes::from(bytes),
            )
        })
        .collect()
}
