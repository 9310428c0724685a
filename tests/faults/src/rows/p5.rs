//! P5: many workers notice a death at the same time.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::check::{Harm, Jobs};
use crate::history::History;
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Actor, Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P5",
    fault: "two workers killed at once, eight others look after the dead",
    shows: "adopted twice 0; extra starts at most the concurrency",
    run: |plan| run(plan).boxed(),
};

const REAPERS: usize = 8;

const VICTIMS: usize = 2;

/// Runs that a victim must have.
const RUNNING: usize = 10;

/// How long processes may take to come so far.
const PATIENCE: Duration = Duration::from_secs(20);

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let base = plan.of(
        Setup::default().with_lease(2_000, 400),
        Setup::default().with_default_lease(),
    );
    let reaper = Setup {
        concurrency: 2,
        ..base.clone()
    };
    let victim = Setup {
        concurrency: 50,
        ..base
    };
    let load = Load {
        count: Some(VICTIMS as u64 * u64::from(victim.concurrency)),
        kinds: "work:200-600".to_owned(),
        ..Load::default()
    };
    let reapers: Vec<_> = (0..REAPERS).map(|_| world.worker(&reaper)).collect();
    let mut schedule = Schedule::new(plan.seed);
    let mut held = 0;
    let rounds = plan.of(2, 30);
    for _ in 0..rounds {
        let mut victims: Vec<_> = (0..VICTIMS).map(|_| world.worker(&victim)).collect();
        joined(&world, (REAPERS + VICTIMS) as u64).await;
        let mut producer = world.producer(&load);
        busy(&world, &victims).await;
        schedule.pause(0..=100).await;
        held += running(&world, &victims);
        for victim in &mut victims {
            schedule.note(format!("kill worker {}", victim.number()));
            world.kill9(victim);
        }
        producer.wait(PATIENCE).await;
        // So that no job meets two deaths, and waits for an empty worker.
        world.drain(&reapers, Duration::from_secs(60)).await;
    }
    let ending = world.finish(reapers, Duration::from_secs(60)).await;

    let history = world.history();
    let harm = Harm::of(&history, &ending.check.jobs);
    harm.assert_explained();
    assert!(
        harm.most_again() <= victim.concurrency as usize,
        "{:?}",
        harm.again
    );
    let twice = adopted_twice(&history);
    assert_eq!(twice, 0, "jobs were adopted twice from one worker");
    Figures::new()
        .with("rounds", rounds)
        .with("jobs that the dead held", held)
        .with("adopted twice", twice)
        .and(harm.figures())
        .and(ending.figures())
}

/// Waits until there are so many members.
async fn joined(world: &World, members: u64) {
    let joined = async {
        while world.count().await.members < members {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let joined = tokio::time::timeout(PATIENCE, joined).await;
    joined.expect("all workers join");
}

async fn busy(world: &World, victims: &[Actor]) {
    let busy = |world: &World| {
        let jobs = Jobs::of(&world.history());
        let busy = |one: &Actor| jobs.running(one.number()) >= RUNNING;
        victims.iter().all(busy).then_some(())
    };
    world.until("victims with runs", PATIENCE, busy).await;
}

fn running(world: &World, victims: &[Actor]) -> usize {
    let jobs = Jobs::of(&world.history());
    victims.iter().map(|one| jobs.running(one.number())).sum()
}

/// A victim runs each job once: how many were taken over from it more often.
fn adopted_twice(history: &History) -> usize {
    let mut adopted = HashMap::new();
    for entry in history.entries() {
        if let Event::Adopted { id, target, .. } = &entry.event {
            *adopted.entry((target, id)).or_insert(0_usize) += 1;
        }
    }
    adopted.into_values().filter(|&times| times > 1).count()
}
