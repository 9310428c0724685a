//! The limit: the scripts of claim and settle in a bare loop, and the bare commands of Redis, without
//! anything of jobq between.

use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::{Script, Value};
use tokio::task::JoinSet;

use crate::round::QUEUE;
use crate::store::Store;

const CLAIM: &str = include_str!("../../jobq/src/broker/redis/lua/claim.lua");
const SETTLE: &str = include_str!("../../jobq/src/broker/redis/lua/settle.lua");

/// The largest batch of a claim.
const MAX_BATCH: u32 = 1000;

/// Bytes of one claim at the most.
const MAX_BYTES: u32 = 8 * 1024 * 1024;

/// What a drain by bare scripts came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drained {
    pub(crate) jobs_per_s: f64,
    pub(crate) redis_us_per_job: f64,
}

/// Claims and acknowledges all that is ready, each connection a batch at a time: `in_flight` jobs on
/// all of them together.
pub(crate) async fn drain(store: &Store, jobs: u64, in_flight: u32, connections: u32) -> Drained {
    let mut loops = JoinSet::new();
    let batch = (in_flight / connections).clamp(1, MAX_BATCH);
    let cpu = store.cpu_us().await;
    let began = Instant::now();
    for number in 0..connections {
        let connection = store.connect().await;
        loops.spawn(claim_and_ack(connection, format!("bare-{number}"), batch));
    }
    let done: u64 = loops.join_all().await.into_iter().sum();
    let took = began.elapsed();
    assert_eq!(done, jobs, "the bare loop took what there was");
    let used = store.cpu_us().await - cpu;
    Drained {
        jobs_per_s: jobs as f64 / took.as_secs_f64(),
        redis_us_per_job: used / jobs as f64,
    }
}

async fn claim_and_ack(mut connection: MultiplexedConnection, worker: String, batch: u32) -> u64 {
    let (claim, settle) = (Script::new(CLAIM), Script::new(SETTLE));
    for script in [&claim, &settle] {
        let loaded = script.load_async(&mut connection).await;
        loaded.expect("Redis takes the script");
    }
    let key = |name: &str| format!("jobq:{{{QUEUE}}}:{name}");
    let owned = |name: &str| format!("jobq:{{{QUEUE}}}:{name}:{worker}");
    let (mut known, mut held, mut done) = (0u64, 0u64, 0u64);
    loop {
        let mut round = redis::pipe();
        if held > 0 {
            let command = round.cmd("EVALSHA").arg(settle.get_hash()).arg(7);
            command
                .arg(key("ready"))
                .arg(key("delayed"))
                .arg(owned("inflight"));
            command
                .arg(key("workers"))
                .arg(key("suspects"))
                .arg(key("dead"))
                .arg(key("meta"));
            command
                .arg(&worker)
                .arg(0)
                .arg(10_000)
                .arg(64 << 20)
                .arg(15_552_000_000u64);
            command.arg(key("due")).arg(held);
            for place in 1..=held {
                command.arg(format!("{known}.{place}"));
            }
        }
        let command = round.cmd("EVALSHA").arg(claim.get_hash()).arg(8);
        command
            .arg(key("ready"))
            .arg(key("delayed"))
            .arg(owned("inflight"));
        command
            .arg(owned("handoff"))
            .arg(key("workers"))
            .arg(key("suspects"));
        command.arg(key("meta")).arg(key("cancelled"));
        command
            .arg(&worker)
            .arg(known)
            .arg(batch)
            .arg(0)
            .arg(MAX_BYTES)
            .arg(100);
        let answers: Vec<Value> = round
            .query_async(&mut connection)
            .await
            .expect("Redis answers");
        done += held;
        let Some(Value::Array(granted)) = answers.last() else {
            panic!("a claim answers with a list");
        };
        let Some(Value::BulkString(counter)) = granted.get(1) else {
            panic!("the worker lives");
        };
        known = std::str::from_utf8(counter)
            .ok()
            .and_then(|text| text.parse().ok())
            .expect("a counter is a number");
        held = granted.len() as u64 - 6;
        if held == 0 {
            return done;
        }
    }
}
