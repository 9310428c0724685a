//! P8: jobs that end their process, among others.

use std::time::Duration;

use futures_util::FutureExt as _;
use jobq::{Client, JobId};
use tokio::time::{Instant, sleep};

use crate::census::Place;
use crate::check::Jobs;
use crate::jobs::{pill, work};
use crate::row::{Figures, Plan, Row};
use crate::world::{Actor, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P8",
    fault: "jobs that end their process: `abort()`, a stack overflow, an allocation that fails, SIGKILL \
            as the kernel sends it when memory is short",
    shows: "each is dead after exactly three starts; innocent jobs dead 0 of 1,000 at concurrency 16",
    run: |plan| run(plan).boxed(),
};

/// A queue each: beside another pill it would not be known which of the two it was.
const HOW: [&str; 4] = ["abort", "overflow", "memory", "kill"];

/// How long jobs run that are enqueued for as long as there are pills: so that there are always some
/// beside which a pill could be run.
const BESIDE: u64 = 150;

/// How often a pill is started.
const STARTS: usize = 3;

/// How long a pill may take to be dead, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(90);

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let client = world.client().await;
    let innocent = plan.of(250, 1_000);
    let mut pills = Vec::new();
    for how in HOW {
        pills.push(fill(&world, &client, how, innocent).await);
    }
    let setups = HOW.map(|how| Setup {
        queues: how.to_owned(),
        concurrency: 16,
        ..plan.of(Setup::default(), Setup::default().with_default_lease())
    });
    let mut workers: Vec<_> = setups.iter().map(|setup| world.worker(setup)).collect();
    let (deaths, beside) = until_dead(&world, &client, &mut workers, &setups).await;
    // The canaries have a queue of their own.
    workers.push(world.worker(&Setup::default()));
    let ending = world.finish(workers, PATIENCE).await;

    let (mut least, mut most) = (usize::MAX, 0);
    for (id, how) in pills.iter().zip(HOW) {
        let job = ending.check.jobs.get(*id).expect("it was enqueued");
        let starts = job.runs.len();
        assert_eq!(starts, STARTS, "{how}: {job:?}");
        let others = ending.check.jobs.running(job.runs[STARTS - 1].actor);
        assert_eq!(others, 0, "{how}: a suspect ran beside others");
        (least, most) = (least.min(starts), most.max(starts));
    }
    let dead = |place: &Place| matches!(place, Place::Dead(_));
    let dead = ending.check.census.in_places(dead);
    assert_eq!(dead, HOW.len(), "an innocent job is dead, or a pill is not");
    assert_eq!(deaths, STARTS * HOW.len(), "processes that died");
    Figures::new()
        .with("pills", HOW.len())
        .with("starts of each", format!("{least} to {most}"))
        .with("innocent jobs", innocent * HOW.len() + beside)
        .with("innocent jobs dead", dead - HOW.len())
        .with("concurrency", setups[0].concurrency)
        .and(ending.figures())
}

/// Puts a pill among the others. Answers its id.
async fn fill(world: &World, client: &Client, how: &str, innocent: usize) -> JobId {
    let mut id = None;
    for place in 0..innocent {
        if place == innocent / 4 {
            let pill = pill::new(how).queue(how);
            id = Some(world.enqueue(client, pill).await);
        }
        let job = work::new(5 + place as u64 % 30).queue(how);
        world.enqueue(client, job).await;
    }
    id.expect("there is a place for it")
}

/// Starts workers again that died, until all of their jobs are settled: each has some to run until
/// it died as often as it should. Answers how many died, and how many jobs were enqueued meanwhile.
async fn until_dead(
    world: &World,
    client: &Client,
    workers: &mut [Actor],
    setups: &[Setup],
) -> (usize, usize) {
    let (began, mut deaths, mut beside) = (Instant::now(), [0; HOW.len()], 0);
    while world.count().await.open > 0 {
        for (place, (worker, setup)) in workers.iter_mut().zip(setups).enumerate() {
            if worker.ended().is_some() {
                deaths[place] += 1;
                *worker = world.worker(setup);
            }
            if deaths[place] < STARTS {
                let job = work::new(BESIDE).queue(HOW[place]);
                world.enqueue(client, job).await;
                beside += 1;
            }
        }
        let runs = || Jobs::of(&world.history()).starts();
        assert!(
            began.elapsed() < PATIENCE,
            "not settled after {deaths:?} deaths and {} runs",
            runs()
        );
        sleep(Duration::from_millis(20)).await;
    }
    (deaths.iter().sum(), beside)
}
