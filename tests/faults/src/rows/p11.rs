//! P11: producers killed in the middle of an enqueue.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use jobq::JobId;

use crate::census::Census;
use crate::check::Check;
use crate::history::History;
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Actor, Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P11",
    fault: "producers killed with `kill -9` in the middle of an enqueue",
    shows: "nothing half enqueued; whatever was accepted is there; first in, first out",
    run: |plan| run(plan).boxed(),
};

/// Jobs of one call.
const AT_ONCE: usize = 20;

/// A queue for what is enqueued for later.
const LATER: &str = "later";

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let mut schedule = Schedule::new(plan.seed);
    let kills = plan.of(16, 300);
    for round in 0..kills {
        let mut producer = world.producer(&load(round));
        begun(&world, &producer).await;
        schedule.pause(0..=60).await;
        schedule.note(format!("kill producer {}", producer.number()));
        world.kill9(&mut producer);
    }
    let check = Check::of(&world).await;
    let halves = halves(&world.history(), &check.census);
    assert_eq!(halves, 0, "calls took effect in part");
    let torn = check
        .census
        .elements
        .iter()
        .filter(|one| one.id.is_none())
        .count();
    assert_eq!(torn, 0, "elements that are no envelopes");

    // One slot: what starts is in the order of the queue.
    let worker = world.worker(&Setup {
        queues: format!("{},{LATER}", crate::jobs::QUEUE),
        concurrency: 1,
        ..Setup::default()
    });
    let ending = world
        .finish(vec![worker], Duration::from_secs(plan.of(60, 600)))
        .await;
    let disorder = ending.check.jobs.out_of_order(&world.history());
    assert_eq!(disorder, 0, "jobs were not started in their order");
    Figures::new()
        .with("kills", kills)
        .with("calls in part", halves)
        .with("torn", torn)
        .with("out of order", disorder)
        .and(ending.figures())
}

/// One at a time, many at a time, or many for later.
fn load(round: usize) -> Load {
    let (at_once, queue, delay) = match round % 3 {
        0 => (1, crate::jobs::QUEUE, 0),
        1 => (AT_ONCE, crate::jobs::QUEUE, 0),
        _ => (AT_ONCE, LATER, 1_000),
    };
    Load {
        at_once,
        queue: queue.to_owned(),
        delay: Duration::from_millis(delay),
        kinds: "work:0".to_owned(),
        rate: 3_000.0,
        ..Load::default()
    }
}

async fn begun(world: &World, producer: &Actor) {
    let began = |world: &World| {
        let history = world.history();
        let mut its = history.entries().iter().rev();
        let first = its.find(|entry| entry.actor == producer.number());
        first.map(drop)
    };
    world
        .until("a first enqueue", Duration::from_secs(20), began)
        .await;
}

/// How many calls put a part of their jobs into Redis: the intents of one stand together.
fn halves(history: &History, census: &Census) -> usize {
    let there: HashSet<JobId> = census.elements.iter().filter_map(|one| one.id).collect();
    let mut halves = 0;
    let mut call: Vec<bool> = Vec::new();
    let mut judge = |call: &mut Vec<bool>| {
        halves += usize::from(call.contains(&true) && call.contains(&false));
        call.clear();
    };
    let mut whose = 0;
    for entry in history.entries() {
        match entry.event {
            Event::Intent { id, .. } => {
                if entry.actor != whose {
                    judge(&mut call);
                }
                whose = entry.actor;
                call.push(there.contains(&id));
            }
            _ => judge(&mut call),
        }
    }
    judge(&mut call);
    halves
}
