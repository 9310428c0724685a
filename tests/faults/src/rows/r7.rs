//! R7: keys are deleted, or made something else of, each in a queue of its own: the others go on, and
//! so does the queue itself, at once or when somebody has mended it.

mod damage;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::FutureExt as _;
use jobq::{Client, JobId};
use tokio::time::{Instant, sleep};

use self::damage::{Damage, harm, mend};
use crate::check::Check;
use crate::history::History;
use crate::jobs::{self, QUEUE};
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::traffic::{Traffic, tokens_given_twice};
use crate::world::{Actor, Load, Setup, World};

/// The row.
pub const ROW: Row = Row {
    id: "R7",
    fault: "each class of key deleted, or retyped and later deleted, under load",
    shows: "the other queues go on; the queue recovers, of a retyped key once it is mended",
    run: |plan| run(plan).boxed(),
};

/// How long a queue may take to go on: five times what is promised.
const RECOVERS_WITHIN: Duration = Duration::from_secs(25);

/// Between two looks whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(20);

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let damages = Damage::all();
    let queues: Vec<_> = damages.iter().map(|damage| damage.queue.clone()).collect();
    let setup = Setup {
        queues: format!("{},{QUEUE}", queues.join(",")),
        concurrency: 40,
        ..plan.of(Setup::default(), Setup::default().with_default_lease())
    };
    let load = Load {
        rate: 100.0,
        kinds: "work:5-30,fail:1".to_owned(),
        ..Load::default()
    };
    let mut traffic = Traffic::start(&world, &load, &setup, 2).await;
    let client = world.client().await;
    let mut redis = world.redis().await.expect("Redis answers");
    let mut schedule = Schedule::new(plan.seed);
    let mut gone = 0;
    for _ in 0..plan.of(1, 20) {
        for queue in &queues {
            some_of_all(&world, &client, queue).await;
        }
        schedule.pause(50..=300).await;
        harm(&world, &mut redis, &damages, &mut schedule).await;
        sound_goes_on(&world, &traffic.producer).await;
        for queue in &queues {
            // Where its key is of another type it is refused, and says so.
            gone += usize::from(send(&world, &client, queue, 5).await.is_none());
        }
        mend(&world, &mut redis, &damages).await;
        recover(&world, &client, &queues, 0).await;
    }
    traffic.stop(&world).await;
    // Nothing but a wait in Redis, or the timekeeper, finds a job once the workers have nothing to do.
    for queue in queues.chunks(1) {
        recover(&world, &client, queue, 0).await;
        recover(&world, &client, queue, 20).await;
    }
    adopts(&world, &client, &mut traffic.workers).await;
    let sound = traffic.producer.number();
    world.drain(&traffic.workers, Duration::from_secs(60)).await;
    let (lost, elsewhere) = lost(&world, sound).await;
    world.canaries(Duration::from_secs(5)).await;
    let warnings = traffic.warnings().len();
    world.dismiss(traffic.workers).await;
    Figures::new()
        .with("keys damaged", damages.len())
        .with("jobs gone with their keys", lost)
        .with("refused meanwhile", gone)
        .with("lost elsewhere", elsewhere)
        .with("warnings", warnings)
}

/// Jobs in each state that a queue has, of which more are ready than there are slots.
async fn some_of_all(world: &World, client: &Client, queue: &str) {
    for ms in [400; 8] {
        send(world, client, queue, ms).await;
    }
    let id = JobId::new();
    world.write(&Event::Intent { id, due: 0 });
    let fatal = jobs::fatal::new().id(id).queue(queue);
    fatal.enqueue(client).await.expect("the queue is sound");
    let mut later = Vec::new();
    for _ in 0..3 {
        let (id, delay) = (JobId::new(), Duration::from_millis(800));
        world.write(&Event::Intent { id, due: 0 });
        let job = jobs::work::new(1).id(id).queue(queue).delay(delay);
        job.enqueue(client).await.expect("the queue is sound");
        later.push(id);
    }
    for &id in &later[1..] {
        world.write(&Event::Accepted { id });
    }
    // It is not to run: nobody has accepted it.
    let queue = client.queue(queue).expect("the name is legal");
    queue.cancel(later[0]).await.expect("the queue is sound");
}

/// One job; `None` if it was refused.
async fn send(world: &World, client: &Client, queue: &str, ms: u64) -> Option<JobId> {
    let id = JobId::new();
    world.write(&Event::Intent { id, due: 0 });
    let sent = jobs::work::new(ms)
        .id(id)
        .queue(queue)
        .enqueue(client)
        .await;
    world.write(&match sent {
        Ok(_) => Event::Accepted { id },
        Err(_) => Event::Refused { id },
    });
    sent.ok().map(|_| id)
}

