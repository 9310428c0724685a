//! R1: Redis killed and started again under load; it keeps all that it has acknowledged.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::check::{Harm, seconds};
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::traffic::{BUSY_AND_IDLE, Traffic, longest_call};
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "R1",
    fault: "Redis killed with `kill -9` and started again after 0.5 to 20 s, AOF always, under load",
    shows: "lost 0; false adoptions 0; no extra start; consuming again within 5 s; no call hangs",
    run: |plan| run(plan).boxed(),
};

/// A server that has on disk what it has answered.
pub(super) const KEEPS_ALL: [(&str, &str); 2] = [("appendonly", "yes"), ("appendfsync", "always")];

/// How long it may take until jobs run again: five times what is promised.
pub(super) const AGAIN_WITHIN: Duration = Duration::from_secs(25);

async fn run(plan: Plan) -> Figures {
    let mut world = World::start(&plan, &KEEPS_ALL).await;
    let setup = Setup {
        queues: BUSY_AND_IDLE.to_owned(),
        ..plan.of(
            Setup::default().with_lease(3_000, 500),
            Setup::default().with_default_lease(),
        )
    };
    let load = Load {
        rate: plan.of(150.0, 400.0),
        kinds: "work:5-60,work:5-60,fail:1-2".to_owned(),
        ..Load::default()
    };
    let mut traffic = Traffic::start(&world, &load, &setup, 3).await;
    let mut schedule = Schedule::new(plan.seed);
    let (restarts, down) = plan.of((3, 300..=2_000), (50, 500..=20_000));
    let mut again = Vec::new();
    for _ in 0..restarts {
        schedule.pause(200..=1_000).await;
        let down = schedule.draw(down.clone());
        schedule.note(format!("Redis is away for {down} ms"));
        restart(&mut world, Duration::from_millis(down)).await;
        again.push(traffic.goes_on(&world, AGAIN_WITHIN).await);
    }
    traffic.stop(&world).await;
    let ending = world.finish(traffic.workers, Duration::from_secs(60)).await;
    let harm = Harm::of(&world.history(), &ending.check.jobs);
    harm.assert_explained();
    let longest = longest_call(&world.history());
    assert!(
        longest < load.timeout + Duration::from_secs(5),
        "a call took {longest:?}"
    );
    Figures::new()
        .with("restarts", restarts)
        .and(ending.figures())
        .with("false adoptions", harm.false_adoptions)
        .with("consuming again, s", seconds(&again))
        .with("longest enqueue, ms", longest.as_millis())
}

/// Kills the server and starts it again, on the same port and what it kept, after so long.
pub(super) async fn restart(world: &mut World, down: Duration) {
    note(world, "redis-killed");
    world.server().kill();
    tokio::time::sleep(down).await;
    note(world, "redis-started");
    // Waits for the server's log, on this thread.
    tokio::task::block_in_place(|| world.server().restart());
}

/// Writes down what is done to the server.
pub(super) fn note(world: &World, what: &str) {
    let what = what.to_owned();
    world.write(&Event::Fault { actor: 0, what });
}
