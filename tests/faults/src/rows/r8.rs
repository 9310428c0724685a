//! R8: junk among good jobs, pushed by a program that knows nothing of envelopes.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use jobq::{Envelope, JobId, JobState};
use redis::aio::MultiplexedConnection;

use crate::census::Place;
use crate::check::Harm;
use crate::jobs::{self, QUEUE};
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::{Load, NAMESPACE, Setup, World};

/// Elements that one job waits behind.
const IN_FRONT: usize = 500;

/// How long those may take, good or junk.
const PATIENCE: Duration = Duration::from_secs(120);

/// Longer than for good jobs may be waited for junk by this factor, and by this time.
const GENEROUS: (u32, Duration) = (5, Duration::from_secs(3));

/// The row.
pub const ROW: Row = Row {
    id: "R8",
    fault: "junk of every shape, by `LPUSH`, among 10,000 good jobs",
    shows: "the good are all done; the junk is all dead as undecodable; nobody waits for it longer \
            than for as many good jobs",
    run: |plan| run(plan).boxed(),
};

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let mut schedule = Schedule::new(plan.seed);
    let junk = junk(&sample(&world).await, &mut schedule);
    let (good, times) = plan.of((4_000, 3), (10_000, 100));
    let load = Load {
        count: Some(good),
        rate: 2_000.0,
        at_once: 20,
        ..Load::default()
    };
    let mut redis = world.redis().await.expect("Redis answers");
    let one_slot = Setup {
        concurrency: 1,
        ..Setup::default()
    };
    let (behind_good, behind_junk) = waits(&world, &mut redis, &junk, &one_slot).await;
    assert!(
        behind_junk <= GENEROUS.0 * behind_good + GENEROUS.1,
        "a job waited {behind_junk:?} for {IN_FRONT} elements of junk, and {behind_good:?} for as \
         many good jobs"
    );
    let mut producer = world.producer(&load);
    let workers: Vec<_> = (0..2).map(|_| world.worker(&Setup::default())).collect();
    let mut pushed = IN_FRONT;
    for round in 0..times {
        // More of the largest would be more than the dead list keeps.
        let small = |element: &&Bytes| round < 3 || element.len() < 1 << 20;
        for element in junk.iter().filter(small) {
            push(&mut redis, element).await;
            pushed += 1;
            schedule.pause(5..=20).await;
        }
    }
    producer.wait(Duration::from_secs(60)).await;
    let ending = world.finish(workers, Duration::from_secs(60)).await;
    Harm::of(&world.history(), &ending.check.jobs).assert_explained();
    let undecodable =
        |place: &Place| matches!(place, Place::Dead(reason) if reason == "undecodable");
    let buried = ending.check.census.in_places(undecodable);
    assert_eq!(buried, pushed, "junk that is dead as undecodable");
    Figures::new()
        .with("junk", pushed)
        .with("dead as undecodable", buried)
        .with("behind 500 good jobs, ms", behind_good.as_millis())
        .with("behind 500 elements of junk, ms", behind_junk.as_millis())
        .and(ending.figures())
}

/// How long one job waits behind many good ones, and one behind as much junk: of one worker with one
/// slot, that starts when all of it lies there.
async fn waits(
    world: &World,
    redis: &mut MultiplexedConnection,
    junk: &[Bytes],
    one_slot: &Setup,
) -> (Duration, Duration) {
    let client = world.client().await;
    let good = async || world.enqueue(&client, jobs::work::new(0)).await;
    let first = good().await;
    for _ in 0..IN_FRONT {
        good().await;
    }
    let second = good().await;
    let small = junk.iter().filter(|element| element.len() < 4_096);
    for element in small.cycle().take(IN_FRONT) {
        push(redis, element).await;
    }
    let third = good().await;
    let worker = world.worker(one_slot);
    let what = "the job behind the junk to start";
    let of = [first, second, third];
    let at = world
        .until(what, PATIENCE, |world| started(world, of))
        .await;
    world.dismiss(vec![worker]).await;
    let between = |from: u64, to: u64| Duration::from_millis(to.saturating_sub(from));
    (between(at[0], at[1]), between(at[1], at[2]))
}

/// When each of these began, once all of them have.
fn started(world: &World, of: [JobId; 3]) -> Option<[u64; 3]> {
    let (history, mut at) = (world.history(), [None; 3]);
    for entry in history.entries() {
        if let Event::Start { id, .. } = entry.event
            && let Some(place) = of.iter().position(|of| *of == id)
        {
            at[place] = Some(entry.at);
        }
    }
    let [Some(first), Some(second), Some(third)] = at else {
        return None;
    };
    Some([first, second, third])
}

/// Behind all that is ready.
async fn push(redis: &mut MultiplexedConnection, element: &Bytes) {
    let mut push = redis::cmd("LPUSH");
    push.arg(format!("{NAMESPACE}:{{{QUEUE}}}:ready"))
        .arg(&element[..]);
    let pushed: redis::RedisResult<u64> = push.query_async(redis).await;
    pushed.expect("Redis takes a push");
}

/// An envelope as a producer makes it.
async fn sample(world: &World) -> Bytes {
    let client = world.client().await;
    let queue = client.queue("sample").expect("the name is legal");
    let job = jobs::work::new(5).queue("sample");
    job.enqueue(&client).await.expect("Redis takes a job");
    let jobs = queue
        .jobs(JobState::Ready, 0, 1)
        .await
        .expect("Redis answers");
    queue.purge(JobState::Ready).await.expect("Redis answers");
    jobs[0].bytes().clone()
}

/// Elements of which none is an envelope.
fn junk(good: &Bytes, schedule: &mut Schedule) -> Vec<Bytes> {
    let changed = |place: usize, byte: u8| {
        let mut bytes = good.to_vec();
        bytes[place] = byte;
        bytes
    };
    let mut shapes = vec![
        Vec::new(),
        b"{\"job\": \"in JSON\"}".to_vec(),
        "\u{1b}[31mred".as_bytes().to_vec(),
        [&good[..], b"more"].concat(),
        [&good[..], &good[..]].concat(),
        // Lengths of 2^32 - 1 with little behind them.
        vec![0xdd, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0],
        vec![0x98, 0xc6, 0xff, 0xff, 0xff, 0xff, 0],
        // Arrays in arrays.
        vec![0x91; 100_000],
        vec![0; 4 << 20],
        // The first byte of the array, the header of the id, the version: 0 and later.
        changed(0, 0x97),
        changed(1, 0xc5),
        changed(19, 0),
        changed(19, 0x7f),
    ];
    for _ in 0..4 {
        let cut = schedule.pick(good.len() - 1) + 1;
        shapes.push(good[..cut].to_vec());
        let noise = (0..schedule.draw(1..=2_000)).map(|_| schedule.draw(0..=255).to_le_bytes()[0]);
        shapes.push(noise.collect());
    }
    let junk: Vec<Bytes> = shapes.into_iter().map(Bytes::from).collect();
    for element in &junk {
        assert!(Envelope::decode(element.clone()).is_err(), "{element:?}");
    }
    junk
}
