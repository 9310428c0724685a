//! Drains: a queue is filled, then worked off, each round next to the limit at the same settings.

use crate::bare;
use crate::jobs::{TEXT, flaky, noop};
use crate::load::{fill, fill_noop};
use crate::round::{Drained, Plan, QUEUE, drain as drain_once, drained};
use crate::sheet::{Row, Sheet};
use crate::store::{Store, Used};
use crate::worker::{Process, Setup, until_done};

/// A drain: how the workers are set, and how much they do. What takes a round trip each has fewer jobs.
struct Shape {
    concurrency: u32,
    connections: u32,
    processes: u32,
    threads: usize,
    logs: bool,
    jobs: u64,
}

impl Shape {
    const fn new(concurrency: u32, connections: u32, jobs: u64) -> Self {
        Self {
            concurrency,
            connections,
            processes: 1,
            threads: 1,
            logs: false,
            jobs,
        }
    }
}

const DRAINS: &[Shape] = &[
    Shape::new(1, 1, 30_000),
    Shape::new(10, 1, 200_000),
    Shape::new(100, 1, 1_000_000),
    Shape::new(1000, 1, 1_000_000),
    Shape {
        logs: true,
        ..Shape::new(1000, 1, 1_000_000)
    },
    Shape {
        threads: 2,
        ..Shape::new(1000, 1, 1_000_000)
    },
    Shape {
        processes: 2,
        ..Shape::new(1000, 1, 1_000_000)
    },
    Shape::new(1000, 2, 1_000_000),
    Shape::new(1000, 4, 1_000_000),
];

impl Row {
    pub(super) fn note_drained(&mut self, drained: &Drained) {
        self.note("jobs_per_s", drained.jobs_per_s);
        self.note("redis_us_per_job", drained.redis_us_per_job);
        self.note("worker_us_per_job", drained.worker_us_per_job);
        self.note("redis_read_bytes", drained.redis_read_bytes_per_job);
        self.note("redis_sent_bytes", drained.redis_sent_bytes_per_job);
        self.note("rss_mib", drained.peak_mib);
    }

    fn note_limit(&mut self, drained: &Drained, limit: &bare::Drained) {
        self.note("limit_jobs_per_s", limit.jobs_per_s);
        self.note("ratio_to_limit", drained.jobs_per_s / limit.jobs_per_s);
        self.note(
            "redis_ratio_to_limit",
            drained.redis_us_per_job / limit.redis_us_per_job,
        );
    }
}

pub(super) async fn limit(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    let plain = |shape: &&Shape| shape.processes == 1 && shape.threads == 1 && !shape.logs;
    for shape in DRAINS.iter().filter(plain) {
        let &Shape {
            concurrency,
            connections,
            jobs,
            ..
        } = shape;
        let mut row = Row::new()
            .with("concurrency", concurrency)
            .with("connections", connections);
        for _ in 0..plan.rounds {
            let limit = bare_drain(&store, plan.jobs(jobs), concurrency, connections).await;
            row.note("jobs_per_s", limit.jobs_per_s);
            row.note("redis_us_per_job", limit.redis_us_per_job);
        }
        sheet.print(&row);
    }
}

pub(super) async fn drain(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    for shape in DRAINS {
        let &Shape {
            concurrency,
            connections,
            processes,
            threads,
            logs,
            jobs,
        } = shape;
        let setup = Setup {
            threads,
            logs,
            ..Setup::new(&store, concurrency, connections)
        };
        let jobs = plan.jobs(jobs);
        let mut row = Row::new()
            .with("concurrency", concurrency)
            .with("connections", connections)
            .with("processes", processes)
            .with("threads", threads)
            .with("info_logs", logs);
        for _ in 0..plan.rounds {
            let (in_flight, on_all) = (concurrency * processes, connections * processes);
            let limit = bare_drain(&store, jobs, in_flight, on_all).await;
            store.flush().await;
            fill_noop(&store.url(), jobs).await;
            let drained = drain_once(&store, &setup, processes, jobs).await;
            row.note_drained(&drained);
            row.note_limit(&drained, &limit);
        }
        sheet.print(&row);
    }
}

