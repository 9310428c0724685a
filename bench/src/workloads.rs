//! What can be measured, a file for each kind.

mod drains;
mod enqueue;
mod fanin;
mod idle;
mod instructions;
mod latency;
mod memory;
mod settings;

use clap::ValueEnum;

use crate::round::Plan;
use crate::sheet::Sheet;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    Limit,
    Drain,
    Enqueue,
    Latency,
    Delayed,
    Retry,
    Memory,
    Backlog,
    Payload,
    Queues,
    Idle,
    Fanin,
    Settings,
    Instructions,
}

impl Workload {
    pub(crate) const ALL: &[Self] = &[
        Self::Limit,
        Self::Drain,
        Self::Enqueue,
        Self::Latency,
        Self::Delayed,
        Self::Retry,
        Self::Memory,
        Self::Backlog,
        Self::Payload,
        Self::Queues,
        Self::Idle,
        Self::Fanin,
        Self::Settings,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Drain => "drain",
            Self::Enqueue => "enqueue",
            Self::Latency => "latency",
            Self::Delayed => "delayed",
            Self::Retry => "retry",
            Self::Memory => "memory",
            Self::Backlog => "backlog",
            Self::Payload => "payload",
            Self::Queues => "queues",
            Self::Idle => "idle",
            Self::Fanin => "fanin",
            Self::Settings => "settings",
            Self::Instructions => "instructions",
        }
    }

    /// What it measures, in a sentence.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Limit => {
                "The scripts of claim and settle in a bare loop, a batch at a time on each connection: the ceiling."
            }
            Self::Drain => {
                "A queue of no-op jobs is worked off, next to the limit at the same batch."
            }
            Self::Enqueue => {
                "Jobs are enqueued, next to a bare LPUSH of the same bytes in the same shape."
            }
            Self::Latency => {
                "From before the enqueue to the start of the handler, next to a bare LPUSH to a blocked BLMOVE."
            }
            Self::Delayed => "How late delayed jobs start; below 0 would be early.",
            Self::Retry => "A drain in which every second job fails once.",
            Self::Memory => "What Redis needs for a job, and a worker for 10,000 in flight.",
            Self::Backlog => "A drain with few and with many jobs pending.",
            Self::Payload => "A drain of larger jobs, next to the limit with the same jobs.",
            Self::Queues => "A drain of one queue and of many by one worker.",
            Self::Idle => "What a worker costs that has nothing to do.",
            Self::Fanin => "Eight worker processes wait on one queue for a job at a time.",
            Self::Settings => "What settings of Redis cost, next to its defaults.",
            Self::Instructions => {
                "Instructions that a worker executes for a no-op job, by valgrind."
            }
        }
    }

    pub(crate) async fn measure(self, plan: Plan, sheet: &mut Sheet) {
        match self {
            Self::Limit => drains::limit(plan, sheet).await,
            Self::Drain => drains::drain(plan, sheet).await,
            Self::Enqueue => enqueue::enqueue(plan, sheet).await,
            Self::Latency => latency::latency(plan, sheet).await,
            Self::Delayed => latency::delayed(plan, sheet).await,
            Self::Retry => drains::retry(plan, sheet).await,
            Self::Memory => memory::memory(plan, sheet).await,
            Self::Backlog => drains::backlog(plan, sheet).await,
            Self::Payload => drains::payload(plan, sheet).await,
            Self::Queues => drains::queues(plan, sheet).await,
            Self::Idle => idle::idle(plan, sheet).await,
            Self::Fanin => fanin::fanin(plan, sheet).await,
            Self::Settings => settings::settings(plan, sheet).await,
            Self::Instructions => instructions::instructions(plan, sheet).await,
        }
    }
}
