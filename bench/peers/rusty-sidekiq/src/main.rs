//! The workloads on rusty-sidekiq.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use kit::{Args, Error, Pool, QUEUE, System};
use sidekiq::{
    BalanceStrategy, Processor, ProcessorConfig, RedisConnectionManager, RedisPool, Worker,
    WorkerOpts,
};

/// Connections of a worker beside one for each of its slots, which waits in `BRPOP`.
const SPARE_CONNECTIONS: u32 = 4;

#[derive(Clone)]
struct Sidekiq(RedisPool);

struct BenchJob;

#[async_trait]
impl Worker<Args> for BenchJob {
    fn opts() -> WorkerOpts<Args, Self> {
        WorkerOpts::new().queue(QUEUE)
    }

    async fn perform(&self, args: Args) -> sidekiq::Result<()> {
        kit::handle(args.id, args.time);
        Ok(())
    }
}

impl System for Sidekiq {
    async fn connect(url: &str, width: u32) -> Result<Self, Error> {
        let pool = bb8::Pool::builder()
            .max_size(width)
            .min_idle(width)
            .test_on_check_out(false)
            .build(RedisConnectionManager::new(url)?);
        Ok(Self(pool.await?))
    }

    async fn enqueue(&mut self, args: Args) -> Result<(), Error> {
        Ok(BenchJob::perform_async(&self.0, args).await?)
    }

    async fn enqueue_at(&mut self, due: SystemTime, args: Args) -> Result<(), Error> {
        let delay = due.duration_since(SystemTime::now());
        let delay = delay.unwrap_or(Duration::ZERO);
        Ok(BenchJob::perform_in(&self.0, delay, args).await?)
    }

    async fn enqueue_all(&mut self, _jobs: Vec<Args>) -> Result<(), Error> {
        Err("rusty-sidekiq has no bulk call".into())
    }

    async fn fill(&mut self, count: u64) -> Result<(), Error> {
        kit::enqueue_at_once(self, 0..count, self.0.state().connections).await
    }

    async fn work(url: &str, pool: Pool) -> Result<(), Error> {
        let Self(connections) = Self::connect(url, pool.concurrency + SPARE_CONNECTIONS).await?;
        let config = ProcessorConfig::default()
            .num_workers(pool.concurrency as usize)
            .balance_strategy(BalanceStrategy::None);
        let mut processor = Processor::new(connections, vec![QUEUE.to_owned()]).with_config(config);
        processor.register(BenchJob);
        processor.run().await;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    kit::run::<Sidekiq>().await
}
