//! A program that gives up its worker, as by a `select!` that something else ends, has none any more.

use jobq::WorkerInfo;
use support::jobs::{QUEUE, hold};
use support::{Port, Record};
use tokio::net::TcpStream;

use crate::fixture::Fixture;
use crate::program::{Program, command};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_worker_goes_on_whose_run_is_dropped() {
    let (fixture, record, give_up) = (Fixture::redis().await, Record::new(), Record::new());
    let port = Port::free();
    let at = port.address();
    let mut command = command();
    command.env("TEST_RUN", &fixture.url);
    command.env("TEST_GIVE_UP", give_up.path());
    let program = Program::launch(command.env("TEST_HTTP", at.to_string()));
    hold::enqueue(&fixture.client, record.path(), "held")
        .await
        .unwrap();
    record.wait_for("begin held", 1).await;
    let one = async |is: fn(&WorkerInfo) -> bool| {
        let workers = fixture.operator.workers().await.unwrap();
        workers.into_iter().find(is).map(drop)
    };
    support::eventually("its registration", async || one(|_| true).await).await;
    TcpStream::connect(at).await.unwrap();

    give_up.write("now");
    program.wait_for_log("given up").await;
    record.wait_for("dropped held", 1).await;
    let closed = async || TcpStream::connect(at).await.is_err().then_some(());
    support::eventually("the end of its HTTP server", closed).await;
    support::eventually("its silence", async || one(WorkerInfo::is_lost).await).await;

    // Its lease is renewed no more, so that others take over what it ran.
    let other = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    record.write("go");
    record.wait_for("end held", 1).await;
    assert_eq!(other.stats().adopted, 1);
    other.shutdown().await;
    assert_eq!(record.after("begin held").len(), 2);
}
