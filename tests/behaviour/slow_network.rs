//! A Redis far away: every answer takes a while, or one does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jobq::{State, job};
use jobq_proxy::{Delay, Direction, Proxy};
use support::hooked::{Answer, Call, Hook, Step};

use crate::fixture::{Fixture, Ledger};

/// How long bytes are on their way to the server.
const DELAY: Duration = Duration::from_millis(40);

#[job(name = "slow_network.last", queue = "last")]
async fn last(ledger: State<Ledger>) {
    ledger.write("last");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_queues_keep_no_other_from_its_turn() {
    let near = Fixture::redis().await;
    let proxy = Proxy::start(support::shared().address()).await.unwrap();
    proxy.delay(Direction::Request, Delay::of(DELAY));
    let far = near.by_port(proxy.port()).await;
    last::enqueue(&near.client).await.unwrap();
    let worker = far.calm_worker().queues(["a", "b", "c", "last"]);
    let handle = worker.build().unwrap().spawn();
    near.ledger.wait_for("last", 1).await;
    handle.shutdown().await;
}

/// Holds the answer of the first claim back.
#[derive(Debug, Default)]
struct Held(AtomicBool);

#[async_trait]
impl Hook for Held {
    async fn around(&self, call: Call) -> Answer {
        let answer = call.run().await;
        let claims = matches!(call.step(), Step::Round { claim: Some(_), .. });
        if claims && !self.0.swap(true, Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        answer
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_an_outage_held_up_keeps_no_queue_closed_afterwards() {
    let mut fixture = Fixture::memory().await;
    let held = Arc::new(Held::default());
    fixture.hook(&held);
    let worker = fixture.calm_worker().queues(["last", "other"]);
    let handle = worker.build().unwrap().spawn();
    tokio::time::sleep(Duration::from_secs(5)).await;
    for queue in ["last", "other"] {
        let job = last::new().queue(queue);
        job.enqueue(&fixture.client).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(fixture.ledger.count("last"), 2);
    handle.shutdown().await;
}
