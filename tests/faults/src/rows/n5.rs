//! N5: connections are refused, for minutes. Whoever waits must cost nothing and come back.

use std::fs;
use std::time::Duration;

use futures_util::FutureExt as _;
use jobq_proxy::{Ending, Refusal};
use tokio::time::{Instant, sleep};

use super::network::{GENEROUS, Net};
use crate::check::seconds;
use crate::row::{Figures, Plan, Row};
use crate::world::{Actor, Setup};

/// The row.
pub const ROW: Row = Row {
    id: "N5",
    fault: "connections are refused for minutes: nobody listens, or each is reset at once",
    shows: "CPU at most 2 % of a core, memory flat, at most a log line a second; false adoptions 0; all resume",
    run: |plan| run(plan).boxed(),
};

const AT_WORK_WITHIN: Duration = Duration::from_secs(5);

/// Of a core, in percent, on average.
const CPU: f64 = 2.0;

/// Lines of a worker's log, a second.
const LINES: f64 = 1.0;

/// What a worker may need more than before, in KiB: the allocator keeps some.
const MEMORY: u64 = 4 * 1024;

/// Of `/proc/<pid>/stat`; the same on every Linux.
const TICKS_A_SECOND: f64 = 100.0;

/// What a process has used.
#[derive(Debug, Clone, Copy)]
struct Used {
    ticks: u64,
    resident: u64,
    lines: usize,
}

async fn run(plan: Plan) -> Figures {
    let setup = plan.of(
        Setup::default().with_lease(3_000, 1_000),
        Setup::default().with_default_lease(),
    );
    let lasts = Duration::from_secs(plan.of(5, 120));
    let net = Net::start(&plan, &setup).await;
    let (mut at_work, mut worst) = (Vec::new(), (0.0_f64, 0.0_f64, 0));
    for refusal in [Refusal::Closed, Refusal::Reset] {
        net.note(&format!("refuse {refusal:?}"));
        net.proxy.refuse(refusal).await;
        net.proxy.cut_all(Ending::Reset);
        let (before, began) = (used(&net), Instant::now());
        sleep(lasts).await;
        let took = began.elapsed().as_secs_f64();
        for (before, after) in before.iter().zip(used(&net)) {
            let cpu = (after.ticks - before.ticks) as f64 / TICKS_A_SECOND / took * 100.0;
            let lines = (after.lines - before.lines) as f64 / took;
            let memory = after.resident.saturating_sub(before.resident);
            worst = (worst.0.max(cpu), worst.1.max(lines), worst.2.max(memory));
        }
        let mark = net.mark();
        net.note("healed");
        net.proxy.heal().await;
        at_work.push(net.at_work(mark, GENEROUS * AT_WORK_WITHIN).await);
    }
    let (cpu, lines, memory) = worst;
    assert!(
        cpu <= f64::from(GENEROUS) * CPU,
        "a worker used {cpu:.1} % of a core"
    );
    assert!(lines <= LINES, "a worker wrote {lines:.1} lines a second");
    assert!(memory <= MEMORY, "a worker grew by {memory} KiB");
    Figures::new()
        .with("outages", at_work.len())
        .with("CPU of a core, max, %", format!("{cpu:.1}"))
        .with("log lines a second, max", format!("{lines:.1}"))
        .with("memory grown, max, KiB", memory)
        .with("consuming again, s", seconds(&at_work))
        .and(net.finish().await)
}

fn used(net: &Net) -> Vec<Used> {
    net.workers.iter().map(used_by).collect()
}

fn used_by(worker: &Actor) -> Used {
    let of = |file| {
        let path = format!("/proc/{}/{file}", worker.pid());
        fs::read_to_string(path).expect("the process runs")
    };
    let stat = of("stat");
    // Behind the name, which may hold anything: utime and stime are the 14th and 15th of all.
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind.split_whitespace().skip(11).take(2);
    let resident = of("status");
    let resident = resident
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Used {
        ticks: ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum(),
        resident: resident.expect("a process that runs is in memory"),
        lines: worker.log().lines().count(),
    }
}
