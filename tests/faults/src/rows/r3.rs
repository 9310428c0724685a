//! R3: Redis stands still, with much ready: it holds its connections, and answers nothing.

use std::time::Duration;

use futures_util::FutureExt as _;

use super::r1::{AGAIN_WITHIN, note};
use crate::check::{Harm, seconds};
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::traffic::{BUSY_AND_IDLE, Traffic};
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "R3",
    fault: "Redis frozen: `DEBUG SLEEP` of 0.6 s, 5 s, 20 s, and `CLIENT PAUSE`; 1,000 jobs of 1 MiB",
    shows: "lost 0; nothing is left in flight that nobody runs; false adoptions 0; no extra start",
    run: |plan| run(plan).boxed(),
};

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let (setup, timeout) = plan.of(
        (Setup::default().with_lease(3_000, 500), 1_500),
        (Setup::default().with_default_lease(), 5_000),
    );
    let setup = Setup {
        queues: BUSY_AND_IDLE.to_owned(),
        // Less than the longest freeze, so that calls are given up which are carried out later.
        timeout: Duration::from_millis(timeout),
        ..setup
    };
    let heavy = Load {
        count: Some(plan.of(120, 1_000)),
        kinds: "heavy:200-400".to_owned(),
        at_once: 8,
        ..Load::default()
    };
    let mut producer = world.producer(&heavy);
    producer.wait(Duration::from_secs(60)).await;
    let load = Load {
        rate: 50.0,
        kinds: "work:5-60,fail:1-2".to_owned(),
        ..Load::default()
    };
    let mut traffic = Traffic::start(&world, &load, &setup, 2).await;
    let mut schedule = Schedule::new(plan.seed);
    let freezes = plan.of(
        &["DEBUG SLEEP 0.6", "DEBUG SLEEP 4", "CLIENT PAUSE 1500 ALL"][..],
        &[
            "DEBUG SLEEP 0.6",
            "DEBUG SLEEP 5",
            "CLIENT PAUSE 5000 ALL",
            "DEBUG SLEEP 20",
            "CLIENT PAUSE 20000 ALL",
        ],
    );
    let mut again = Vec::new();
    for freeze in freezes {
        schedule.pause(300..=900).await;
        schedule.note(*freeze);
        stand_still(&world, freeze).await;
        again.push(traffic.goes_on(&world, AGAIN_WITHIN).await);
    }
    traffic.stop(&world).await;
    let ending = world.finish(traffic.workers, Duration::from_secs(90)).await;
    let harm = Harm::of(&world.history(), &ending.check.jobs);
    harm.assert_explained();
    Figures::new()
        .with("freezes", freezes.len())
        .with("left with a worker", ending.check.held())
        .and(ending.figures())
        .with("false adoptions", harm.false_adoptions)
        .with("consuming again, s", seconds(&again))
}

/// Freezes the server, and comes back when it answers again.
async fn stand_still(world: &World, how: &str) {
    let mut redis = world.redis().await.expect("Redis answers");
    note(world, "redis-frozen");
    for words in [how, "PING"] {
        let mut command = redis::Cmd::new();
        command.arg(words.split(' ').collect::<Vec<_>>());
        let answer: redis::RedisResult<redis::Value> = command.query_async(&mut redis).await;
        answer.expect("Redis answers in the end");
    }
    note(world, "redis-answers");
}
