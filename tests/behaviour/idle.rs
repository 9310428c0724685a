//! A worker with nothing to do asks Redis next to nothing, and wakes for a plain `LPUSH`. While it
//! drains it does not turn in a circle either.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use jobq::{State, job};
use jobq_worker::Worker;
use support::RedisServer;

use crate::fixture::{Fixture, Ledger};
use crate::plain::{Plain, envelope};

#[job(name = "idle.mark", queue = "idle")]
async fn mark(ledger: State<Ledger>) {
    ledger.write("mark");
}

/// What clients asked the server for during some seconds of its own clock, by command; and how
/// long that was.
fn observe(port: u16, seconds: f64) -> (BTreeMap<String, u32>, f64) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(support::DEADLINE)).unwrap();
    stream.write_all(b"MONITOR\r\n").unwrap();
    let (mut first, mut calls) = (None, BTreeMap::new());
    for line in BufReader::new(stream).lines() {
        // `+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`, or `[0 lua]` within a script.
        let line = line.unwrap();
        let mut words = line.trim_start_matches('+').splitn(4, ' ');
        let Some(time) = words.next().and_then(|time| time.parse::<f64>().ok()) else {
            continue;
        };
        let elapsed = time - *first.get_or_insert(time);
        if elapsed >= seconds {
            return (calls, elapsed);
        }
        if words.nth(1) != Some("lua]") {
            let command = words.next().unwrap_or_default();
            let command = command.split(' ').next().unwrap_or_default();
            *calls.entry(command.to_owned()).or_default() += 1;
        }
    }
    panic!("the server ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_makes_fewer_than_20_calls_a_second() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let mut plain = Plain::connect(&fixture).await;
    // With the settings that a worker has by itself.
    let worker = Worker::builder(fixture.runner.clone()).state(fixture.ledger.clone());
    let handle = worker
        .queues(["idle", "second", "third"])
        .build()
        .unwrap()
        .spawn();
    mark::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("mark", 1).await;
    plain.wait_for_idler().await;
    let port = server.port();
    let observed = tokio::task::spawn_blocking(move || observe(port, 4.0))
        .await
        .unwrap();
    let (calls, seconds) = observed;
    let total: u32 = calls.values().sum();
    assert!(total > 0, "it renews at least");
    assert!(
        f64::from(total) / seconds < 20.0,
        "{total} in {seconds} s: {calls:?}"
    );
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_push_wakes_an_idle_worker() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let mut plain = Plain::connect(&fixture).await;
    // It waits for an hour, if nobody wakes it.
    let hour = Duration::from_secs(3600);
    let worker = fixture
        .worker()
        .queues(["idle"])
        .lease(hour)
        .build()
        .unwrap();
    let handle = worker.spawn();
    plain.wait_for_idler().await;
    let (key, job) = (plain.key("idle", "ready"), envelope(mark::new()).await);
    for times in 1..=3 {
        let _: () = plain.run(&[b"LPUSH", key.as_bytes(), &job]).await;
        fixture.ledger.wait_for("mark", times).await;
        plain.wait_for_idler().await;
    }
    handle.shutdown().await;
}

/// In paused time: as long as anything is awake, no time passes.
async fn drain_beside_a_paused_queue() {
    let fixture = Fixture::memory().await;
    fixture.queue("idle").pause().await.unwrap();
    let worker = fixture.worker().queues(["idle", "busy"]);
    let worker = worker.build().unwrap().spawn();
    let time = Duration::from_secs(10);
    sleep::new(time).enqueue(&fixture.client).await.unwrap();
    tokio::time::sleep(time / 20).await;
    worker.shutdown().await;
}

#[job(name = "idle.sleep", queue = "busy")]
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

#[test]
fn a_worker_that_drains_beside_a_paused_queue_does_not_turn_in_a_circle() {
    let (done, wait) = std::sync::mpsc::channel();
    // It could not be told to end.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(drain_beside_a_paused_queue());
        let _ = done.send(());
    });
    assert!(wait.recv_timeout(support::DEADLINE).is_ok());
}
