//! A delayed job is never early by the clock of its store, and not late for want of anyone looking.

use std::time::{Duration, SystemTime};

use jobq::{At, Client, Context, State, job};
use jobq_worker::WorkerHandle;
use support::Record;
use support::jobs::{QUEUE, note};

use crate::fixture::{Fixture, Ledger};
use crate::plain::{Plain, envelope};
use crate::program::Program;

const SOON: Duration = Duration::from_millis(300);

#[job(name = "delayed.stamp", queue = "later")]
async fn stamp(ctx: Context, ledger: State<Ledger>, due: u64) {
    let now = now(ctx.client());
    let early = At::from_ms(due).since(now);
    ledger.write(match early.is_zero() {
        true => "on time".to_owned(),
        false => format!("{early:?} early"),
    });
}

/// The time by the store's own clock, which for a server on this machine is the machine's.
fn now(client: &Client) -> At {
    match client.broker().is_in_process() {
        true => client.broker().now(),
        false => SystemTime::now().into(),
    }
}

#[job(name = "delayed.mark", queue = "later")]
async fn mark(ledger: State<Ledger>, key: String) {
    ledger.write(key);
}

fn spawn(fixture: &Fixture) -> WorkerHandle {
    let worker = fixture.worker().queues(["later"]).build().unwrap();
    worker.spawn()
}

async fn none_is_early(fixture: Fixture) {
    let handle = spawn(&fixture);
    for ms in (0..1000).step_by(20) {
        let due = now(&fixture.client).after(Duration::from_millis(ms));
        let job = stamp::new(due.as_ms()).at(due.timestamp());
        job.enqueue(&fixture.client).await.unwrap();
    }
    fixture.ledger.wait_for_lines(50).await;
    handle.shutdown().await;
    assert_eq!(fixture.ledger.lines(), ["on time"; 50]);
}

async fn an_idle_worker_wakes_for_what_is_due(fixture: Fixture) {
    let handle = spawn(&fixture);
    mark::enqueue(&fixture.client, "now").await.unwrap();
    fixture.ledger.wait_for("now", 1).await;
    // The first of delayed, then one that takes its place.
    mark::new("hour")
        .delay(Duration::from_secs(3600))
        .enqueue(&fixture.client)
        .await
        .unwrap();
    mark::new("soon")
        .delay(SOON)
        .enqueue(&fixture.client)
        .await
        .unwrap();
    fixture.ledger.wait_for("soon", 1).await;
    handle.shutdown().await;
    assert_eq!(fixture.ledger.lines(), ["now", "soon"]);
    assert_eq!(fixture.queue("later").stats().await.unwrap().delayed, 1);
}

async fn what_is_due_goes_before_what_waits(fixture: Fixture) {
    let due = now(&fixture.client).after(SOON);
    for (key, ms) in [("second", 2), ("first", 0), ("third", 4)] {
        let at = due.after(Duration::from_millis(ms)).timestamp();
        mark::new(key)
            .at(at)
            .enqueue(&fixture.client)
            .await
            .unwrap();
    }
    let ready = ["a", "b", "c"].map(mark::new);
    fixture.client.enqueue_all(ready).await.unwrap();
    support::eventually("all to be due", async || {
        (now(&fixture.client) > due.after(Duration::from_millis(10))).then_some(())
    })
    .await;
    let worker = fixture
        .worker()
        .queues(["later"])
        .concurrency(1)
        .build()
        .unwrap();
    worker.run_until_idle().await.unwrap();
    assert_eq!(
        fixture.ledger.lines(),
        ["first", "second", "third", "a", "b", "c"]
    );
}

crate::on_every_broker! {
    none_is_early
    an_idle_worker_wakes_for_what_is_due
    what_is_due_goes_before_what_waits
}

#[tokio::test(start_paused = true)]
async fn in_virtual_time_a_job_runs_at_its_very_time() {
    let fixture = Fixture::memory().await;
    let handle = spawn(&fixture);
    let begun = tokio::time::Instant::now();
    for seconds in [30, 10, 20] {
        let job = mark::new(format!("{seconds}")).delay(Duration::from_secs(seconds));
        job.enqueue(&fixture.client).await.unwrap();
    }
    for seconds in [10, 20, 30] {
        fixture.ledger.wait_for(&format!("{seconds}"), 1).await;
        let late = begun.elapsed().checked_sub(Duration::from_secs(seconds));
        assert!(
            late.is_some_and(|late| late < Duration::from_millis(100)),
            "{late:?}"
        );
    }
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_program_delays_is_found() {
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    let handle = spawn(&fixture);
    mark::enqueue(&fixture.client, "now").await.unwrap();
    fixture.ledger.wait_for("now", 1).await;
    let due = now(&fixture.client).after(SOON).as_ms();
    let job = envelope(stamp::new(due)).await;
    let key = plain.key("later", "delayed");
    let score = due.to_string();
    let _: () = plain
        .run(&[b"ZADD", key.as_bytes(), score.as_bytes(), &job])
        .await;
    fixture.ledger.wait_for("on time", 1).await;
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_worker_keeps_the_time_when_the_timekeeper_is_killed() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut plain = Plain::connect(&fixture).await;
    let mut program = Program::start(&fixture.url, &[]).await;
    let key = plain.key(QUEUE, "timekeeper");
    let keeper = support::eventually("a timekeeper", async || {
        plain.say::<Option<String>>(&format!("GET {key}")).await
    })
    .await;
    let handle = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    program.kill();
    note::new(record.path(), "late")
        .delay(SOON)
        .enqueue(&fixture.client)
        .await
        .unwrap();
    record.wait_for("end late", 1).await;
    let other = support::eventually("another timekeeper", async || {
        let now = plain.say::<Option<String>>(&format!("GET {key}")).await;
        now.filter(|now| *now != keeper)
    })
    .await;
    assert_ne!(other, keeper);
    handle.shutdown().await;
}
