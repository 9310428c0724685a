//! P4: workers that are stopped for less than their lease.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::check::Harm;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P4",
    fault: "workers stopped with SIGSTOP for up to 60 % of their lease",
    shows: "false adoptions 0; every job started once",
    run: |plan| run(plan).boxed(),
};

const WORKERS: usize = 3;

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let setup = plan.of(
        Setup::default().with_lease(3_000, 600),
        Setup::default().with_default_lease(),
    );
    let load = Load {
        rate: plan.of(100.0, 300.0),
        kinds: "work:5-200".to_owned(),
        ..Load::default()
    };
    let mut producer = world.producer(&load);
    let workers: Vec<_> = (0..WORKERS).map(|_| world.worker(&setup)).collect();
    let mut schedule = Schedule::new(plan.seed);
    let lease = u64::try_from(setup.lease.as_millis()).expect("a lease is short");
    let stops = plan.of(5, 200);
    for _ in 0..stops {
        schedule.pause(50..=300).await;
        let worker = &workers[schedule.pick(WORKERS)];
        let number = worker.number();
        schedule.note(format!("stop worker {number}"));
        world.signal(worker, "STOP");
        schedule.pause(lease / 10..=lease * 6 / 10).await;
        world.signal(worker, "CONT");
        schedule.note(format!("worker {number} goes on"));
    }
    world.signal(&producer, "TERM");
    producer.wait(Duration::from_secs(10)).await;
    let ending = world.finish(workers, Duration::from_secs(60)).await;

    let harm = Harm::of(&world.history(), &ending.check.jobs);
    assert_eq!(
        (harm.adopted, harm.reaped),
        (0, 0),
        "living workers were adopted"
    );
    let again = ending.check.jobs.starts() - ending.check.jobs.started();
    assert_eq!(again, 0, "jobs were started again");
    Figures::new()
        .with("stops", stops)
        .with("false adoptions", harm.reaped)
        .with("extra starts", again)
        .and(ending.figures())
}
