//! `jobq health`: figures, limits, and what the code says.

use jobq::broker::{Broker, Operate, Report};
use jobq::{Client, Job, QueueName, Tally, Totals, WorkerId};
use serde_json::Value;

use crate::fixture::*;
use crate::schema;

#[derive(Debug, Clone, Job)]
#[job(name = "sample", queue = "mail")]
struct Sample {}

/// A server with three jobs ready, one delayed and two dead.
async fn with_jobs() -> RedisServer {
    let server = well();
    let client = Client::builder(server.url()).connect().await.unwrap();
    client.enqueue_all((0..3).map(|_| Sample {})).await.unwrap();
    let later = std::time::Duration::from_secs(3600);
    Sample {}.delay(later).enqueue(&client).await.unwrap();
    ask(&server, &["LPUSH", "jobq:{mail}:dead", "x", "y"]).await;
    server
}

/// The code, and the document.
async fn health(server: &RedisServer, args: &[&str]) -> (i32, Value) {
    let ran = run(command(
        &[&["--url", &server.url(), "health"], args].concat(),
    ))
    .await;
    let document = ran.document();
    schema::check("health", &document);
    assert_eq!(ran.out.lines().count(), 1, "one object: {}", ran.out);
    (ran.code, document)
}

/// The checks that failed, with their levels.
fn reasons(document: &Value) -> Vec<(&str, &str)> {
    let reasons = document["reasons"].as_array().unwrap().iter();

    reasons
        .map(|one| {
            (
                one["check"].as_str().unwrap(),
                one["level"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn without_limits_a_server_that_answers_is_healthy() {
    let server = with_jobs().await;
    let (code, document) = health(&server, &[]).await;
    assert_eq!((code, &document["status"]), (0, &"healthy".into()));
    let mail = &document["queues"][0];
    assert_eq!(
        (&mail["ready"], &mail["delayed"], &mail["dead"]),
        (&3.into(), &1.into(), &2.into())
    );
    assert!(document["latency_us"].as_u64().unwrap() > 0);
    assert!(document["memory"]["used"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn the_code_says_the_worst_of_what_is_beyond_a_limit() {
    let server = with_jobs().await;
    for (args, code, expected) in [
        (&["--max-ready", "3", "--max-dead", "2"][..], 0, vec![]),
        (&["--max-ready", "2"], 4, vec![("max-ready", "error")]),
        (&["--max-ready", "2,3"], 3, vec![("max-ready", "warning")]),
        (
            &["--max-ready", "1,2", "--max-dead", "1,5"],
            4,
            vec![("max-ready", "error"), ("max-dead", "warning")],
        ),
        (&["--min-workers", "0"], 0, vec![]),
        (&["--min-workers", "1"], 4, vec![("min-workers", "error")]),
        (&["--max-age", "0ms"], 4, vec![("max-age", "error")]),
        (&["--max-age", "1h"], 0, vec![]),
        (&["--max-memory", "1KiB"], 4, vec![("max-memory", "error")]),
        (
            &["--max-memory", "0%,100%"],
            3,
            vec![("max-memory", "warning")],
        ),
        (
            &[
                "--max-memory",
                "99%",
                "--max-failure-rate",
                "1%",
                "--over",
                "10ms",
            ],
            0,
            vec![],
        ),
    ] {
        let (found, document) = health(&server, args).await;
        assert_eq!((found, reasons(&document)), (code, expected), "{args:?}");
    }
}

#[tokio::test]
async fn named_queues_alone_are_looked_at() {
    let server = with_jobs().await;
    ask(&server, &["SADD", "jobq:queues", "other"]).await;
    let (code, document) = health(&server, &["other", "--max-ready", "0"]).await;
    assert_eq!((code, document["queues"].as_array().unwrap().len()), (0, 1));
    for (name, expected) in [("unknown", 1), ("no name", 2)] {
        let (code, document) = health(&server, &[name]).await;
        assert_eq!(
            (code, reasons(&document)),
            (expected, vec![("queue", "error")])
        );
    }
}

#[tokio::test]
async fn a_replica_is_an_error() {
    let server = with_jobs().await;
    ask(&server, &["REPLICAOF", "127.0.0.1", "1"]).await;
    let (code, document) = health(&server, &[]).await;
    assert_eq!(
        (code, reasons(&document)),
        (4, vec![("replication", "error")])
    );
}

#[tokio::test]
async fn the_failure_rate_is_that_of_what_ran_meanwhile() {
    let server = with_jobs().await;
    let broker = broker_on(&server).await;
    let queue = QueueName::new("mail").unwrap();
    let worker = WorkerId::random();
    let member = jobq::broker::Member {
        queue: queue.clone(),
        worker: worker.clone(),
        known: 0,
    };
    broker.renew(&member).await.unwrap();
    let mut totals = Totals::default();
    // One died without a run: nobody could read it.
    (totals.done, totals.dead) = (3, 1);
    let mut number = 0;
    let asked = health(&server, &["--max-failure-rate", "10%,20%", "--over", "2s"]);
    let reporting = async {
        loop {
            number += 1;
            let tallies = vec![Tally::new("sample", totals)];
            let report = Report {
                queue: queue.clone(),
                worker: worker.clone(),
                number,
                tallies,
            };
            broker.report(&report).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let (code, document) = tokio::select! {
        answer = asked => answer,
        () = reporting => unreachable!("it goes on"),
    };
    assert_eq!(
        (code, reasons(&document)),
        (4, vec![("max-failure-rate", "error")])
    );
    assert_eq!(document["queues"][0]["failure_rate"], 0.25);
}

#[tokio::test]
async fn that_there_is_no_queue_is_a_reason() {
    let (code, document) = health(&well(), &[]).await;
    assert_eq!((code, reasons(&document)), (3, vec![("queue", "warning")]));
}

#[tokio::test]
async fn what_nobody_can_read_of_the_workers_is_an_error_and_the_queues_are_judged() {
    let server = with_jobs().await;
    ask(&server, &["SET", "jobq:workers", "x"]).await;
    let (code, document) = health(&server, &["--max-ready", "2", "--min-workers", "1"]).await;
    let expected = vec![("keys", "error"), ("max-ready", "error")];
    assert_eq!((code, reasons(&document)), (70, expected));
    assert!(document["queues"][0]["workers"].is_null());
}
