//! R4: every connection is cut by the server, five times a second.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;

use crate::check::Harm;
use crate::ledger::{self, Event};
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::traffic::count;
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "R4",
    fault: "`CLIENT KILL TYPE normal` every 200 ms",
    shows: "lost 0; nothing is left in flight that nobody runs; no extra start; at least half the speed",
    run: |plan| run(plan).boxed(),
};

/// Of the speed without cuts: judged in the long form alone, for a test's machine may be busy.
const HALF: f64 = 0.5;

/// How long half of the jobs may take, cut or not.
const HALF_WITHIN: Duration = Duration::from_secs(120);

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let setup = plan.of(
        Setup::default().with_lease(3_000, 500),
        Setup::default().with_default_lease(),
    );
    let half = plan.of(1_500, 40_000);
    let load = Load {
        // A third is left when both halves are measured, however late that is seen: nobody waits.
        count: Some(3 * half as u64),
        kinds: "work:2-6".to_owned(),
        at_once: 1_000,
        ..Load::default()
    };
    let mut producer = world.producer(&load);
    producer.wait(Duration::from_secs(60)).await;

    let mut schedule = Schedule::new(plan.seed);
    let workers: Vec<_> = (0..2).map(|_| world.worker(&setup)).collect();
    world.flows(1, Duration::from_secs(20)).await;
    let whole = ended(&world, half, &mut schedule, false).await;
    let some = Load {
        rate: 50.0,
        kinds: "work:2-6,fail:1".to_owned(),
        ..Load::default()
    };
    let mut producer = world.producer(&some);
    let cut = ended(&world, half, &mut schedule, true).await;
    world.signal(&producer, "TERM");
    producer.wait(Duration::from_secs(20)).await;

    let ending = world.finish(workers, Duration::from_secs(60)).await;
    Harm::of(&world.history(), &ending.check.jobs).assert_explained();
    let speed = whole.as_secs_f64() / cut.as_secs_f64();
    let least = plan.of(0.0, HALF);
    assert!(speed >= least, "{speed:.2} of the speed without");
    Figures::new()
        .with("cuts", cut.as_millis() / EVERY.as_millis())
        .and(ending.figures())
        .with("speed, of that without", format!("{speed:.2}"))
}

const EVERY: Duration = Duration::from_millis(200);

/// How long it takes until so many further jobs have ended, by the ledgers.
async fn ended(world: &World, jobs: usize, schedule: &mut Schedule, cut: bool) -> Duration {
    let so_far = || count(&world.history(), |event| matches!(event, Event::End { .. }));
    let (began, since, goal) = (Instant::now(), ledger::now(), so_far() + jobs);
    while so_far() < goal {
        if cut {
            schedule.note("cut");
            let mut redis = world.redis().await.expect("Redis answers");
            let mut kill = redis::cmd("CLIENT");
            kill.arg("KILL").arg("TYPE").arg("normal");
            // It spares who asks.
            let killed: redis::RedisResult<u64> = kill.query_async(&mut redis).await;
            assert!(killed.expect("Redis answers") > 0, "nobody was connected");
        }
        assert!(began.elapsed() < HALF_WITHIN, "{} of {goal}", so_far());
        tokio::time::sleep(EVERY).await;
    }
    let history = world.history();
    let ends = history.entries().iter();
    let ends = ends.filter(|entry| matches!(entry.event, Event::End { .. }));
    let mut ends: Vec<_> = ends.map(|entry| entry.at).collect();
    ends.sort_unstable();
    Duration::from_millis(ends[goal - 1] - since)
}
