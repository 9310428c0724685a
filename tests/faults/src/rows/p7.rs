//! P7: handlers that panic, in every way.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::jobs::{self, mute, panics, panics_blocking};
use crate::row::{Figures, Plan, Row};
use crate::world::{Actor, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P7",
    fault: "panics: in a handler, in `Drop` (at a timeout too), in the `Display` of its error, in \
            blocking code, with a payload that is no text or panics in its turn",
    shows: "each is a failed attempt, and the next one succeeds; the worker lives on",
    run: |plan| run(plan).boxed(),
};

/// Of the handler that is dropped by it.
const TIMEOUT: Duration = Duration::from_millis(100);

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let client = world.client().await;
    let worker = world.worker(&Setup::default().with_default_lease());
    let mut panicked = Vec::new();
    for _ in 0..plan.of(40, 2_000) {
        for how in ["drop", "payload", "payload that drops", "in the handler"] {
            panicked.push(world.enqueue(&client, panics::new(how)).await);
        }
        let late = panics::new("drop at its timeout").timeout(TIMEOUT);
        panicked.push(world.enqueue(&client, late).await);
        let blocking = panics_blocking::new("in blocking code");
        panicked.push(world.enqueue(&client, blocking).await);
        panicked.push(world.enqueue(&client, mute::new()).await);
        world.enqueue(&client, jobs::work::new(5)).await;
    }
    let mut workers = vec![worker];
    world.drain(&workers, Duration::from_secs(60)).await;
    let ended = workers.iter_mut().filter_map(Actor::ended).count();
    assert_eq!(ended, 0, "the worker ended");
    let log = workers[0].log();
    let ending = world.finish(workers, Duration::from_secs(60)).await;

    for id in &panicked {
        let job = ending.check.jobs.get(*id).expect("it was enqueued");
        let attempts: Vec<_> = job.runs.iter().map(|run| run.attempt).collect();
        assert_eq!((attempts, job.acks), (vec![1, 2], 1), "job {id}: {job:?}");
    }
    assert!(!log.contains("a component panicked"), "{log}");
    Figures::new()
        .with("panics", panicked.len())
        .with("workers that ended", ended)
        .and(ending.figures())
}
