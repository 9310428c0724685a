//! P3: a worker that was taken for dead goes on.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::check::{Harm, Jobs, mean_and_max};
use crate::history::{Entry, History};
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Actor, Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P3",
    fault: "a worker stopped with SIGSTOP for two leases, then SIGCONT",
    shows: "stale outcomes accepted 0; told that it was adopted within 1 s of waking",
    run: |plan| run(plan).boxed(),
};

const WORKERS: usize = 3;

/// Runs that a worker must have before it is stopped.
const RUNNING: usize = 3;

/// One of them at least has gone on for so long, in ms, that it is of those that go on, and for less
/// than twice as long, so that it does when the worker wakes.
const GOES_ON: u64 = 1_000;

/// How long others may take to notice, and it to be told, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(15);

/// Five times what is promised.
const TOLD_WITHIN: u64 = 5_000;

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let setup = plan.of(Setup::default(), Setup::default().with_default_lease());
    let load = Load {
        rate: 12.0,
        // What ends while the worker is stopped is settled when it wakes; what goes on is told. On a busy
        // machine it is stopped for longer than two leases.
        kinds: "work:200-800,deaf:200-800,work:6000-9000".to_owned(),
        ..Load::default()
    };
    let mut producer = world.producer(&load);
    let workers: Vec<_> = (0..WORKERS).map(|_| world.worker(&setup)).collect();
    let mut schedule = Schedule::new(plan.seed);
    let (mut told, mut woken) = (Vec::new(), Vec::new());
    for _ in 0..plan.of(2, 30) {
        let zombie = &workers[schedule.pick(WORKERS)];
        schedule.note(format!("stop worker {}", zombie.number()));
        let at = stop(&world, zombie, 2 * setup.lease).await;
        told.push(told_after(&world, zombie, at).await);
        woken.push((zombie.number(), at));
    }
    world.signal(&producer, "TERM");
    producer.wait(PATIENCE).await;
    let ending = world.finish(workers, Duration::from_secs(60)).await;

    let history = world.history();
    let harm = Harm::of(&history, &ending.check.jobs);
    harm.assert_explained();
    let stale = stale(&history);
    assert!(stale > 0, "no outcome came too late: the row shows nothing");
    let of = |&(zombie, at): &(usize, u64)| handlers_told(&history, zombie, at);
    let handlers: Vec<u64> = woken.iter().flat_map(of).collect();
    assert!(
        !handlers.is_empty(),
        "no handler was told that it should end"
    );
    let longest = told.iter().chain(&handlers).max().copied();
    assert!(
        longest.unwrap_or(0) <= TOLD_WITHIN,
        "told after {longest:?} ms"
    );
    Figures::new()
        .with("stops", told.len())
        .with("stale outcomes", stale)
        .with("of them accepted", ending.check.jobs.stale_accepted())
        .with("told, s", mean_and_max(&told))
        .with("handlers told, s", mean_and_max(&handlers))
        .with("false adoptions of others", harm.false_adoptions)
        .and(ending.figures())
}

/// Stops it once it has runs, until its jobs were adopted and at least for a time. Answers when it
/// was woken.
async fn stop(world: &World, zombie: &Actor, time: Duration) -> u64 {
    let busy = |world: &World| {
        let history = world.history();
        let running = Jobs::of(&history).running(zombie.number());
        (running >= RUNNING && goes_on(&history, zombie.number())).then_some(())
    };
    world.until("a worker with runs", PATIENCE, busy).await;
    let mark = world.history().entries().len();
    world.signal(zombie, "STOP");
    tokio::time::sleep(time).await;
    world
        .until("its adoption", PATIENCE, |world| {
            let history = world.history();
            let mut new = history.entries()[mark..].iter();
            new.any(|entry| matches!(entry.event, Event::Adopted { .. }))
                .then_some(())
        })
        .await;
    let woken = crate::ledger::now();
    world.signal(zombie, "CONT");
    woken
}

/// Whether a run of it has gone on for so long that it will be told.
fn goes_on(history: &History, zombie: usize) -> bool {
    let mut open = HashMap::new();
    for entry in history
        .entries()
        .iter()
        .filter(|entry| entry.actor == zombie)
    {
        match entry.event {
            Event::Start { id, .. } => {
                open.insert(id, entry.at);
            }
            Event::End { id, .. } | Event::Failed { id, .. } | Event::Cancelled { id } => {
                open.remove(&id);
            }
            _ => {}
        }
    }
    let now = crate::ledger::now();
    let new = GOES_ON..2 * GOES_ON;
    open.values()
        .any(|began| new.contains(&now.saturating_sub(*began)))
}

/// How long after it was woken it was told, in ms.
async fn told_after(world: &World, zombie: &Actor, woken: u64) -> u64 {
    let told = |world: &World| {
        let history = world.history();
        let of = history
            .entries()
            .iter()
            .filter(|entry| entry.actor == zombie.number());
        let mut reaped = of.filter(|entry| matches!(entry.event, Event::Reaped { .. }));
        reaped
            .find(|entry| entry.at >= woken)
            .map(|entry| entry.at - woken)
    };
    world.until("it to be told", PATIENCE, told).await
}

/// How long after its process was woken each handler ended that it was told of the adoption: of those
/// that had begun before, and would have gone on. A job that another worker runs meanwhile is its own.
fn handlers_told(history: &History, zombie: usize, woken: u64) -> Vec<u64> {
    let its = |entry: &&Entry| entry.actor == zombie;
    let mut open = HashSet::new();
    let mut told = Vec::new();
    for entry in history.entries().iter().filter(its) {
        match entry.event {
            Event::Start { id, .. } if entry.at < woken => drop(open.insert(id)),
            Event::End { id, .. } | Event::Failed { id, .. } => drop(open.remove(&id)),
            Event::Cancelled { id } if open.remove(&id) && entry.at >= woken => {
                told.push(entry.at - woken);
            }
            _ => {}
        }
    }
    told
}

fn stale(history: &History) -> usize {
    let stale = |event: &Event| matches!(event, Event::Settled { answer, .. } if answer == "stale");
    history
        .entries()
        .iter()
        .filter(|entry| stale(&entry.event))
        .count()
}
