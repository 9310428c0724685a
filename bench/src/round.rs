//! What workloads share: how often and how much is measured, and a drain.

use crate::store::{Store, Used};
use crate::worker::{Process, Report, Setup, until_done};

/// The queue of all workloads that have one.
pub(crate) const QUEUE: &str = "default";

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    /// Divides the number of jobs.
    pub(crate) divide: u64,
}

impl Plan {
    /// So many jobs, but for what they are divided by.
    pub(crate) fn jobs(self, jobs: u64) -> u64 {
        (jobs / self.divide).max(100)
    }
}

impl Setup {
    /// A worker of one queue. One thread runs its jobs: on two cores Redis has the other.
    pub(crate) fn new(store: &Store, concurrency: u32, connections: u32) -> Self {
        Self {
            url: store.url(),
            queues: vec![QUEUE.to_owned()],
            concurrency,
            connections,
            threads: 1,
            logs: false,
            watched: true,
        }
    }
}

/// What a drain by workers came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drained {
    pub(crate) jobs_per_s: f64,
    pub(crate) redis_us_per_job: f64,
    pub(crate) redis_read_bytes_per_job: f64,
    pub(crate) redis_sent_bytes_per_job: f64,
    pub(crate) worker_us_per_job: f64,
    pub(crate) peak_mib: f64,
}

/// Starts workers on what is ready, and waits until they have done so many jobs.
pub(crate) async fn drain(store: &Store, setup: &Setup, processes: u32, jobs: u64) -> Drained {
    let before = store.used().await;
    let mut workers: Vec<Process> = (0..processes).map(|_| Process::start(setup)).collect();
    until_done(&mut workers, jobs).await;
    let used = store.used().await - before;
    let reports: Vec<Report> = workers.iter_mut().map(Process::report).collect();
    drained(&reports, used)
}

/// What the reports of workers say, with what Redis used.
pub(crate) fn drained(reports: &[Report], redis: Used) -> Drained {
    let busy = reports.iter().filter(|report| report.done > 0);
    let first = busy.clone().map(|report| report.first_us).min();
    let last = busy.map(|report| report.last_us).max();
    let took_us = last.zip(first).map_or(0, |(last, first)| last - first);
    let jobs = reports.iter().map(|report| report.done).sum::<u64>() as f64;
    let cpu_us: f64 = reports.iter().map(|report| report.cpu_us).sum();
    Drained {
        jobs_per_s: jobs / took_us as f64 * 1e6,
        redis_us_per_job: redis.cpu_us / jobs,
        redis_read_bytes_per_job: redis.read_bytes / jobs,
        redis_sent_bytes_per_job: redis.sent_bytes / jobs,
        worker_us_per_job: cpu_us / jobs,
        peak_mib: reports
            .iter()
            .map(|report| report.peak_mib)
            .fold(0.0, f64::max),
    }
}
