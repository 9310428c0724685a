//! P6: workers that are asked to end.

use std::time::Duration;

use futures_util::FutureExt as _;
use jobq::JobId;
use tokio::time::Instant;

use crate::census::Place;
use crate::check::{Check, Jobs, RunEnd, mean_and_max};
use crate::jobs;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Actor, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "P6",
    fault: "SIGTERM with short and long jobs; a second SIGTERM; SIGTERM while Redis is down",
    shows: "finished jobs are not run again; nothing is left in flight; exit within the timeout + 2 s",
    run: |plan| run(plan).boxed(),
};

/// How long jobs run that no shutdown waits for, in ms.
const LONG: u64 = 4_000;

/// The timeout of shutdowns, but for the one that a second signal cuts short.
const TIMEOUT: Duration = Duration::from_millis(1_500);

const PATIENT: Duration = Duration::from_secs(60);

/// How long an exit may take beyond its timeout: five times what is promised.
const EXIT_WITHIN: Duration = Duration::from_secs(10);

/// How long a worker may take to begin its jobs.
const BEGIN_WITHIN: Duration = Duration::from_secs(20);

/// Short and long ones that wait for neither.
const RUNNING: usize = 16;

async fn run(plan: Plan) -> Figures {
    let redis = [("appendonly", "yes"), ("appendfsync", "always")];
    let mut world = World::start(&plan, &redis).await;
    let mut schedule = Schedule::new(plan.seed);
    let (mut once, mut twice, mut down) = (Vec::new(), Vec::new(), Vec::new());
    let (mut again, mut queues) = (0, Vec::new());
    for round in 0..plan.of(1, 20) {
        let queue = format!("once-{round}");
        let (mut worker, ids) = busy(&world, &queue, TIMEOUT, &mut schedule).await;
        once.push(
            stopped(&world, &mut worker, 1)
                .await
                .saturating_sub(TIMEOUT),
        );
        settled(&world, &queue, &ids).await;
        queues.push(queue);

        let queue = format!("twice-{round}");
        let (mut worker, ids) = busy(&world, &queue, PATIENT, &mut schedule).await;
        twice.push(stopped(&world, &mut worker, 2).await);
        settled(&world, &queue, &ids).await;
        queues.push(queue);

        let queue = format!("down-{round}");
        let (mut worker, ids) = busy(&world, &queue, TIMEOUT, &mut schedule).await;
        schedule.note("kill Redis");
        world.server().kill();
        schedule.pause(0..=500).await;
        down.push(
            stopped(&world, &mut worker, 1)
                .await
                .saturating_sub(TIMEOUT),
        );
        again += finished(&world, &ids).len();
        tokio::task::block_in_place(|| world.server().restart());
        queues.push(queue);
    }
    let worker = world.worker(&Setup {
        queues: queues.join(","),
        concurrency: 64,
        ..Setup::default()
    });
    let queue = world.worker(&Setup::default());
    let ending = world
        .finish(vec![worker, queue], Duration::from_secs(60))
        .await;
    let ms = |times: &[Duration]| {
        let times = times
            .iter()
            .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        mean_and_max(&times.collect::<Vec<_>>())
    };
    Figures::new()
        .with("exit after the timeout, s", ms(&once))
        .with("after a second signal, s", ms(&twice))
        .with("after the timeout with Redis down, s", ms(&down))
        .with("finished without Redis, to run again", again)
        .and(ending.figures())
}

/// A worker with a queue of its own, all of whose slots are taken, and its jobs.
async fn busy(
    world: &World,
    queue: &str,
    shutdown_timeout: Duration,
    schedule: &mut Schedule,
) -> (Actor, Vec<JobId>) {
    let worker = world.worker(&Setup {
        queues: queue.to_owned(),
        concurrency: RUNNING as u32,
        shutdown_timeout,
        ..Setup::default()
    });
    let client = world.client().await;
    let mut ids = Vec::new();
    for i in 0..RUNNING {
        let short = schedule.draw(100..=900);
        let id = match i % 4 {
            0 => {
                world
                    .enqueue(&client, jobs::work::new(LONG).queue(queue))
                    .await
            }
            1 => {
                world
                    .enqueue(&client, jobs::deaf::new(LONG).queue(queue))
                    .await
            }
            2 => {
                world
                    .enqueue(&client, jobs::block::new(short).queue(queue))
                    .await
            }
            _ => {
                world
                    .enqueue(&client, jobs::work::new(short).queue(queue))
                    .await
            }
        };
        ids.push(id);
    }
    world
        .until("a worker whose slots are taken", BEGIN_WITHIN, |world| {
            let jobs = Jobs::of(&world.history());
            let started = |id: &&JobId| jobs.get(**id).is_some_and(|job| !job.runs.is_empty());
            (ids.iter().filter(started).count() == RUNNING).then_some(())
        })
        .await;
    (worker, ids)
}

/// Sends it so many signals and answers how long it took to exit.
async fn stopped(world: &World, worker: &mut Actor, signals: usize) -> Duration {
    let began = Instant::now();
    for i in 0..signals {
        if i > 0 {
            // Two at once are one.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        world.signal(worker, "TERM");
    }
    let status = worker.wait(TIMEOUT + EXIT_WITHIN).await;
    assert!(status.success(), "{status}\n{}", worker.log());
    began.elapsed()
}

/// Those that ran to their end.
fn finished(world: &World, ids: &[JobId]) -> Vec<JobId> {
    let jobs = Jobs::of(&world.history());
    let done = |id: &&JobId| {
        let job = jobs.get(**id);
        job.is_some_and(|job| job.runs.iter().any(|run| run.end == Some(RunEnd::Done)))
    };
    ids.iter().filter(done).copied().collect()
}

/// What had finished is gone, and the rest is back in its queue with no crash counted.
async fn settled(world: &World, queue: &str, ids: &[JobId]) {
    let check = Check::of(world).await;
    let finished = finished(world, ids);
    for element in check
        .census
        .elements
        .iter()
        .filter(|one| one.queue == queue)
    {
        let id = element.id.expect("all are jobs of the row");
        let place = &element.place;
        assert_eq!(*place, Place::Ready, "job {id} was left there");
        assert_eq!(element.crashes, 0, "job {id}: an orderly stop is no crash");
        assert!(
            !finished.contains(&id),
            "job {id} had finished, and is {place}"
        );
    }
    let members = check.census.members.iter().filter(|(_, of)| of == queue);
    assert_eq!(members.count(), 0, "the worker is a member still");
}
