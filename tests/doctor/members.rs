//! Who counts as a worker that serves a queue: members that were killed stay members.

use std::time::Duration;

use jobq::broker::{Broker, Member, Renewed};
use jobq::{Client, QueueName, WorkerId, WorkerState, job};
use jobq_worker::Worker;

use crate::fixture::*;

/// Short, so that a heartbeat is not waited for long.
const SHORT: Duration = Duration::from_secs(2);

/// Long enough that a busy machine renews while one is waited for.
const LONG: Duration = Duration::from_secs(10);

#[job(name = "doctor.never", queue = "mail")]
async fn never() {}

/// A server with two jobs ready, and a member of their queue that tells nothing.
async fn with_member(lease: Duration) -> (RedisServer, Member) {
    let server = well();
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    ask(&server, &["LPUSH", "jobq:{mail}:ready", "x", "y"]).await;
    let mut member = Member {
        queue: QueueName::new("mail").unwrap(),
        worker: WorkerId::leased(lease),
        known: 0,
    };
    renew(&broker_on(&server).await, &mut member).await;
    (server, member)
}

async fn renew(broker: &impl Broker, member: &mut Member) {
    match broker.renew(member).await.unwrap() {
        Renewed::Alive { counter, .. } => member.known = counter,
        Renewed::Reaped => panic!("nobody takes over from it"),
    }
}

#[tokio::test]
async fn an_idle_member_that_was_killed_serves_no_queue() {
    let (server, _) = with_member(SHORT).await;
    let report = doctor(&server, &[]).await;
    report.found_with("workers", "warning", "jobs ready: 2", "--queues mail");
    assert_eq!(report.document["queues"][0]["workers"], 0);
}

#[tokio::test]
async fn a_member_that_renews_serves_its_queue_though_it_tells_nothing() {
    let (server, mut member) = with_member(LONG).await;
    let broker = broker_on(&server).await;
    let renewing = async {
        loop {
            renew(&broker, &mut member).await;
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    let report = tokio::select! {
        report = doctor(&server, &[]) => report,
        () = renewing => unreachable!("it goes on"),
    };
    report.found("workers", "ok", "");
    assert_eq!(report.document["queues"][0]["workers"], 1);
}

#[tokio::test]
async fn a_worker_that_is_quiet_takes_no_jobs_of_its_queue() {
    let server = well();
    let client = Client::builder(server.url()).connect().await.unwrap();
    let worker = Worker::builder(client.clone()).queues(["mail"]);
    let worker = worker.renew_every(Duration::from_millis(100));
    let worker = worker.build().unwrap().spawn();
    let told = eventually("the worker", async || client.workers().await.unwrap().pop()).await;
    assert!(client.quiet(&told.id).await.unwrap());
    eventually("its obedience", async || {
        let told = client.workers().await.unwrap().pop()?;
        (told.state == WorkerState::Quiet).then_some(())
    })
    .await;
    client
        .enqueue_all((0..3).map(|_| never::new()))
        .await
        .unwrap();

    let report = doctor(&server, &[]).await;
    let words = "all workers of the queue are quiet or stopping: 1";
    report.found_with("workers", "warning", words, "--queues mail");
    assert_eq!(report.document["queues"][0]["workers"], 1);
    let ran = run(command(&[
        "--url",
        &server.url(),
        "health",
        "--min-workers",
        "1",
    ]))
    .await;
    assert_eq!(ran.code, 4, "{ran:?}");
    let document = ran.document();
    assert_eq!(document["reasons"][0]["check"], "min-workers");
    assert_eq!(document["queues"][0]["workers"], 0);
    worker.shutdown().await;
}
