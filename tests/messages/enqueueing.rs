//! What enqueueing says: of the job, of the queue, of the server.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use jobq::{Backoff, Client, EnqueueError, IntoJob, Jitter, Job, JobId};
use support::RedisServer;

use crate::connecting::{say, vary_address};
use crate::document::Document;

#[derive(Job)]
#[job(name = "send_welcome")]
struct SendWelcome {
    email: String,
}

#[derive(Job)]
#[job(name = "remind")]
struct Remind {
    at: SystemTime,
    notes: HashMap<String, String>,
}

fn welcome() -> SendWelcome {
    SendWelcome {
        email: "ada@example.org".to_owned(),
    }
}

pub(crate) async fn collect(document: &mut Document) {
    document.group("enqueueing: the job");
    let client = jobq::connect("memory://").await.unwrap();
    jobs(document, &client).await;
    document.group("enqueueing: the server");
    servers(document).await;
}

async fn jobs(document: &mut Document, client: &Client) {
    refuse(
        document,
        client,
        ".queue(\"my mail\")",
        welcome().queue("my mail"),
    )
    .await;
    refuse(document, client, ".queue(\"\")", welcome().queue("")).await;
    let long = welcome().queue("x".repeat(200));
    refuse(document, client, ".queue() of 200 letters", long).await;
    let no_time = welcome().timeout(Duration::ZERO);
    refuse(document, client, ".timeout(Duration::ZERO)", no_time).await;
    let policy = Backoff::exponential(Duration::from_secs(60));
    for (cause, backoff) in [
        (
            "a base_delay over max_delay",
            policy.max_delay(Duration::from_secs(1)),
        ),
        ("a factor of 0", policy.factor(0.0)),
        ("a factor that is no number", policy.factor(f64::NAN)),
        ("a jitter of 2", policy.jitter(Jitter::Fraction(2.0))),
    ] {
        refuse(document, client, cause, welcome().backoff(backoff)).await;
    }
    let large = SendWelcome {
        email: "x".repeat(2 << 20),
    };
    refuse(document, client, "an argument of 2 MiB", large).await;
    let before_time = Remind {
        at: SystemTime::UNIX_EPOCH - Duration::from_secs(1),
        notes: HashMap::new(),
    };
    refuse(
        document,
        client,
        "a time that serde cannot write",
        before_time,
    )
    .await;
}

async fn servers(document: &mut Document) {
    let full = RedisServer::start_with(&[("maxmemory", "1")]);
    let client = connect(document, &full).await;
    refuse(document, &client, "a server that is full", welcome()).await;

    let mut server = RedisServer::start();
    let client = connect(document, &server).await;
    say(&server, "SET jobq:{odd}:ready text");
    refuse(
        document,
        &client,
        "a key of another program",
        welcome().queue("odd"),
    )
    .await;
    let both = ["mail", "odd"].map(|queue| welcome().queue(queue));
    let error = client.enqueue_all(both).await.unwrap_err();
    document.error("enqueue_all where only the first queue takes jobs", &error);

    say(&server, "ACL SETUSER default -lpush");
    refuse(
        document,
        &client,
        "a user without the right to LPUSH",
        welcome(),
    )
    .await;
    say(&server, "ACL SETUSER default +lpush");

    server.signal("STOP");
    let id = JobId::from_bytes([7; 16]);
    refuse(
        document,
        &client,
        "a server that stands still",
        welcome().id(id),
    )
    .await;
    server.signal("CONT");
    server.kill();
    // The one that waited for the answer notices, or this one does.
    let _ = client.enqueue(welcome()).await;
    refuse(document, &client, "a server that is gone", welcome()).await;
}

async fn connect(document: &mut Document, server: &RedisServer) -> Client {
    vary_address(document, &server.url());
    let builder = Client::builder(server.url()).timeout(Duration::from_secs(1));
    builder.connect().await.unwrap()
}

async fn refuse(document: &mut Document, client: &Client, cause: &str, job: impl IntoJob) {
    let error: EnqueueError = client.enqueue(job).await.unwrap_err();
    document.error(cause, &error);
}
