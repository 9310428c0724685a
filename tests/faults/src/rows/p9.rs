//! P9: handlers that block every thread of the runtime.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::check::{Harm, Jobs};
use crate::jobs::busy;
use crate::row::{Figures, Plan, Row};
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P9",
    fault: "handlers that sleep for two leases without yielding, on every thread of the runtime",
    shows: "false adoptions 0; every job started once",
    run: |plan| run(plan).boxed(),
};

/// How long processes may take to start or end, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let client = world.client().await;
    let setup = plan.of(
        Setup::default().with_lease(3_000, 600),
        Setup::default().with_default_lease(),
    );
    let hog = u64::try_from(2 * setup.lease.as_millis()).expect("a lease is short");
    let mut workers = vec![world.worker(&setup)];
    let rounds = plan.of(1, 10);
    for _ in 0..rounds {
        let mut hogs = Vec::new();
        for _ in 0..setup.threads {
            hogs.push(world.enqueue(&client, busy::new(hog)).await);
        }
        let begun = |world: &World| {
            let jobs = Jobs::of(&world.history());
            let runs = |id| jobs.get(id).is_some_and(|job| !job.runs.is_empty());
            hogs.iter().all(|id| runs(*id)).then_some(())
        };
        world
            .until("all threads to be blocked", PATIENCE, begun)
            .await;
        // Whoever works meanwhile looks whether the other lives.
        workers.push(world.worker(&setup));
        let mut producer = world.producer(&Load {
            count: Some(hog / 20),
            rate: 50.0,
            kinds: "work:1-20".to_owned(),
            ..Load::default()
        });
        producer
            .wait(2 * Duration::from_millis(hog) + PATIENCE)
            .await;
        world.drain(&workers, PATIENCE).await;
        let mut watcher = workers.pop().expect("there are two");
        world.signal(&watcher, "TERM");
        watcher.wait(PATIENCE).await;
    }
    assert!(workers[0].log().contains("the runtime is stalled"));
    assert_eq!(workers[0].ended(), None);
    let ending = world.finish(workers, PATIENCE).await;

    let harm = Harm::of(&world.history(), &ending.check.jobs);
    assert_eq!(
        (harm.adopted, harm.reaped),
        (0, 0),
        "a living worker was adopted"
    );
    let again = ending.check.jobs.starts() - ending.check.jobs.started();
    assert_eq!(again, 0, "jobs were started again");
    Figures::new()
        .with("stalls", rounds)
        .with("false adoptions", harm.reaped)
        .with("extra starts", again)
        .and(ending.figures())
}