/// Waits until jobs end that the producer enqueues from now on.
async fn sound_goes_on(world: &World, producer: &Actor) {
    let sent = || sent_by(&world.history(), producer.number()).count();
    let mark = sent();
    let ended = |world: &World| {
        let history = world.history();
        // One that was sent well after the damage.
        let job = sent_by(&history, producer.number()).nth(mark + 30)?;
        has_ended(&history, job).then_some(())
    };
    let what = "the sound queue to go on";
    world.until(what, RECOVERS_WITHIN, ended).await;
}

/// Kills a worker that runs a job; the others' reapers have not ended, so that one of them takes it over.
async fn adopts(world: &World, client: &Client, workers: &mut Vec<Actor>) {
    let job = send(world, client, QUEUE, 1_000).await;
    let job = job.expect("the queue is sound");
    let started = |world: &World| {
        let history = world.history();
        let mut entries = history.entries().iter().rev();
        let start = |event: &Event| matches!(event, Event::Start { id, .. } if *id == job);
        entries
            .find(|entry| start(&entry.event))
            .map(|entry| entry.actor)
    };
    let actor = world
        .until("a job to start", RECOVERS_WITHIN, started)
        .await;
    let place = workers.iter().position(|worker| worker.number() == actor);
    let mut killed = workers.swap_remove(place.expect("a worker of this row ran it"));
    world.kill9(&mut killed);
    let ended = |world: &World| has_ended(&world.history(), job).then_some(());
    world
        .until(
            "a dead worker's job to be taken over",
            RECOVERS_WITHIN,
            ended,
        )
        .await;
}

fn has_ended(history: &History, job: JobId) -> bool {
    let mut entries = history.entries().iter().rev();
    entries.any(|entry| matches!(entry.event, Event::End { id, .. } if id == job))
}

/// A job of each queue that is enqueued now, for now or later, ends.
async fn recover(world: &World, client: &Client, queues: &[String], delay: u64) {
    let mut waiting = HashMap::new();
    for queue in queues {
        let id = JobId::new();
        world.write(&Event::Intent { id, due: 0 });
        let work = jobs::work::new(1).id(id).queue(queue);
        let work = match delay {
            0 => work,
            ms => work.delay(Duration::from_millis(ms)),
        };
        let sent = work.enqueue(client).await;
        assert!(
            sent.is_ok(),
            "queue {queue} is mended, and refuses a job: {sent:?}"
        );
        world.write(&Event::Accepted { id });
        waiting.insert(id, queue);
    }
    let began = Instant::now();
    while !waiting.is_empty() {
        for entry in world.history().entries() {
            if let Event::End { id, .. } = entry.event {
                waiting.remove(&id);
            }
        }
        let late = began.elapsed() > RECOVERS_WITHIN;
        assert!(!late, "queues do not recover: {:?}", waiting.values());
        sleep(LOOK_EVERY).await;
    }
}

/// How many jobs went with damaged keys, and how many of the sound queue: none. No claim had two outcomes.
async fn lost(world: &World, sound: usize) -> (usize, usize) {
    let check = Check::read(world).await;
    let history = world.history();
    let of_sound: HashSet<String> = sent_by(&history, sound).map(|id| id.to_string()).collect();
    let is_sound = |one: &str| one.split_whitespace().any(|word| of_sound.contains(word));
    let broken = |one: &&String| {
        let rule = ["I1:", "I2:", "I4:", "I12:"];
        rule.iter().any(|rule| one.starts_with(rule)) || is_sound(one)
    };
    let violations = check.violations();
    let broken: Vec<_> = violations.iter().filter(broken).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let twice = tokens_given_twice(&history);
    assert!(twice.is_empty(), "{twice:#?}");
    let lost = violations.iter().filter(|one| one.starts_with("I3:"));
    let (elsewhere, with_keys): (Vec<_>, Vec<_>) = lost.partition(|one| is_sound(one));
    (with_keys.len(), elsewhere.len())
}

fn sent_by(history: &History, actor: usize) -> impl Iterator<Item = JobId> {
    let entries = history
        .entries()
        .iter()
        .filter(move |entry| entry.actor == actor);
    entries.filter_map(|entry| match entry.event {
        Event::Accepted { id } => Some(id),
        _ => None,
    })
}
