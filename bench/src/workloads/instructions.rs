//! Instructions that a worker executes for a job: a figure that does not depend on how busy the machine
//! is, counted by valgrind.

use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::load::fill_noop;
use crate::round::Plan;
use crate::sheet::{Row, Sheet};
use crate::store::Store;
use crate::worker::{Process, Setup, until_done};

/// Jobs of the longer run; the shorter has half of them. Their difference has no start in it.
const JOBS: u64 = 100_000;

pub(super) async fn instructions(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    let jobs = plan.jobs(JOBS);
    let mut row = Row::new().with("concurrency", 1000).with("connections", 1);
    for _ in 0..plan.rounds {
        let few = count(&store, jobs / 2).await;
        let many = count(&store, jobs).await;
        let per_job = (many - few) / (jobs - jobs / 2) as f64;
        row.note("instructions_per_job", per_job);
    }
    sheet.print(&row);
}

/// All that a worker executes which does so many jobs.
async fn count(store: &Store, jobs: u64) -> f64 {
    store.flush().await;
    fill_noop(&store.url(), jobs).await;
    let mut valgrind = Command::new("valgrind");
    // Threads take turns by their age, not by chance.
    valgrind.args(["--tool=callgrind", "--fair-sched=yes"]);
    valgrind.arg(format!(
        "--callgrind-out-file={}",
        std::env::var("JOBQ_BENCH_CALLGRIND").unwrap_or_else(|_| "/dev/null".to_owned())
    ));
    valgrind.stderr(Stdio::piped());
    let mut workers = [Process::start_in(valgrind, &Setup::new(store, 1000, 1))];
    until_done(&mut workers, jobs).await;
    let [worker] = workers;
    let mut said = String::new();
    let mut stderr = worker.ended().expect("its errors are piped");
    stderr
        .read_to_string(&mut said)
        .expect("valgrind writes text");
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("valgrind says how many instructions it saw: {said}"))
}
