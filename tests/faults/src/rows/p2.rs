//! P2: workers that end themselves before and after each step.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use futures_util::FutureExt as _;
use jobq::JobId;
use tokio::time::{Instant, sleep};

use crate::check::Harm;
use crate::death::{Death, Side};
use crate::jobs::QUEUE;
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Actor, Load, NAMESPACE, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P2",
    fault: "workers killed before and after each kind of step",
    shows: "lost 0; accepted outcomes per claim at most 1; every point reached",
    run: |plan| run(plan).boxed(),
};

/// What a worker does, and where it can be killed.
const STEPS: [&str; 14] = [
    "fork",
    "claim",
    "cancelled",
    "run",
    "settle",
    "renew",
    "promote",
    "members",
    "adopt",
    "owners",
    "held",
    "wait",
    "interrupt",
    "leave",
];

/// Steps of a shutdown.
const OF_THE_END: [&str; 2] = ["interrupt", "leave"];

/// Victims at a time.
const AT_ONCE: usize = 8;

/// How long a victim may take to come to its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a worker dies for others to adopt: some point is the last, and nobody else dies then.
const PREY_EVERY: Duration = Duration::from_secs(2);

/// With more jobs than these open, no worker would ever wait, and none would wait in vain: then no
/// more are enqueued for a while.
const BACKLOG: u64 = 100;

/// Victims for each point at the most, for some come to their end by another way.
const TRIES: usize = 5;

const LOOK_EVERY: Duration = Duration::from_millis(20);

struct Victim {
    actor: Actor,
    death: Death,
    began: Instant,
    told: bool,
}

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let setup = Setup {
        concurrency: 4,
        threads: 1,
        ..Setup::default()
    };
    let load = Load {
        rate: 150.0,
        kinds: "work:5-60,work:5-60,fail:1".to_owned(),
        ..Load::default()
    };
    cancel_nobody(&world).await;
    let mut producer = world.producer(&load);
    let mut deaths = deaths(&plan);
    let points = deaths.len();
    let mut victims: Vec<Victim> = Vec::new();
    let (mut started, mut reached) = (0, 0);
    let (mut prey, mut fed) = (world.worker(&setup), Instant::now());
    let mut full = false;
    while !deaths.is_empty() || !victims.is_empty() {
        while victims.len() < AT_ONCE
            && let Some(death) = deaths.pop_front()
        {
            assert!(started < TRIES * points, "no worker comes to {death}");
            victims.push(victim(&world, &setup, death));
            started += 1;
        }
        for mut victim in std::mem::take(&mut victims) {
            match victim.actor.ended() {
                None => {
                    look_after(&world, &mut victim);
                    victims.push(victim);
                }
                Some(status) if is_killed(status) => {
                    let actor = victim.actor.number();
                    world.write(&Event::Killed { actor });
                    reached += 1;
                }
                Some(status) => {
                    let log = victim.actor.log();
                    assert!(status.success(), "{}: {status}\n{log}", victim.death);
                    // It had no wait to interrupt: another tries.
                    deaths.push_back(victim.death);
                }
            }
        }
        if fed.elapsed() > PREY_EVERY {
            world.kill9(&mut prey);
            (prey, fed) = (world.worker(&setup), Instant::now());
            let before = std::mem::replace(&mut full, world.count().await.open > BACKLOG);
            if full != before {
                world.signal(&producer, if full { "STOP" } else { "CONT" });
            }
        }
        sleep(LOOK_EVERY).await;
    }
    world.kill9(&mut prey);
    for name in ["CONT", "TERM"] {
        world.signal(&producer, name);
    }
    producer.wait(Duration::from_secs(10)).await;
    forget_cancelled(&world).await;
    let living = (0..2).map(|_| world.worker(&setup)).collect();
    let ending = world.finish(living, Duration::from_secs(90)).await;

    let harm = Harm::of(&world.history(), &ending.check.jobs);
    harm.assert_explained();
    assert_eq!(reached, points, "every point is reached");
    let figures = Figures::new()
        .with("points", points)
        .with("victims", started);
    figures.and(harm.figures()).and(ending.figures())
}

/// Cancels an id that no job has: from then on whoever claims asks which of its jobs are cancelled.
async fn cancel_nobody(world: &World) {
    let queue = world
        .client()
        .await
        .queue(QUEUE)
        .expect("the name is legal");
    queue.cancel(JobId::new()).await.expect("Redis answers");
}

/// It would be kept for days.
async fn forget_cancelled(world: &World) {
    let mut redis = world.redis().await.expect("Redis answers");
    let mut delete = redis::cmd("DEL");
    delete.arg(format!("{NAMESPACE}:{{{QUEUE}}}:cancelled"));
    let deleted: redis::RedisResult<u64> = delete.query_async(&mut redis).await;
    assert_eq!(deleted, Ok(1), "the cancelled ids of the queue");
}

/// In an order of chance, so that different points meet each other.
fn deaths(plan: &Plan) -> VecDeque<Death> {
    let mut schedule = Schedule::new(plan.seed);
    let mut deaths: Vec<_> = (1..=plan.of(1_u64, 10))
        .flat_map(|number| {
            let sides = [Side::Before, Side::After].into_iter();
            sides.flat_map(move |side| {
                STEPS.map(|step| {
                    let step = step.to_owned();
                    let number = match step.as_str() {
                        // What is done once is done once; others adopt too.
                        "fork" | "interrupt" | "leave" | "held" => 1,
                        "adopt" => number.div_ceil(4),
                        _ => number,
                    };
                    Death { side, step, number }
                })
            })
        })
        .collect();
    for last in (1..deaths.len()).rev() {
        deaths.swap(last, schedule.pick(last + 1));
    }
    deaths.into()
}

fn victim(world: &World, setup: &Setup, death: Death) -> Victim {
    // Only a worker that misses an answer asks what it holds.
    let lose = (death.step == "held").then(|| "claim:2".to_owned());
    let setup = Setup {
        die: Some(death.to_string()),
        lose,
        ..setup.clone()
    };
    Victim {
        actor: world.worker(&setup),
        death,
        began: Instant::now(),
        told: false,
    }
}

/// One that dies at its shutdown is told to end, once it works.
fn look_after(world: &World, victim: &mut Victim) {
    let death = &victim.death;
    assert!(
        victim.began.elapsed() < PATIENCE,
        "no worker came to {death} within {PATIENCE:?}\n{}",
        victim.actor.log()
    );
    if victim.told || !OF_THE_END.contains(&death.step.as_str()) {
        return;
    }
    let number = victim.actor.number();
    let works = world
        .history()
        .entries()
        .iter()
        .any(|entry| entry.actor == number && matches!(entry.event, Event::End { .. }));
    if works {
        world.signal(&victim.actor, "TERM");
        victim.told = true;
    }
}

fn is_killed(status: ExitStatus) -> bool {
    status.signal().is_some()
}
