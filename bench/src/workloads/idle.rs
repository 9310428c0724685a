//! What an idle worker costs: its processor time, and how often it calls Redis.

use std::time::Duration;

use tokio::time::sleep;

use crate::round::{Plan, QUEUE};
use crate::sheet::{Row, Sheet};
use crate::store::{Calls, Store};
use crate::worker::{Process, Setup};

/// Until the start of a worker is over.
const SETTLES: Duration = Duration::from_secs(3);

const LOOKS: Duration = Duration::from_secs(10);

pub(super) async fn idle(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    for queues in [1u32, 10, 100] {
        let mut row = Row::new().with("queues", queues);
        for _ in 0..plan.rounds {
            store.flush().await;
            let mut setup = Setup {
                watched: false,
                ..Setup::new(&store, 100, 1)
            };
            setup.queues = (0..queues)
                .map(|number| format!("{QUEUE}-{number}"))
                .collect();
            let mut worker = Process::start(&setup);
            sleep(SETTLES).await;
            let (cpu, redis_cpu) = (worker.report().cpu_us, store.cpu_us().await);
            let calls = Calls::watch(&store);
            sleep(LOOKS).await;
            let seconds = LOOKS.as_secs_f64();
            let made = calls.seen();
            row.note("calls_per_s", made.all as f64 / seconds);
            row.note(
                "worker_cpu_percent",
                (worker.report().cpu_us - cpu) / seconds / 1e4,
            );
            row.note(
                "redis_cpu_percent",
                (store.cpu_us().await - redis_cpu) / seconds / 1e4,
            );
        }
        sheet.print(&row);
    }
}
