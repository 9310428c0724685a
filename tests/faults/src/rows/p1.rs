//! P1: workers killed at random while producers enqueue.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::check::{Check, Harm};
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Actor, Load, Setup, World};

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
    let setup = plan.of(
        Setup::default(),
        Setup {
            concurrency: 16,
            ..Setup::default().with_default_lease()
        },
    );
    let load = Load {
        rate: plan.of(300.0, 2_500.0),
        kinds: "work:5-60".to_owned(),
        ..Load::default()
    };
    let mut producer = world.producer(&load);
    let mut workers: Vec<_> = (0..=MORTAL).map(|_| world.worker(&setup)).collect();
    let mut schedule = Schedule::new(plan.seed);
    let (kills, accepted) = plan.of((20, 0), (300, 200_000));
    // In kills: everything is checked under load.
    let check_every = plan.of(20, 50);
    let mut killed = 0;
    while killed < kills || Check::accepted(&world) < accepted {
        schedule.pause(50..=500).await;
        kill_one(&world, &mut workers, &setup, &mut schedule);
        killed += 1;
        if killed % check_every == check_every / 2 {
            Check::of(&world).await;
        }
    }
    world.signal(&producer, "TERM");
    producer.wait(Duration::from_secs(10)).await;
    // Suspects are run one after the other.
    let limit = Duration::from_secs(plan.of(60, 600));
    let ending = world.finish(workers, limit).await;

    let harm = Harm::of(&world.history(), &ending.check.jobs);
    harm.assert_explained();
    let longest = setup.lease + Duration::from_secs(5);
    harm.assert_bounds(setup.concurrency as usize, 5 * longest);
    Figures::new()
        .with("concurrency", setup.concurrency)
        .and(harm.figures())
        .and(ending.figures())
}

/// Kills one of all but the first, and starts another in its place.
pub(super) fn kill_one(
    world: &World,
    workers: &mut [Actor],
    setup: &Setup,
    schedule: &mut Schedule,
) {
    let mortal = &mut workers[1..];
    let index = schedule.pick(mortal.len());
    schedule.note(format!("kill worker {}", mortal[index].number()));
    world.kill9(&mut mortal[index]);
    mortal[index] = world.worker(setup);
}
