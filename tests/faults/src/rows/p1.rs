//! P1: workers killed at random while producers enqueue.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::check::Check;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P1",
    fault: "workers killed with `kill -9` at random, every 50 to 500 ms",
    shows: "lost 0; extra starts per kill at most the concurrency; ready again within lease + 5 s",
    run: |plan| run(plan).boxed(),
};

/// Workers that are killed, beside one that is not.
const MORTAL: usize = 4;

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let setup = plan.of(Setup::default(), Setup::default().with_default_lease());
    let load = Load {
        rate: plan.of(300.0, 2_500.0),
        kinds: "work:5-60".to_owned(),
        ..Load::default()
    };
    let (kills, least) = plan.of((20, 0), (300, 200_000));

    let mut schedule = Schedule::new(plan.seed);
    let mut producer = world.producer(&load);
    let steady = world.worker(&setup);
    let mut mortal: Vec<_> = (0..MORTAL).map(|_| world.worker(&setup)).collect();
    let mut killed = 0;
    while killed < kills || least > 0 && Check::accepted(&world) < least {
        schedule.pause(50..=500).await;
        let index = schedule.pick(MORTAL);
        schedule.note(format!("kill worker {}", mortal[index].number()));
        world.kill9(&mut mortal[index]);
        mortal[index] = world.worker(&setup);
        killed += 1;
    }
    world.signal(&producer, "TERM");
    producer.wait(Duration::from_secs(10)).await;

    let drained = world
        .drain(MORTAL as u64 + 1, Duration::from_secs(60))
        .await;
    let check = Check::of(&world).await;
    let canaries = world.canaries(Duration::from_secs(5)).await;
    drop((steady, mortal));
    Figures::new()
        .with("kills", killed)
        .and(check.figures())
        .with("drained after, s", format!("{:.1}", drained.as_secs_f64()))
        .with("a new job starts within, ms", canaries.as_millis())
}
