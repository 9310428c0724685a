//! `jobq stats`

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{Fixture, note, retry};
use crate::schema;

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_each_queue_and_of_all_are_shown() {
    let f = Fixture::start().await;
    f.dead(&["down"]).await;
    for _ in 0..3 {
        note::enqueue(&f.client, "x").await.unwrap();
    }
    let later = note::new("x")
        .queue("slow")
        .delay(Duration::from_secs(3600));
    later.enqueue(&f.client).await.unwrap();
    f.queue("slow").pause().await.unwrap();

    let stats = f.json(&["stats"], "stats").await;
    let [mail, slow] = &stats["queues"].as_array().unwrap()[..] else {
        panic!("{stats}");
    };
    assert_eq!(
        (&mail["queue"], &mail["paused"]),
        (&json!("mail"), &json!(false))
    );
    assert_eq!(
        (&mail["ready"], &mail["dead"], &mail["delayed"]),
        (&json!(3), &json!(1), &json!(0))
    );
    assert_eq!((&mail["done"], &mail["failed"]), (&json!(0), &json!(1)));
    assert!(mail["oldest_ready_age_ms"].is_u64() && mail["next_due"].is_null());
    assert_eq!(
        (&slow["queue"], &slow["paused"]),
        (&json!("slow"), &json!(true))
    );
    assert_eq!((&slow["delayed"], &slow["dead"]), (&json!(1), &json!(0)));
    assert!(slow["next_due"].is_string());
    let total = &stats["total"];
    assert_eq!(
        (&total["ready"], &total["delayed"], &total["dead"]),
        (&json!(3), &json!(1), &json!(1))
    );

    let one = f.json(&["stats", "slow"], "stats").await;
    assert_eq!(one["queues"].as_array().unwrap().len(), 1);
    let lines = f.run(&["stats"]).await.ok();
    let fields: Vec<Vec<_>> = lines
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(fields[0][..4], ["mail", "open", "3", "0"]);
    assert_eq!(fields[1][..2], ["slow", "paused"]);
    assert_eq!(fields[2][0], "(total)");
    assert!(fields.iter().all(|line| line.len() == 14), "{fields:?}");
    f.run(&["stats", "slow", "typo"])
        .await
        .failed(1, "no queue \"typo\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_rates_and_ends_when_it_is_told_to() {
    let f = Fixture::start().await;
    let worker = f.worker();
    let mut command = f.command(&["--json", "stats", "mail", "--watch", "50ms"]);
    note::enqueue(&f.client, "x").await.unwrap();
    command.stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value {
        let line = lines.next().unwrap().unwrap();
        let look = serde_json::from_str(&line).unwrap();
        schema::check("stats", &look);
        look
    };
    let first = tokio::task::block_in_place(&mut next);
    assert!(first["total"]["done_per_s"].is_null(), "{first}");
    for _ in 0..20 {
        note::enqueue(&f.client, "x").await.unwrap();
    }
    // Until they are reported; the rate is that of the look in which they were.
    let rate = tokio::task::block_in_place(|| {
        (0..10_000).find_map(|_| {
            let look = next();
            let rate = look["queues"][0]["done_per_s"].as_f64().unwrap();
            (rate > 0.0 && look["total"]["done_per_s"] == rate).then_some(rate)
        })
    });
    assert!(rate.is_some());
    support::signal(child.id(), "INT");
    let status = tokio::task::block_in_place(|| child.wait().unwrap());
    assert_eq!(status.code(), Some(0), "it is how a watch ends");
    worker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_dies_without_a_run_and_counts_as_failed() {
    let f = Fixture::start().await;
    f.push_raw("mail", b"no envelope").await;
    let worker = f.worker();
    f.until("mail", "its death", |stats| stats.totals.dead == 1)
        .await;
    worker.shutdown().await;
    let stats = f.json(&["stats", "mail"], "stats").await;
    let mail = &stats["queues"][0];
    assert_eq!((&mail["dead"], &mail["failed"]), (&json!(1), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_retry_is_delayed_and_counted_as_failed() {
    let f = Fixture::start().await;
    let worker = f.worker();
    retry::enqueue(&f.client, "down").await.unwrap();
    f.until("mail", "the retry", |stats| {
        stats.delayed == 1 && stats.totals.failed == 1
    })
    .await;
    worker.shutdown().await;
    let stats = f.json(&["stats", "mail"], "stats").await;
    let mail = &stats["queues"][0];
    assert_eq!(
        (&mail["delayed"], &mail["failed"], &mail["dead"]),
        (&json!(1), &json!(1), &json!(0))
    );
}
