//! The workloads on jobq, written as an application would.

use std::process::ExitCode;
use std::time::SystemTime;

use jobq::{At, Client, job};
use jobq_worker::Worker;
use kit::{Args, Error, Pool, QUEUE, System};

#[job(queue = "bench")]
async fn bench(id: u64, time: u64, text: String) {
    kit::handle(id, time);
    drop(text);
}

#[derive(Clone)]
struct Jobq(Client);

impl System for Jobq {
    async fn connect(url: &str, _width: u32) -> Result<Self, Error> {
        Ok(Self(jobq::connect(url).await?))
    }

    async fn enqueue(&mut self, Args { id, time, text }: Args) -> Result<(), Error> {
        bench::enqueue(&self.0, id, time, text).await?;
        Ok(())
    }

    async fn enqueue_at(&mut self, due: SystemTime, args: Args) -> Result<(), Error> {
        let job = bench::new(args.id, args.time, args.text);
        job.at(At::from(due)).enqueue(&self.0).await?;
        Ok(())
    }

    async fn enqueue_all(&mut self, jobs: Vec<Args>) -> Result<(), Error> {
        let jobs = jobs
            .into_iter()
            .map(|args| bench::new(args.id, args.time, args.text));
        self.0.enqueue_all(jobs).await?;
        Ok(())
    }

    async fn work(url: &str, pool: Pool) -> Result<(), Error> {
        let worker = Worker::builder(jobq::connect(url).await?)
            .queues([QUEUE])
            .concurrency(pool.concurrency)
            .connections(pool.connections)
            .build()?;
        worker.run().await?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    kit::run::<Jobq>().await
}
