//! A Redis far away: every answer takes a while.

use std::time::Duration;

use jobq::{State, job};
use jobq_proxy::{Delay, Direction, Proxy};

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
