//! The workloads on apalis with apalis-redis.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use apalis::prelude::*;
use apalis_core::backend::ext::BackendExt;
use apalis_core::task::builder::TaskBuilder;
use apalis_redis::{Config, RedisStorage};
use kit::{Args, Error, Pool, QUEUE, System};

/// Jobs that its fetch script can promote: at 8,000 it fails in Lua's `unpack`.
const PROMOTABLE: u64 = 5000;

/// Jobs of one call.
const BATCH: usize = 1000;

/// Between two polls of an idle worker, which polls at its heartbeats only unless set.
const POLL_EVERY: Duration = Duration::from_millis(5);

/// Between two heartbeats; 30 s unless set. Now and then a job waits for the next one in spite of the polls.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Apalis(RedisStorage<Args>);

impl System for Apalis {
    async fn connect(url: &str, _width: u32) -> Result<Self, Error> {
        let connection = apalis_redis::connect(url).await?;
        Ok(Self(RedisStorage::new(connection).with_config(config())))
    }

    async fn enqueue(&mut self, args: Args) -> Result<(), Error> {
        Ok(self.0.push(args).await?)
    }

    async fn enqueue_at(&mut self, due: SystemTime, args: Args) -> Result<(), Error> {
        let task = TaskBuilder::new(args).run_at_time(due).build();
        Ok(self.0.push_task(task).await?)
    }

    async fn enqueue_all(&mut self, jobs: Vec<Args>) -> Result<(), Error> {
        Ok(self.0.push_bulk(jobs).await?)
    }

    /// Every job goes through the sorted set of delayed ones. More of them than the fetch script can take
    /// are moved to the list of ready ones here, as that script would.
    async fn fill(&mut self, count: u64) -> Result<(), Error> {
        for first in (0..count).step_by(usize::try_from(PROMOTABLE)?) {
            let ids = first..count.min(first + PROMOTABLE);
            kit::enqueue_in_batches(self, ids, u32::try_from(BATCH)?).await?;
            self.promote().await?;
        }
        Ok(())
    }

    async fn work(url: &str, pool: Pool) -> Result<(), Error> {
        let Self(storage) = Self::connect(url, 1).await?;
        WorkerBuilder::new(format!("worker-{}", std::process::id()))
            .backend(storage.poll_with_interval(POLL_EVERY))
            .concurrency(pool.concurrency as usize)
            .build(handle)
            .run()
            .await?;
        Ok(())
    }
}

impl Apalis {
    async fn promote(&mut self) -> Result<(), Error> {
        let (scheduled, active) = (config().scheduled_jobs_set(), config().active_jobs_list());
        let connection = self.0.get_connection();
        let ids: Vec<String> = redis::cmd("ZRANGE")
            .arg(&scheduled)
            .arg(0)
            .arg(-1)
            .query_async(connection)
            .await?;
        for ids in ids.chunks(BATCH) {
            let mut push = redis::cmd("RPUSH");
            push.arg(&active)
                .arg(ids)
                .query_async::<()>(connection)
                .await?;
        }
        redis::cmd("DEL")
            .arg(scheduled)
            .query_async::<()>(connection)
            .await?;
        Ok(())
    }
}

/// Without locks, which its documentation says jobs shorter than a heartbeat do not need, and without
/// events. Results stay on: without them no job is acknowledged.
fn config() -> Config {
    Config::default()
        .queue(QUEUE)
        .batch_size(200)
        .heartbeat_interval(HEARTBEAT_EVERY)
        .lock_tasks(false)
        .emit_events(false)
}

async fn handle(args: Args) -> Result<(), BoxDynError> {
    kit::handle(args.id, args.time);
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    kit::run::<Apalis>().await
}
