//! `jobq health` on a server that is far away: a probe has its answer in time.

use std::process::Stdio;
use std::time::Duration;

use jobq_proxy::{Delay, Direction, Proxy};
use serde_json::Value;

use crate::fixture::*;
use crate::schema;

/// As many that it would have to ask for a minute.
const QUEUES: usize = 200;

/// A server with many queues, and a way to it on which each answer takes this long.
async fn far(answer: Duration) -> (RedisServer, Proxy, String) {
    let server = well();
    let names: Vec<String> = (0..QUEUES).map(|queue| format!("queue-{queue}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    ask(&server, &[&["SADD", "jobq:queues"], &names[..]].concat()).await;
    let proxy = Proxy::start(server.address()).await.unwrap();
    proxy.delay(Direction::Reply, Delay::of(answer));
    let url = format!("redis://{}", proxy.address());
    (server, proxy, url)
}

fn reason(document: &Value) -> &str {
    schema::check("health", document);
    assert_eq!(document["status"], "error");
    let reason = &document["reasons"][0];
    assert_eq!(reason["check"], "broker");
    reason["said"].as_str().unwrap()
}

#[tokio::test]
async fn a_server_that_is_too_slow_is_an_error_with_what_was_seen() {
    let (_server, _proxy, url) = far(Duration::from_millis(150)).await;
    let ran = run(command(&["--url", &url, "health"])).await;
    assert_eq!(ran.code, 69, "{ran:?}");
    let document = ran.document();
    let said = reason(&document);
    assert!(said.contains("too slow: 4.5 s were over"), "{said}");
    let seen = document["queues"].as_array().unwrap().len();
    assert!(
        said.ends_with(&format!("after a look at {seen} queues")),
        "{said}"
    );
    assert!(seen < QUEUES, "{seen}");
}

#[tokio::test]
async fn a_probe_that_is_interrupted_says_so() {
    let (server, _proxy, url) = far(Duration::from_millis(20)).await;
    // It looks for longer than the test may take, but for the signal.
    let counts = ["--max-failure-rate", "50%", "--over", "5m"];
    let mut command = command(&[&["--url", &url, "health"], &counts[..]].concat());
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    eventually("the look at the queues", async || {
        let stats = ask(&server, &["INFO", "commandstats"]).await;
        format!("{stats:?}")
            .contains("cmdstat_hgetall:")
            .then_some(())
    })
    .await;
    support::signal(child.id(), "INT");
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = within("the end", ended).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let document = serde_json::from_slice(&output.stdout).unwrap();
    let said = reason(&document);
    assert!(said.starts_with("interrupted after a look at"), "{said}");
}
