//! Clients and workers of a Redis that speaks TLS and nothing else.

use std::time::Duration;

use jobq::Client;
use jobq_worker::Worker;
use support::jobs::{QUEUE, note};
use support::{Authority, Record, RedisServer};

use crate::fixture::{LEASE, Ledger, RENEW_EVERY};
use crate::process::run;
use crate::program::{Program, command};

const HOST: &str = "127.0.0.1";

async fn connect(server: &RedisServer, authority: &Authority) -> Client {
    let builder = Client::builder(server.url()).ca_file(authority.ca_file());
    builder.connect().await.unwrap()
}

/// A worker process that trusts this authority as systems do, and no other.
fn launch(server: &RedisServer, authority: &Authority) -> Program {
    let mut command = command();
    command.env("SSL_CERT_FILE", authority.ca_file());
    Program::launch(command.args(["--url", &server.url(), "--queues", QUEUE]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_pass_from_a_client_to_an_embedded_worker() {
    let authority = Authority::new("ours");
    let server = RedisServer::start_tls(&authority.certify(HOST), &[]);
    let client = connect(&server, &authority).await;
    let record = Record::new();
    let worker = Worker::builder(client.clone()).state(Ledger::default());
    let worker = worker.lease(LEASE).renew_every(RENEW_EVERY);
    let worker = worker.queues([QUEUE]).build().unwrap().spawn();
    // The worker waits for the first, is told of the second, and the others come at once.
    note::enqueue(&client, record.path(), "first")
        .await
        .unwrap();
    record.wait_for("end first", 1).await;
    let later = note::new(record.path(), "later").delay(Duration::from_millis(300));
    later.enqueue(&client).await.unwrap();
    record.wait_for("end later", 1).await;
    let many = (0..500).map(|n| note::new(record.path(), format!("many-{n}")));
    client.enqueue_all(many).await.unwrap();
    record.wait_for("end many", 500).await;
    assert_eq!(worker.shutdown().await.abandoned, 0);
}

#[tokio::test]
async fn a_worker_process_trusts_the_authorities_of_the_system_and_no_others() {
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let server = RedisServer::start_tls(&authority.certify(HOST), &[]);
    let record = Record::new();
    let mut program = launch(&server, &authority);
    program.wait_for_log("worker started").await;
    assert!(program.log().contains("rediss://"), "{}", program.log());
    let client = connect(&server, &authority).await;
    note::enqueue(&client, record.path(), "a").await.unwrap();
    record.wait_for("end a", 1).await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));

    for (file, expected) in [
        (
            other.ca_file(),
            "signed by none of those this system trusts",
        ),
        ("/nowhere.pem".into(), "/nowhere.pem"),
    ] {
        let mut command = command();
        let (code, text) = run(command
            .env("SSL_CERT_FILE", file)
            .args(["--url", &server.url()]));
        assert_eq!(code, Some(78), "{text}");
        assert!(
            text.contains(expected) && text.contains("ca_file"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_worker_waits_for_a_server_that_comes_back_with_a_wrong_certificate() {
    let (authority, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let right = authority.certify(HOST);
    let own = authority.certify("own");
    own.replace_by(&right);
    let mut server = RedisServer::start_tls(&own, &[]);
    let record = Record::new();
    let mut program = launch(&server, &authority);
    program.wait_for_log("worker started").await;
    let told = |log: &str, what: &str| {
        let mut lines = log.lines().filter(|line| line.contains("WARN"));
        lines.any(|line| line.contains(what))
    };
    for (wrong, what) in [
        (authority.certify_expired(HOST), "has expired"),
        (theirs.certify(HOST), "signed by none of"),
    ] {
        own.replace_by(&wrong);
        server.restart();
        support::eventually("a warning", async || {
            told(&program.log(), what).then_some(())
        })
        .await;
    }
    own.replace_by(&right);
    server.restart();
    let client = connect(&server, &authority).await;
    note::enqueue(&client, record.path(), "after")
        .await
        .unwrap();
    record.wait_for("end after", 1).await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));
}
