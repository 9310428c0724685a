//! P10: handlers that do not heed that they should end.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use jobq::JobId;

use crate::check::Jobs;
use crate::history::History;
use crate::jobs::{block, deaf, work};
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::world::{Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P10",
    fault: "handlers that go on long after their timeout, whatever they are asked",
    shows: "each is failed as timed out; its slot is counted as leaked; the others are worked off",
    run: |plan| run(plan).boxed(),
};

/// Slots of eight that are kept.
const LEAKED: usize = 4;

/// After this a run has timed out.
const TIMEOUT: Duration = Duration::from_millis(300);

/// How long things may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let client = world.client().await;
    let setup = Setup::default().with_default_lease();
    let worker = world.worker(&setup);
    let on = plan.of(6_000, 60_000);
    let (mut timed_out, mut dropped) = (Vec::new(), HashSet::new());
    for _ in 0..LEAKED {
        let job = block::new(on).timeout(TIMEOUT).retries(0);
        timed_out.push(world.enqueue(&client, job).await);
        // Dropped where it waits: this one keeps nothing.
        let job = deaf::new(on).timeout(TIMEOUT).retries(0);
        let id = world.enqueue(&client, job).await;
        timed_out.push(id);
        dropped.insert(id);
    }
    let leaked = |_: &World| {
        let leaked = worker.log().matches(LEAK).count();
        (leaked >= LEAKED).then_some(leaked)
    };
    let leaked = world
        .until("the slots to be leaked", PATIENCE, leaked)
        .await;
    assert_eq!(leaked, LEAKED, "slots that are told to be leaked");
    let mut others = Vec::new();
    for _ in 0..plan.of(200, 5_000) {
        others.push(world.enqueue(&client, work::new(20)).await);
    }
    let all_done = |world: &World| {
        let jobs = Jobs::of(&world.history());
        let done = |id| jobs.get(id).is_some_and(|job| job.acks > 0);
        others.iter().all(|id| done(*id)).then_some(())
    };
    world
        .until("the others to be done", PATIENCE, all_done)
        .await;
    let at_once = most_at_once(&world.history(), &dropped);
    let slots = setup.concurrency as usize;
    assert!(
        at_once <= slots,
        "{at_once} runs at once, the leaked ones included, in {slots} slots"
    );
    let queue = client.queue(crate::jobs::QUEUE).expect("a legal name");
    let dead = queue.dead().list(0, 100).await.expect("Redis answers");
    assert_eq!(dead.len(), timed_out.len());
    for job in &dead {
        assert!(job.error().contains("timed out"), "{job:?}");
    }
    let ending = world.finish(vec![worker], PATIENCE).await;
    Figures::new()
        .with("timed out", dead.len())
        .with("slots leaked", leaked)
        .with("runs at once, of 8 slots", at_once)
        .and(ending.figures())
}

/// The most runs that were under way at once, those included that go on after their timeout. A run
/// writes down its beginning when it has its slot and its end before it gives that back; but for
/// those that were dropped.
fn most_at_once(history: &History, dropped: &HashSet<JobId>) -> usize {
    let (mut running, mut most) = (HashSet::new(), 0);
    for entry in history.entries() {
        match entry.event {
            Event::Start { id, .. } if !dropped.contains(&id) => drop(running.insert(id)),
            Event::End { id, .. } => drop(running.remove(&id)),
            _ => {}
        }
        most = most.max(running.len());
    }
    most
}

/// What a worker says of each.
const LEAK: &str = "goes on after its timeout";
