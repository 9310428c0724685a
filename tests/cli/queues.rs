//! `jobq queues`

use std::time::Duration;

use jobq::JobState;
use serde_json::json;
use support::Record;

use crate::fixture::{Fixture, note};

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_listed_paused_and_resumed() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.unwrap();
    note::new("x")
        .queue("slow")
        .enqueue(&f.client)
        .await
        .unwrap();
    let done = f
        .json(&["queues", "pause", "mail", "slow"], "queues pause")
        .await;
    assert_eq!(
        done,
        json!({ "queues": ["mail", "slow"], "paused": true, "error": null })
    );
    let list = f.json(&["queues", "list"], "queues list").await;
    let paused: Vec<_> = list["queues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|q| &q["paused"])
        .collect();
    assert_eq!(paused, [true, true]);
    assert_eq!(
        f.run(&["queues", "resume", "slow"]).await.ok(),
        "resumed slow\n"
    );
    let lines = f.run(&["queues", "list"]).await.ok();
    assert_eq!(lines, "mail\tpaused\t0\t1\t0\t0\nslow\topen\t0\t1\t0\t0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_refuses_what_it_refuses_whether_that_is_there_or_not() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.unwrap();
    for queue in ["mail", "mial"] {
        for (args, what) in [
            (&["queues", "pause", queue][..], "pause"),
            (&["queues", "resume", queue], "resume"),
            (
                &["queues", "purge", queue, "--state", "ready", "--yes"],
                "remove jobs of",
            ),
        ] {
            let refused = f.run(&[args, &["--read-only"]].concat()).await;
            let said = format!("--read-only refuses to {what} {queue}; nothing was changed");
            refused.failed(77, &said);
        }
    }
    for deed in ["quiet", "stop"] {
        let order = ["workers", deed, "nobody", "--yes", "--read-only"];
        let said = format!("--read-only refuses to {deed} workers");
        f.run(&order).await.failed(77, &said);
    }
    let counts = ["queues", "purge", "mail", "--state", "ready", "--dry-run"];
    f.run(&[&counts[..], &["--read-only"]].concat()).await.ok();
    let stats = f.queue("mail").stats().await.unwrap();
    assert!(!stats.paused && stats.ready == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_misspelt_changes_none() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.unwrap();
    for args in [
        &["queues", "pause", "mail", "mial"][..],
        &[
            "queues", "purge", "mail", "mial", "--state", "ready", "--yes",
        ],
        &["queues", "drain", "mial"],
    ] {
        f.run(args).await.failed(1, "no queue \"mial\"");
    }
    f.run(&["queues", "pause", "a b"])
        .await
        .failed(2, "\"a b\"");
    let stats = f.queue("mail").stats().await.unwrap();
    assert!(!stats.paused && stats.ready == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_needs_consent_and_removes_what_it_says() {
    let f = Fixture::start().await;
    for _ in 0..3 {
        note::enqueue(&f.client, "x").await.unwrap();
    }
    let hour = Duration::from_secs(3600);
    note::new("x").delay(hour).enqueue(&f.client).await.unwrap();
    let purge = ["queues", "purge", "mail", "--state", "ready,delayed"];
    f.run(&purge).await.failed(2, "--yes");
    f.run(&[&purge[..], &["--yes", "--read-only"]].concat())
        .await
        .failed(77, "--read-only");
    let dry = f
        .json(&[&purge[..], &["--dry-run"]].concat(), "queues purge")
        .await;
    assert_eq!(
        (&dry["dry_run"], &dry["removed"]),
        (&json!(true), &json!(4))
    );
    let stats = f.queue("mail").stats().await.unwrap();
    assert_eq!((stats.ready, stats.delayed), (3, 1));

    let done = f
        .json(&[&purge[..], &["--yes"]].concat(), "queues purge")
        .await;
    assert_eq!(
        (&done["dry_run"], &done["removed"]),
        (&json!(false), &json!(4))
    );
    assert!(
        f.queue("mail")
            .jobs(JobState::Ready, 0, 9)
            .await
            .unwrap()
            .is_empty()
    );
    f.run(&["queues", "purge", "mail", "--state", "in-flight", "--yes"])
        .await
        .failed(2, "[possible values: ready, suspects, delayed, dead]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_asks_on_a_terminal() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.unwrap();
    let purge = "queues purge mail --state ready";
    let (code, shown) = f.on_terminal(purge, "n\n", &[]).await;
    assert_eq!(code, 1, "{shown}");
    assert!(
        shown.contains("remove 1 ready job of mail for good (redis://"),
        "{shown}"
    );
    assert!(shown.contains("nothing was changed"), "{shown}");
    assert_eq!(f.queue("mail").stats().await.unwrap().ready, 1);
    let (code, shown) = f.on_terminal(purge, "y\n", &[]).await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("removed 1 ready job of mail"), "{shown}");
    assert_eq!(f.queue("mail").stats().await.unwrap().ready, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_until_nothing_is_left() {
    let f = Fixture::start().await;
    let (worker, record) = (f.worker(), Record::new());
    f.running(&record).await;
    let late = f.json_with_code(
        &["queues", "drain", "mail", "--timeout", "200ms"],
        "queues drain",
        1,
    );
    let late = late.await;
    assert_eq!(
        (&late["end"], &late["in_flight"]),
        (&json!("timed out"), &json!(1))
    );
    let draining = f.json(&["queues", "drain", "mail"], "queues drain");
    let ends = async {
        std::fs::write(record.path(), "go\n").unwrap();
    };
    let (drained, ()) = tokio::join!(draining, ends);
    assert_eq!(
        (&drained["end"], &drained["in_flight"]),
        (&json!("empty"), &json!(0))
    );
    worker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_of_a_paused_queue_says_why_it_waits() {
    let f = Fixture::start().await;
    let hour = Duration::from_secs(3600);
    note::new("x").delay(hour).enqueue(&f.client).await.unwrap();
    f.queue("mail").pause().await.unwrap();
    f.run(&["queues", "drain", "mail", "--timeout", "1ms"])
        .await
        .failed(1, "paused");
    f.run(&["queues", "drain", "mail", "--ignore-delayed"])
        .await
        .ok();
}
