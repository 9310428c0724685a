//! R6: Redis is full. Nothing more goes in, nothing goes in half, and all that is in comes out.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use jobq::{Client, EnqueueError, JobHandle, JobId};
use redis::aio::MultiplexedConnection;

use super::r1::note;
use crate::check::{Check, Harm};
use crate::jobs::{self, QUEUE};
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::traffic::count;
use crate::world::{Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "R6",
    fault: "Redis full (`maxmemory` with `noeviction`), while it is filled and while it is worked off",
    shows: "enqueue refused with a reason, nothing partial; workers drain to 0 while it is full",
    run: |plan| run(plan).boxed(),
};

/// How much more fits before it is full.
const ROOM: u64 = 8 << 20;

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let setup = plan.of(Setup::default(), Setup::default().with_default_lease());
    // Idle, so that they wait in Redis when it becomes full.
    let workers: Vec<_> = (0..2).map(|_| world.worker(&setup)).collect();
    let client = world.client().await;
    world.enqueue(&client, jobs::work::new(0)).await;
    world.drain(&workers, Duration::from_secs(20)).await;
    let queue = client.queue(QUEUE).expect("the name is legal");
    queue.pause().await.expect("Redis takes a pause");

    let mut redis = world.redis().await.expect("Redis answers");
    let used = used_memory(&mut redis).await;
    note(&world, "redis-has-a-limit");
    limit(&mut redis, used + ROOM).await;
    fill(&world).await;
    mixed(&world, &client).await;
    let check = Check::of(&world).await;
    let (accepted, refused) = (check.jobs.accepted(), refused(&world));
    let partial = partial(&check);
    assert_eq!(partial, 0, "jobs were refused, and are there");
    let backlog = world.count().await.open;

    // Full however little is left in it.
    limit(&mut redis, 1).await;
    one_is_refused(&client).await;
    queue.resume().await.expect("Redis takes a resume");
    let drained = world.drain(&workers, Duration::from_secs(60)).await;
    one_is_refused(&client).await;
    Check::of(&world).await;
    let left = world.count().await.open;
    limit(&mut redis, 0).await;

    let ending = world.finish(workers, Duration::from_secs(60)).await;
    Harm::of(&world.history(), &ending.check.jobs).assert_explained();
    Figures::new()
        .with("accepted before it was full", accepted)
        .with("refused", refused)
        .with("partial enqueues", partial)
        .with("backlog", backlog)
        .with("left of it", left)
        .with(
            "drained while full, s",
            format!("{:.1}", drained.as_secs_f64()),
        )
        .and(ending.figures())
}

/// Has producers of several kinds, some for later, enqueue until each is refused.
async fn fill(world: &World) {
    let loads = [
        ("heavy:1-5", 1, 0),
        ("heavy:1-5", 50, 300),
        ("fail:1-3", 50, 0),
        ("fatal:0", 10, 200),
    ];
    let producers = loads.map(|(kinds, at_once, delay)| {
        world.producer(&Load {
            kinds: kinds.to_owned(),
            at_once,
            load: 20_000,
            delay: Duration::from_millis(delay),
            rate: 1_000.0,
            ..Load::default()
        })
    });
    for mut producer in producers {
        let number = producer.number();
        let refused = |world: &World| {
            let history = world.history();
            let mut entries = history.entries().iter();
            let is = |event: &Event| matches!(event, Event::Refused { .. });
            entries
                .any(|entry| entry.actor == number && is(&entry.event))
                .then_some(())
        };
        world
            .until("a producer to be refused", Duration::from_secs(30), refused)
            .await;
        world.signal(&producer, "TERM");
        producer.wait(Duration::from_secs(10)).await;
        assert!(producer.log().contains("is full"), "{}", producer.log());
    }
}

/// Jobs for now and for later in one call, of which those for now would just fit.
async fn mixed(world: &World, client: &Client) {
    let mut redis = world.redis().await.expect("Redis answers");
    let used = used_memory(&mut redis).await;
    limit(&mut redis, used + ROOM / 4).await;
    let load = "x".repeat(20_000);
    for _ in 0..20 {
        let ids: Vec<_> = (0..200).map(|_| JobId::new()).collect();
        let jobs = ids.iter().enumerate().map(|(n, &id)| {
            world.write(&Event::Intent { id, due: 0 });
            let job = jobs::heavy::new(1, load.clone()).id(id);
            match n % 2 {
                0 => job,
                _ => job.delay(Duration::from_millis(300)),
            }
        });
        let (taken, error) = match client.enqueue_all(jobs).await {
            Ok(taken) => (taken, None),
            Err(EnqueueError::Partial { enqueued, source }) => (enqueued, Some(*source)),
            Err(error) => (Vec::new(), Some(error)),
        };
        let taken: HashSet<JobId> = taken.iter().map(JobHandle::id).collect();
        for &id in &ids {
            world.write(&match taken.contains(&id) {
                true => Event::Accepted { id },
                false => Event::Refused { id },
            });
        }
        if let Some(error) = error {
            return refused_for_memory(&error);
        }
    }
    panic!("it was never full");
}

fn refused_for_memory(error: &EnqueueError) {
    let told = format!("{error:?}");
    assert!(matches!(error, EnqueueError::Broker(_)), "{told}");
    assert!(told.contains("is full"), "{told}");
}

async fn one_is_refused(client: &Client) {
    for delay in [0, 300] {
        let job = match delay {
            0 => jobs::work::new(0),
            ms => jobs::work::new(0).delay(Duration::from_millis(ms)),
        };
        refused_for_memory(&job.enqueue(client).await.expect_err("it is full"));
    }
}

fn refused(world: &World) -> usize {
    count(&world.history(), |event| {
        matches!(event, Event::Refused { .. })
    })
}

/// How many jobs were refused, and are in Redis all the same.
fn partial(check: &Check) -> usize {
    let ids = check.census.elements.iter().filter_map(|one| one.id);
    let refused = |id: &JobId| check.jobs.get(*id).is_some_and(|job| job.refused);
    ids.filter(refused).count()
}

async fn limit(redis: &mut MultiplexedConnection, bytes: u64) {
    let mut command = redis::cmd("CONFIG");
    command.arg("SET").arg("maxmemory").arg(bytes);
    let answer: redis::RedisResult<()> = command.query_async(redis).await;
    answer.expect("Redis answers");
}

async fn used_memory(redis: &mut MultiplexedConnection) -> u64 {
    let info: redis::RedisResult<redis::InfoDict> = redis::cmd("INFO").query_async(redis).await;
    let used = info.expect("Redis answers").get("used_memory");
    used.expect("Redis knows its memory")
}
