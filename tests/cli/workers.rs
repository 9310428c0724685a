//! `jobq workers`, on worker processes.

use std::process::{Child, Command, Stdio};

use jobq::{WorkerId, WorkerInfo};
use serde_json::json;
use support::jobs::{QUEUE, hold};
use support::{Record, Role};

use crate::fixture::{Fixture, note};

/// A worker process, which ends with the test.
struct Process(Child);

impl Process {
    fn start(f: &Fixture) -> Self {
        Self::start_with(f, &[])
    }

    fn start_with(f: &Fixture, env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobq-test-worker"));
        command
            .env_clear()
            .env("TEST_ENDS_WITH_STDIN", "1")
            .env("JOBQ_RENEW_EVERY", "100ms")
            .env("JOBQ_URL", f.url(Role::Worker))
            .envs(env.iter().copied())
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

/// How many workers a queue has, by `stats` and by `queues list`.
async fn counted(f: &Fixture, queue: &str) -> [u64; 2] {
    let stats = f.json(&["stats", queue], "stats").await;
    let list = f.json(&["queues", "list"], "queues list").await;
    let queues = list["queues"].as_array().expect("a list").iter();
    let mut listed = queues.filter(|one| one["queue"] == queue);
    let listed = listed.next().expect("the queue is listed");
    [&stats["queues"][0], listed].map(|one| one["workers"].as_u64().expect("a number"))
}

async fn members(f: &Fixture, queue: &str) -> Vec<(WorkerId, u64)> {
    let queue = f.queue(queue);
    let members = f.client.broker().members(queue.name()).await;
    members.expect("the server answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_killed_is_not_counted_though_it_is_a_member_still() {
    let f = Fixture::start().await;
    let mut process = Process::start_with(&f, &[("JOBQ_LEASE", "1s")]);
    support::eventually("the worker to be counted", async || {
        let queues = f.client.queues().await.expect("the server answers");
        let known = queues.iter().any(|queue| queue.as_str() == QUEUE);
        (known && counted(&f, QUEUE).await == [1, 1]).then_some(())
    })
    .await;
    process.0.kill().expect("it is our child");
    process.seen(&f, WorkerInfo::is_lost).await;
    assert_eq!(members(&f, QUEUE).await.len(), 1);
    assert_eq!(counted(&f, QUEUE).await, [0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_taken_for_dead_counts_as_the_member_that_it_has_become() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.expect("it is enqueued");
    let worker = f.worker();
    let id = support::eventually("the worker to join", async || {
        let mut members = members(&f, "mail").await;
        members.pop().map(|(id, _)| id)
    })
    .await;
    // As another does that takes over from it.
    let mut command = redis::cmd("HSET");
    command.arg(f.key("{mail}:workers")).arg(id.as_str()).arg(0);
    let adopted = command.exec_async(&mut f.redis().await).await;
    adopted.expect("it is set");
    support::eventually("the worker to join and to tell of it", async || {
        let workers = f.client.workers().await.expect("the server answers");
        let served = workers.iter().flat_map(|worker| &worker.queues);
        let members = members(&f, "mail").await;
        let mut new = served.filter(|served| served.member != id);
        new.any(|served| members.iter().any(|(member, _)| *member == served.member))
            .then_some(())
    })
    .await;
    // And has ended with it.
    let mut command = redis::cmd("HDEL");
    command.arg(f.key("{mail}:workers")).arg(id.as_str());
    let ended = command.exec_async(&mut f.redis().await).await;
    ended.expect("it is removed");
    assert_eq!(counted(&f, "mail").await, [1, 1]);
    worker.shutdown().await;
}
