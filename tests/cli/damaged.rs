//! Keys that somebody made something else of: the rest is shown all the same.

use serde_json::{Value, json};

use crate::fixture::{Fixture, note};

/// Two queues with a job each, and one of them with a damaged key; the name of that key.
async fn damaged() -> (Fixture, String) {
    let f = Fixture::start().await;
    for queue in ["bulk", "mail"] {
        note::new("x")
            .queue(queue)
            .enqueue(&f.client)
            .await
            .expect("it is enqueued");
    }
    let key = f.key("{bulk}:delayed");
    f.damage(&key).await;
    (f, key)
}

#[tokio::test]
async fn a_queue_with_a_damaged_key_is_marked_and_the_others_are_shown() {
    let (f, key) = damaged().await;
    let url = f.url(support::Role::Operator);
    for (args, command) in [
        (&["stats"][..], "stats"),
        (&["queues", "list"], "queues list"),
        (&["health"], "health"),
    ] {
        let (done, document) = f.json_by(&url, args, command).await;
        let done = done.failed(70, "could not read queue bulk: ");
        for words in [key.as_str(), "`jobq doctor`"] {
            assert!(done.err.contains(words), "{words}: {done:?}");
        }
        let queues = document["queues"].as_array().unwrap();
        let of = |name: &str| queues.iter().find(|one| one["queue"] == name).unwrap();
        let (bulk, mail) = (of("bulk"), of("mail"));
        let why = bulk["unreadable"].as_str().unwrap();
        assert!(why.contains(&key), "{why}");
        assert_eq!(
            (&bulk["dead"], &bulk["paused"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(mail["unreadable"], Value::Null);
        assert_eq!((&mail["dead"], &mail["paused"]), (&json!(0), &json!(false)));
        if command == "stats" {
            assert_eq!(document["total"]["ready"], 1);
        }
        if command == "health" {
            let reason = &document["reasons"][0];
            assert_eq!(document["status"], "error");
            assert_eq!(
                (&reason["check"], &reason["queue"]),
                (&json!("keys"), &json!("bulk"))
            );
        }
    }
    for (args, fields) in [(&["stats"][..], 14), (&["queues", "list"], 6)] {
        let done = f.run(args).await.failed(70, "queue bulk");
        let lines: Vec<Vec<_>> = done
            .out
            .lines()
            .map(|line| line.split('\t').collect())
            .collect();
        assert_eq!(lines[0][..2], ["bulk", "unreadable"]);
        assert_eq!(lines[1][..2], ["mail", "open"]);
        assert!(lines.iter().all(|line| line.len() == fields), "{lines:?}");
    }
    f.run(&["stats", "mail"]).await.ok();
}

#[tokio::test]
async fn where_nothing_can_be_read_of_the_workers_the_queues_are_shown() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.unwrap();
    let key = f.key("workers");
    f.damage(&key).await;
    let url = f.url(support::Role::Operator);
    for (args, command) in [
        (&["stats"][..], "stats"),
        (&["queues", "list"], "queues list"),
    ] {
        let (done, document) = f.json_by(&url, args, command).await;
        done.failed(70, &format!("something else in {key} (WRONGTYPE)"));
        let mail = &document["queues"][0];
        assert_eq!((&mail["workers"], &mail["dead"]), (&Value::Null, &json!(0)));
    }
    let done = f.run(&["workers", "list"]).await;
    let done = done.failed(70, &format!("something else in {key} (WRONGTYPE)"));
    assert!(done.err.contains("`jobq doctor`"), "{done:?}");
}
