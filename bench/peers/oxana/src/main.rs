//! The workloads on oxana.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use kit::{Args, Error, Pool, System};
use oxana::Storage;
use serde::{Deserialize, Serialize};

/// How long an idle worker sleeps; 10 s unless set.
const DEQUEUE_TIMEOUT: Duration = Duration::from_millis(1);

/// Between two looks for delayed jobs that are due; 300 ms unless set.
const SCHEDULE_POLL: Duration = Duration::from_millis(5);

#[derive(Clone)]
struct Oxana(Storage);

#[derive(Debug, Serialize, Deserialize, oxana::Job)]
struct BenchJob {
    id: u64,
    time: u64,
    text: String,
}

impl From<Args> for BenchJob {
    fn from(Args { id, time, text }: Args) -> Self {
        Self { id, time, text }
    }
}

/// What handlers are given: nothing.
#[derive(Debug, Clone)]
struct Nothing;

#[derive(oxana::Worker)]
#[oxana(context = Nothing, error = Infallible, registry = None)]
struct BenchWorker;

impl BenchWorker {
    async fn process(&self, job: BenchJob, _: &oxana::JobContext) -> Result<(), Infallible> {
        kit::handle(job.id, job.time);
        Ok(())
    }
}

#[derive(Serialize, oxana::Queue)]
#[oxana(key = "bench")]
struct BenchQueue;

impl System for Oxana {
    async fn connect(url: &str, _width: u32) -> Result<Self, Error> {
        Ok(Self(Storage::builder().build_from_redis_url(url)?))
    }

    async fn enqueue(&mut self, args: Args) -> Result<(), Error> {
        self.0.enqueue(BenchQueue, BenchJob::from(args)).await?;
        Ok(())
    }

    async fn enqueue_at(&mut self, due: SystemTime, args: Args) -> Result<(), Error> {
        let job = BenchJob::from(args);
        self.0.enqueue_at(BenchQueue, job, due.into()).await?;
        Ok(())
    }

    async fn enqueue_all(&mut self, jobs: Vec<Args>) -> Result<(), Error> {
        let jobs = jobs.into_iter().map(BenchJob::from);
        self.0.enqueue_list(BenchQueue, jobs).await?;
        Ok(())
    }

    async fn work(url: &str, pool: Pool) -> Result<(), Error> {
        let Self(storage) = Self::connect(url, 1).await?;
        storage
            .runtime(Nothing)
            .queue_with_concurrency::<BenchQueue>(pool.concurrency as usize)
            .worker::<BenchWorker, BenchJob>()
            .dequeue_timeout(DEQUEUE_TIMEOUT)
            .schedule_poll_interval(SCHEDULE_POLL)
            .run()
            .await?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    kit::run::<Oxana>().await
}
