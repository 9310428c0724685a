//! A handler that blocks the threads of the runtime cannot let the lease lapse.

use std::time::Duration;

use support::Record;
use support::jobs::{QUEUE, hog, note};

use crate::fixture::Fixture;
use crate::program::{Program, command};

/// Longer than elsewhere: nothing may be adopted here, however loaded the machine is.
const LEASE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_every_thread_keeps_its_lease() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut command = command();
    command.env("TOKIO_WORKER_THREADS", "2");
    command.args(["--url", &fixture.url, "--queues", QUEUE]);
    let mut program = Program::launch(command.args(["--lease", "3s", "--renew-every", "300ms"]));
    program.wait_for_log("worker started").await;
    let hogs = (0..2).map(|n| hog::new(record.path(), format!("hog {n}"), 2 * LEASE));
    fixture.client.enqueue_all(hogs).await.unwrap();
    record.wait_for("begin hog", 2).await;
    let watcher = fixture
        .worker()
        .queues([QUEUE])
        .lease(LEASE)
        .build()
        .unwrap()
        .spawn();
    program.wait_for_log("the runtime is stalled").await;
    record.wait_for("end hog", 2).await;
    note::enqueue(&fixture.client, record.path(), "new")
        .await
        .unwrap();
    record.wait_for("end new", 1).await;
    watcher.shutdown().await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));
    assert_eq!(record.after("begin hog").len(), 2);
    assert!(!program.log().contains("lease lost"), "{}", program.log());
}
