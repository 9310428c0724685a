//! A broker that stops answering does not hold a worker up.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jobq::{BrokerError, BrokerErrorKind};
use support::hooked::{Answer, Call, Hook, Step};
use tokio::time::Instant;

use super::{Fixture, wait};

/// Beyond the shutdown timeout.
const PROMISED: Duration = Duration::from_secs(2);

/// Answers nothing from a moment on.
#[derive(Default)]
struct Silence(AtomicBool);

#[async_trait]
impl Hook for Silence {
    async fn around(&self, call: Call) -> Answer {
        match self.0.load(Ordering::Relaxed) {
            true => std::future::pending().await,
            false => call.run().await,
        }
    }
}

async fn shuts_down_in_time(timeout: Duration) {
    let mut fixture = Fixture::memory().await;
    let silence = Arc::new(Silence::default());
    fixture.hook(&silence);
    wait::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.worker().queues(["ending"]);
    let handle = worker.shutdown_timeout(timeout).build().unwrap().spawn();
    fixture.ledger.wait_for("begin 1", 1).await;
    silence.0.store(true, Ordering::Relaxed);
    // A claim is asked for, and promised a slot.
    tokio::time::sleep(Duration::from_secs(5)).await;

    let began = Instant::now();
    let report = handle.shutdown().await;
    let took = began.elapsed();
    assert!(took <= timeout + PROMISED, "{took:?}");
    assert_eq!(report.abandoned, 0, "no job runs on");
    assert_eq!(fixture.ledger.count("dropped, cancelled: true"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_without_answers_takes_two_seconds_more_than_its_timeout() {
    shuts_down_in_time(Duration::from_secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn a_short_shutdown_without_answers_does_too() {
    shuts_down_in_time(Duration::from_millis(50)).await;
}

/// Answers no claim from a moment on, and notes whose waits were ended.
#[derive(Default)]
struct NoClaims {
    since: AtomicBool,
    interrupted: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl Hook for NoClaims {
    async fn around(&self, call: Call) -> Answer {
        if let Step::Interrupt { queue, .. } = call.step() {
            let mut interrupted = self.interrupted.lock().unwrap();
            interrupted.insert(queue.to_string());
        }
        match call.step().is("claim") && self.since.load(Ordering::Relaxed) {
            true => call.fail(|| BrokerError::new(BrokerErrorKind::Unavailable, "not now")),
            false => call.run().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_answer_leaves_no_other_waiting_on() {
    let mut fixture = Fixture::memory().await;
    let hook = Arc::new(NoClaims::default());
    fixture.hook(&hook);
    let worker = fixture.calm_worker().queues(["ending", "other"]);
    let handle = worker.build().unwrap().spawn();
    tokio::time::sleep(Duration::from_secs(5)).await;
    hook.since.store(true, Ordering::Relaxed);
    handle.shutdown().await;
    let interrupted = hook.interrupted.lock().unwrap();
    assert_eq!(interrupted.len(), 2, "{interrupted:?}");
}

/// Lets nobody have a connection besides the first.
struct Only;

#[async_trait]
impl Hook for Only {
    async fn around(&self, call: Call) -> Answer {
        match call.step() {
            Step::Fork => call.fail(|| BrokerError::new(BrokerErrorKind::Unavailable, "no more")),
            _ => call.run().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_not_to_be_had_holds_no_shutdown_up() {
    let mut fixture = Fixture::memory().await;
    fixture.hook(&Arc::new(Only));
    let worker = fixture.worker().queues(["ending"]).connections(2);
    let handle = worker.build().unwrap().spawn();
    // The waits between two attempts are as long as they get.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let began = Instant::now();
    handle.shutdown().await;
    let took = began.elapsed();
    assert!(took < Duration::from_millis(10), "{took:?}");
}
