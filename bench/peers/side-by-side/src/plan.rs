//! What is measured with which system.

use std::fmt;

use clap::ValueEnum;
use kit::{Pool, Way};

use crate::systems::System;

/// The concurrency of the drain that compares like with like.
const SMALL: Pool = Pool {
    concurrency: 10,
    connections: 1,
};

/// How jobs are enqueued.
const WAYS: [Way; 3] = [Way::Sequential, Way::AtOnce(64), Way::Bulk(1000)];

/// What can be chosen on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// One worker works off what is ready: jobs a second, CPU and memory.
    Drain,
    /// Jobs enqueued a second: one by one, 64 at once, in bulk.
    Enqueue,
    /// From enqueue to start, on an idle worker.
    Latency,
    /// From the due time to the start of delayed jobs.
    Delayed,
    /// Bytes of Redis for a pending job.
    Memory,
}

impl Workload {
    pub(crate) const ALL: [Self; 5] = [
        Self::Drain,
        Self::Enqueue,
        Self::Latency,
        Self::Delayed,
        Self::Memory,
    ];
}

/// What one measurement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Drain(Pool),
    Enqueue(Way),
    Latency,
    Delayed,
    Memory,
}

/// One measurement: a task of a workload with a system.
#[derive(Debug)]
pub(crate) struct Case {
    /// The heading of its tables.
    pub(crate) title: &'static str,
    pub(crate) system: &'static System,
    pub(crate) task: Task,
    /// Its place among the cases of its group, which is its place in the tables.
    pub(crate) place: usize,
    /// Whether the others of its group are compared with it.
    pub(crate) is_reference: bool,
}

impl Case {
    /// What the system is set to, in words.
    pub(crate) fn settings(&self) -> String {
        match self.task {
            Task::Drain(pool) => self.system.worker_settings(pool),
            Task::Latency | Task::Delayed => self.system.worker_settings(self.system.best_pool()),
            Task::Enqueue(_) => self.system.producer.to_owned(),
            Task::Memory => String::new(),
        }
    }
}

/// As it is told while it runs.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.system.name)?;
        match self.task {
            Task::Enqueue(way) => write!(f, " ({way})"),
            Task::Drain(pool) => write!(f, " ({})", self.system.worker_settings(pool)),
            Task::Latency | Task::Delayed | Task::Memory => Ok(()),
        }
    }
}

/// The cases of the workloads, in groups whose cases are compared with each other.
pub(crate) fn groups(workloads: &[Workload], systems: &[&'static System]) -> Vec<Vec<Case>> {
    let groups = workloads.iter().flat_map(|workload| match workload {
        Workload::Drain => vec![
            group("drain", systems, |system| {
                system.pools.iter().copied().map(Task::Drain).collect()
            }),
            group(
                "drain, concurrency 10, crash-safe systems",
                systems,
                |system| {
                    let small = system.is_crash_safe.then_some(Task::Drain(SMALL));
                    small.into_iter().collect()
                },
            ),
        ],
        Workload::Enqueue => WAYS.map(|way| enqueue(way, systems)).into(),
        Workload::Latency => vec![group("latency", systems, |_| vec![Task::Latency])],
        Workload::Delayed => vec![group("delayed", systems, |_| vec![Task::Delayed])],
        Workload::Memory => vec![group("memory", systems, |_| vec![Task::Memory])],
    });
    groups.collect()
}

fn enqueue(way: Way, systems: &[&'static System]) -> Vec<Case> {
    group("enqueue", systems, |system| match way {
        Way::Bulk(_) if !system.has_bulk => Vec::new(),
        _ => vec![Task::Enqueue(way)],
    })
}

fn group(
    title: &'static str,
    systems: &[&'static System],
    tasks: impl Fn(&System) -> Vec<Task>,
) -> Vec<Case> {
    let cases = systems.iter().flat_map(|&system| {
        let tasks = tasks(system).into_iter().enumerate();
        tasks.map(move |(nth, task)| (system, nth, task))
    });
    let cases = cases.enumerate().map(|(place, (system, nth, task))| Case {
        title,
        system,
        task,
        place,
        // Its best worker comes first.
        is_reference: system.is_reference() && nth == 0,
    });
    cases.collect()
}
