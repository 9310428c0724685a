//! The workloads on bullmq-official, the port of BullMQ to Rust.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bullmq::options::RedisConnectionOptions;
use bullmq::types::RemoveOnFinish;
use bullmq::worker::WorkerEvent;
use bullmq::{BulkJob, Job, Queue, QueueOptions, Worker, WorkerOptions};
use kit::{Args, Error, Pool, QUEUE, System};
use serde_json::Value;

/// The name of every job.
const JOB: &str = "bench";

#[derive(Clone)]
struct Bullmq(Arc<Queue>);

impl System for Bullmq {
    async fn connect(url: &str, _width: u32) -> Result<Self, Error> {
        let options = QueueOptions::new().connection(connection(url));
        let queue = Queue::with_options(QUEUE, options).await?;
        Ok(Self(Arc::new(queue)))
    }

    async fn enqueue(&mut self, args: Args) -> Result<(), Error> {
        self.0.add(JOB, args).await?;
        Ok(())
    }

    async fn enqueue_at(&mut self, due: SystemTime, args: Args) -> Result<(), Error> {
        self.0.add(JOB, args).delay(whole_ms_until(due)).await?;
        Ok(())
    }

    async fn enqueue_all(&mut self, jobs: Vec<Args>) -> Result<(), Error> {
        let jobs = jobs.into_iter().map(|args| BulkJob::new(JOB, args));
        self.0.add_bulk(jobs.collect()).await?;
        Ok(())
    }

    async fn work(url: &str, pool: Pool) -> Result<(), Error> {
        let options = WorkerOptions::new()
            .connection(connection(url))
            .concurrency(pool.concurrency as usize)
            .remove_on_complete(RemoveOnFinish::Bool(true));
        let handler = |job: Job, _token| async move {
            let [id, time] = ["id", "time"].map(|field| job.data()[field].as_u64());
            kit::handle(id.unwrap_or_default(), time.unwrap_or_default());
            Ok(Value::Null)
        };
        let worker = Worker::with_options(QUEUE, handler, options).await?;
        // Its channel of events has no bound: somebody has to read it.
        while let Some(event) = worker.next_event().await {
            if let WorkerEvent::Error(_) | WorkerEvent::Failed { .. } = event {
                eprintln!("{event:?}");
            }
        }
        Ok(())
    }
}

fn connection(url: &str) -> RedisConnectionOptions {
    RedisConnectionOptions::new().url(url)
}

/// It counts a delay in whole ms from now; rounded up, for no job is to start early.
fn whole_ms_until(due: SystemTime) -> Duration {
    let delay = due.duration_since(SystemTime::now()).unwrap_or_default();
    Duration::from_millis(delay.as_micros().div_ceil(1000) as u64)
}

#[tokio::main]
async fn main() -> ExitCode {
    kit::run::<Bullmq>().await
}
