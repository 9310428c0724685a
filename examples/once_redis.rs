//! An effect that no transaction covers, marked in Redis by `SET NX`: what a mark can do, and what it
//! cannot, is in `docs/guide/what-is-promised.md`. Enqueues the same job twice, as a producer may
//! after an unknown outcome, and runs both; one text is sent.
//!
//! ```sh
//! cargo run --example once_redis # $JOBQ_URL and $REDIS_URL, or redis://127.0.0.1:6379
//! ```

use std::time::Duration;

use jobq::{Context, JobError, State, job};
use jobq_worker::Worker;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection as Redis;

/// How long a run keeps others out, in seconds: longer than its timeout.
const RUNNING: u64 = 120;

/// How long it is known to be done: longer than the job may be retried.
const DONE: u64 = 7 * 24 * 3600;

#[job(timeout = "1m")]
pub(crate) async fn text_user(ctx: Context, redis: State<Redis>, user: u64) -> anyhow::Result<()> {
    let mut redis = Redis::clone(&redis);
    let key = format!("texted:{}", ctx.id());
    let mut set = redis::cmd("SET");
    set.arg(&key).arg("running").arg(&["NX", "EX"]).arg(RUNNING);
    let taken: Option<String> = set.query_async(&mut redis).await?;
    if taken.is_none() {
        let mark: Option<String> = redis.get(&key).await?;
        if mark.as_deref() == Some("done") {
            return Ok(()); // an earlier run did it
        }
        // Another run is at it; or it died, and its mark will end.
        return Err(JobError::snooze(Duration::from_secs(1)).into());
    }
    if let Err(error) = send_text(user).await {
        // Nothing was sent, so the retry need not wait for the mark to end.
        let _: redis::RedisResult<()> = redis.del(&key).await;
        return Err(error.into());
    }
    let done: redis::RedisResult<()> = redis.set_ex(&key, "done", DONE).await;
    Ok(done?)
}

/// Stands in for a service that knows no idempotency keys.
async fn send_text(user: u64) -> std::io::Result<()> {
    println!("a text for user {user}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into());
    let redis = redis::Client::open(url)?;
    let redis = redis.get_multiplexed_async_connection().await?;
    let client = jobq::ClientBuilder::from_env().connect().await?;

    let job = text_user::enqueue(&client, 7).await?;
    let again = text_user::new(7).id(job.id()); // as after `OutcomeUnknown`
    again.enqueue(&client).await?;

    let worker = Worker::builder(client).state(redis).build()?;
    worker.run_until_idle().await?; // one text is sent
    Ok(())
}
