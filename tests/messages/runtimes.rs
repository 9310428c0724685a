//! What is said outside of a tokio runtime, where its timers would panic.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jobq::Client;
use jobq_worker::Worker;
use support::RedisServer;

use crate::building::Fine;
use crate::connecting::vary_address;
use crate::document::Document;

pub(crate) fn collect(document: &mut Document) {
    document.group("outside of a tokio runtime");
    let server = RedisServer::start();
    vary_address(document, &server.url());
    let client = Client::builder(server.url());
    let (connected, worker) = inside(async {
        let client = client.connect().await.unwrap();
        let worker = Worker::builder(client.clone()).register::<Fine>();
        (client, worker.build().unwrap())
    });
    let error = outside(jobq::connect(server.url())).unwrap_err();
    document.error("jobq::connect(url)", &error);
    let error = outside(connected.enqueue(Fine {})).unwrap_err();
    document.error("client.enqueue(job)", &error);
    let error = outside(worker.run()).unwrap_err();
    document.error("worker.run()", &error);
    let error = outside(worker.run_until_idle().into_future()).unwrap_err();
    document.error("worker.run_until_idle()", &error);
    outside(jobq::connect("memory://")).unwrap();
}

/// On a runtime of its own, in a thread of its own.
fn inside<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let output = runtime.block_on(future);
        runtime.shutdown_background();
        output
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

/// What a future says at once, in a thread without a runtime.
fn outside<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let poll = || match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    };
    std::thread::scope(|scope| scope.spawn(poll).join().unwrap())
}
