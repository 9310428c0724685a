//! M6: killed workers, cut connections and forgotten scripts, for long.

mod flat;

use std::time::Duration;

use futures_util::FutureExt as _;
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;

use self::flat::Samples;
use super::p1::kill_one;
use crate::check::Harm;
use crate::jobs::QUEUE;
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row, Size};
use crate::schedule::Schedule;
use crate::world::{Actor, Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "M6",
    fault: "an hour of killed workers, cut connections, forgotten scripts and pauses",
    shows: "lost 0; memory, descriptors, tasks and keys flat",
    run: |plan| run(plan).boxed(),
};

/// Workers that are killed, beside one that is not.
const MORTAL: usize = 3;

/// How often something is done.
const STEP: Duration = Duration::from_millis(100);

/// How often what is used is noted.
const SAMPLE_EVERY: Duration = Duration::from_millis(500);

async fn run(plan: Plan) -> Figures {
    let time = match (plan.minutes, plan.size) {
        (Some(minutes), _) => Duration::from_secs(60 * minutes),
        (None, Size::Short) => Duration::from_secs(12),
        (None, Size::Long) => Duration::from_secs(3_600),
    };
    let mut world = World::start(&plan, &[]).await;
    let setup = plan.of(
        Setup::default().with_lease(3_000, 600),
        Setup::default().with_default_lease(),
    );
    let load = Load {
        rate: 150.0,
        kinds: "work:5-60,work:5-60,fail:1".to_owned(),
        ..Load::default()
    };
    let mut producer = world.producer(&load);
    let mut workers: Vec<_> = (0..=MORTAL).map(|_| world.worker(&setup)).collect();
    let mut schedule = Schedule::new(plan.seed);
    let mut samples = Samples::default();
    let mut redis = world.redis().await.expect("Redis answers");
    let (began, mut sampled) = (Instant::now(), Instant::now());
    let mut kill_at = Instant::now();
    while began.elapsed() < time {
        tokio::time::sleep(STEP).await;
        harm(&world, &mut redis, &mut schedule).await;
        if Instant::now() >= kill_at {
            kill_one(&world, &mut workers, &setup, &mut schedule);
            kill_at = Instant::now() + Duration::from_millis(schedule.draw(200..=2_000));
        }
        if sampled.elapsed() >= SAMPLE_EVERY {
            sampled = Instant::now();
            let server = world.server().pid();
            note(
                &mut samples,
                &world,
                &workers[0],
                &producer,
                server,
                &mut redis,
            )
            .await;
        }
    }
    world.signal(&producer, "TERM");
    producer.wait(Duration::from_secs(20)).await;
    let ending = world.finish(workers, Duration::from_secs(120)).await;
    let harm = Harm::of(&world.history(), &ending.check.jobs);
    harm.assert_explained();
    let grown = samples.grown();
    assert!(grown.is_empty(), "{}", grown.join("\n"));
    Figures::new()
        .with("minutes", format!("{:.1}", time.as_secs_f64() / 60.0))
        .and(harm.figures())
        .and(ending.figures())
        .and(samples.figures())
}

/// One of the small harms, to everybody but the connection that does it.
async fn harm(world: &World, redis: &mut MultiplexedConnection, schedule: &mut Schedule) {
    let (words, all): (&[&str], _) = match schedule.pick(8) {
        0 => (&["CLIENT", "KILL", "TYPE", "normal"], true),
        1 => (&["CLIENT", "KILL", "TYPE", "pubsub"], true),
        2..=6 => (&["SCRIPT", "FLUSH"], true),
        _ => (&[], false),
    };
    if all {
        schedule.note(words.join(" "));
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        let done = command.query_async::<redis::Value>(redis).await;
        done.expect("Redis does as it is told");
    } else if schedule.pick(5) == 0 {
        pause(world, schedule).await;
    }
}

/// Pauses the queue for a moment.
async fn pause(world: &World, schedule: &mut Schedule) {
    schedule.note("pause");
    let client = world.client().await;
    let queue = client.queue(QUEUE).expect("a legal name");
    queue.pause().await.expect("Redis answers");
    world.write(&Event::Paused {
        queue: QUEUE.to_owned(),
        on: true,
    });
    schedule.pause(50..=200).await;
    world.write(&Event::Paused {
        queue: QUEUE.to_owned(),
        on: false,
    });
    queue.resume().await.expect("Redis answers");
}

async fn note(
    samples: &mut Samples,
    world: &World,
    worker: &Actor,
    producer: &Actor,
    server: u32,
    redis: &mut MultiplexedConnection,
) {
    samples.note_process("worker", worker.pid());
    samples.note_process("producer", producer.pid());
    samples.note_process("Redis", server);
    if let Some(tasks) = tasks(world, worker) {
        samples.note("worker tasks", tasks, 20.0);
    }
    let keys = redis::cmd("DBSIZE").query_async::<u64>(redis).await;
    samples.note("keys", keys.expect("Redis answers") as f64, 5.0);
}

/// How many tasks it last wrote down to have.
fn tasks(world: &World, worker: &Actor) -> Option<f64> {
    let history = world.history();
    let mut its = history.entries().iter().rev().take(10_000);
    its.find_map(|entry| match entry.event {
        Event::Tasks { alive } if entry.actor == worker.number() => Some(alive as f64),
        _ => None,
    })
}
