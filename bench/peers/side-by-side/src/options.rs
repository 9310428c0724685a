//! The command line.

use clap::Parser;

use crate::plan::Workload;
use crate::systems::{self, System};

/// Runs jobq and its peers in turn, and prints the table of ratios.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5, value_parser = at_least_one)]
    pub(crate) rounds: usize,

    /// The systems: jobq, apalis, oxana, bullmq-official, rusty-sidekiq. All unless given.
    #[arg(long, value_delimiter = ',', value_parser = systems::named, default_values = systems::NAMES, hide_default_value = true)]
    pub(crate) systems: Vec<&'static System>,

    /// The workloads. All unless given.
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Workload::ALL, hide_default_value = true)]
    pub(crate) workloads: Vec<Workload>,

    /// Jobs of a drain, of an enqueue and of the fill for memory, instead of each system's own number.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1000..))]
    pub(crate) jobs: Option<u64>,

    /// Prints one JSON object a line instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How many jobs the workloads have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    jobs: Option<u64>,
}

impl Options {
    pub(crate) fn sizes(&self) -> Sizes {
        Sizes { jobs: self.jobs }
    }
}

impl Sizes {
    /// For a drain, and for enqueueing many at once: as many as take the system a second or more.
    pub(crate) fn many(self, system: &System) -> u64 {
        self.jobs.unwrap_or(system.jobs)
    }

    /// For enqueueing one by one.
    pub(crate) fn one_by_one(self) -> u64 {
        self.jobs.map_or(20_000, |jobs| jobs.min(20_000))
    }

    /// For the memory of pending jobs.
    pub(crate) fn pending(self) -> u64 {
        self.jobs.unwrap_or(100_000)
    }

    /// For the latency of jobs that start at once.
    pub(crate) fn started(self) -> u64 {
        300
    }

    /// For the lateness of jobs that are delayed: fewer, as rusty-sidekiq starts ten in 5 s.
    pub(crate) fn delayed(self) -> u64 {
        100
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one round".to_owned()),
        Ok(rounds) => Ok(rounds),
        Err(error) => Err(format!("{error}")),
    }
}
