//! `jobq workers`, on worker processes.

use std::process::{Child, Command, Stdio};

use jobq::WorkerInfo;
use serde_json::json;
use support::jobs::{QUEUE, hold};
use support::{Record, Role};

use crate::fixture::Fixture;

/// A worker process, which ends with the test.
struct Process(Child);

impl Process {
    fn start(f: &Fixture) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobq-test-worker"));
        command
            .env_clear()
            .env("TEST_ENDS_WITH_STDIN", "1")
            .env("JOBQ_RENEW_EVERY", "100ms")
            .env("JOBQ_URL", f.url(Role::Worker))
            .args(["--queues", QUEUE, "--concurrency", "3"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(
            command
                .spawn()
                .expect("the program was built with the tests"),
        )
    }

    async fn seen(&self, f: &Fixture, is: impl Fn(&WorkerInfo) -> bool) -> WorkerInfo {
        support::eventually("the worker as it should be", async || {
            let workers = f.client.workers().await.expect("the server answers");
            let ours = |worker: &WorkerInfo| worker.pid == self.0.id() && is(worker);
            workers.into_iter().find(ours)
        })
        .await
    }

    async fn ended(&mut self) -> Option<i32> {
        let status = support::eventually("the end of the worker", async || {
            self.0.try_wait().expect("it is our child")
        });
        status.await.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_listed_with_what_they_run() {
    let f = Fixture::start().await;
    let (worker, record) = (Process::start(&f), Record::new());
    let job = hold::new(record.path(), "one")
        .enqueue(&f.client)
        .await
        .unwrap();
    let seen = worker.seen(&f, |worker| worker.running.len() == 1).await;
    let list = f.json(&["workers", "list"], "workers list").await;
    let told = &list["workers"][0];
    assert_eq!(
        (&told["id"], &told["pid"]),
        (&json!(seen.id.as_str()), &json!(seen.pid))
    );
    assert_eq!(
        (&told["slots"], &told["slots_used"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(
        (&told["state"], &told["queues"][0]["queue"]),
        (&json!("working"), &json!(QUEUE))
    );
    let running = &told["running"][0];
    assert_eq!(
        (&running["id"], &running["name"]),
        (&json!(job.id().to_string()), &json!("test.hold"))
    );
    let lines = f.run(&["workers", "list", "--jobs"]).await.ok();
    let fields: Vec<_> = lines.lines().next().unwrap().split('\t').collect();
    assert_eq!(
        (fields.len(), fields[5], fields[9]),
        (11, "1/3", "programs:1")
    );
    assert!(
        lines.contains(&format!("\ttest.hold {}", job.id())),
        "{lines}"
    );
    let other = f.run(&["workers", "list", "--queue", QUEUE]).await.ok();
    assert_eq!(other.lines().count(), 1);
    f.run(&["workers", "list", "--queue", "typo"])
        .await
        .failed(1, "typo");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_quieted_and_stopped_through_redis() {
    let f = Fixture::start().await;
    let (mut worker, record) = (Process::start(&f), Record::new());
    hold::new(record.path(), "one")
        .enqueue(&f.client)
        .await
        .unwrap();
    let id = worker.seen(&f, |worker| worker.running.len() == 1).await.id;
    let id = id.as_str();
    f.run(&["workers", "quiet", id, "--read-only"])
        .await
        .failed(77, "--read-only");
    let late = ["workers", "quiet", id, "--wait", "1ms"];
    let late = f.json_with_code(&late, "workers stop", 1).await;
    assert_eq!(late["workers"][0]["result"], "not yet");
    std::fs::write(record.path(), "go\n").unwrap();
    let quiet = f
        .json(
            &["workers", "quiet", &id[..30], "--wait", "1m"],
            "workers stop",
        )
        .await;
    assert_eq!(quiet["workers"][0]["result"], "obeyed");
    assert_eq!(
        f.json(&["workers", "list"], "workers list").await["workers"][0]["state"],
        "quiet"
    );

    f.run(&["workers", "stop", id]).await.failed(2, "--yes");
    let stop = ["workers", "stop", "--all", "--yes", "--wait", "1m"];
    let stopped = f.json(&stop, "workers stop").await;
    assert_eq!(stopped["workers"][0]["result"], "obeyed");
    assert_eq!(worker.ended().await, Some(0));
    f.run(&["workers", "stop", id, "--yes"])
        .await
        .failed(1, "no worker");
    let nobody = f
        .json(&["workers", "stop", "--all", "--yes"], "workers stop")
        .await;
    assert_eq!(nobody["workers"], json!([]));
}