async fn bare_drain(store: &Store, jobs: u64, in_flight: u32, connections: u32) -> bare::Drained {
    store.flush().await;
    fill_noop(&store.url(), jobs).await;
    bare::drain(store, jobs, in_flight, connections).await
}

pub(super) async fn retry(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    let jobs = plan.jobs(200_000);
    let mut row = Row::new().with("concurrency", 1000).with("connections", 1);
    for _ in 0..plan.rounds {
        store.flush().await;
        fill(&store.url(), jobs, |number| flaky::new(number, TEXT)).await;
        let setup = Setup::new(&store, 1000, 1);
        row.note_drained(&drain_once(&store, &setup, 1, jobs).await);
    }
    sheet.print(&row);
}

pub(super) async fn payload(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    for (bytes, jobs) in [
        (0, 1_000_000),
        (1024, 300_000),
        (10 * 1024, 100_000),
        (100 * 1024, 10_000),
    ] {
        let jobs = plan.jobs(jobs);
        let text = TEXT.to_owned() + &"x".repeat(bytes);
        let name = if bytes == 0 { 100 } else { bytes };
        let mut row = Row::new()
            .with("payload_bytes", name)
            .with("concurrency", 1000)
            .with("connections", 1);
        for _ in 0..plan.rounds {
            let full = async || {
                store.flush().await;
                fill(&store.url(), jobs, |number| noop::new(number, &text[..])).await;
            };
            full().await;
            let limit = bare::drain(&store, jobs, 1000, 1).await;
            full().await;
            let drained = drain_once(&store, &Setup::new(&store, 1000, 1), 1, jobs).await;
            row.note_drained(&drained);
            row.note_limit(&drained, &limit);
        }
        sheet.print(&row);
    }
}

/// The queue is filled again as often as it takes to measure half a million jobs.
pub(super) async fn backlog(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    for pending in [10_000, 1_000_000, 5_000_000] {
        let (pending, times) = (plan.jobs(pending), (500_000 / pending).max(1));
        let mut row = Row::new()
            .with("pending", pending)
            .with("concurrency", 1000)
            .with("connections", 1);
        for _ in 0..plan.rounds {
            let setup = Setup::new(&store, 1000, 1);
            let mut seconds = 0.0;
            for _ in 0..times {
                store.flush().await;
                fill_noop(&store.url(), pending).await;
                let mut workers = [Process::start(&setup)];
                let reports = until_done(&mut workers, pending).await;
                seconds += pending as f64 / drained(&reports, Used::default()).jobs_per_s;
            }
            row.note("jobs_per_s", (pending * times) as f64 / seconds);
        }
        sheet.print(&row);
    }
}

pub(super) async fn queues(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    let jobs = plan.jobs(1_000_000);
    let counts = [1u64, 10, 100];
    let mut rows = counts.map(|count| {
        Row::new()
            .with("queues", count)
            .with("concurrency", 1000)
            .with("connections", 1)
    });
    for _ in 0..plan.rounds {
        let mut of_one = f64::NAN;
        for (count, row) in counts.into_iter().zip(&mut rows) {
            store.flush().await;
            let name = |number: u64| format!("{QUEUE}-{}", number % count);
            fill(&store.url(), jobs, |number| {
                noop::new(number, TEXT).queue(name(number))
            })
            .await;
            let mut setup = Setup::new(&store, 1000, 1);
            setup.queues = (0..count).map(name).collect();
            let drained = drain_once(&store, &setup, 1, jobs).await;
            if count == 1 {
                of_one = drained.jobs_per_s;
            }
            row.note_drained(&drained);
            row.note("ratio_to_one_queue", drained.jobs_per_s / of_one);
        }
    }
    rows.iter().for_each(|row| sheet.print(row));
}
