//! A Redis far away: every answer takes a while.

use std::time::Duration;

use jobq::{State, job};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep_until};

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
    let far = near.by_way_of(pass_slowly).await;
    last::enqueue(&near.client).await.unwrap();
    let worker = far.calm_worker().queues(["a", "b", "c", "last"]);
    let handle = worker.build().unwrap().spawn();
    near.ledger.wait_for("last", 1).await;
    handle.shutdown().await;
}

async fn pass_slowly(client: TcpStream, server: TcpStream) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::spawn(pass(from_client, to_server, DELAY));
    pass(from_server, to_client, Duration::ZERO).await;
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut on_the_way) = unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((due, bytes)) = on_the_way.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if sender
            .send((Instant::now() + delay, buffer[..read].to_vec()))
            .is_err()
        {
            return;
        }
    }
}
