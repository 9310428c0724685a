//! Keys that somebody made something else of: the rest is shown all the same.

use std::time::Duration;

use jobq::JobId;
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
async fn a_drain_that_fails_prints_a_whole_document() {
    let (f, key) = damaged().await;
    let url = f.url(support::Role::Operator);
    let (done, document) = f
        .json_by(&url, &["queues", "drain", "bulk"], "queues drain")
        .await;
    done.failed(70, &key);
    assert_eq!(
        (&document["end"], &document["ready"]),
        (&json!("failed"), &Value::Null)
    );
    assert!(
        document["error"].as_str().unwrap().contains(&key),
        "{document}"
    );
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

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_found_on_another_queue_than_the_damaged_one() {
    let (f, key) = damaged().await;
    let hour = Duration::from_secs(3600);
    let ready = note::enqueue(&f.client, "x").await.unwrap().id();
    let later = note::new("x").delay(hour).enqueue(&f.client).await.unwrap();
    let (ready, later) = (ready.to_string(), later.id().to_string());
    for args in [
        &["jobs", "show", &ready][..],
        &["jobs", "cancel", &ready, "--yes"],
        &["jobs", "run-now", &later],
        &["jobs", "move", &ready, "--to", "slow", "--yes"],
    ] {
        f.run(args).await.ok();
    }
    let nobody = JobId::new().to_string();
    let show = f.run(&["jobs", "show", &nobody]).await;
    let show = show.failed(70, "; could not read queue bulk: ");
    assert!(
        show.err.contains(&key) && show.err.contains("no job"),
        "{show:?}"
    );
    let url = f.url(support::Role::Operator);
    for (deed, job) in [
        (&["cancel"][..], &ready),
        (&["move", "--to", "mail"], &ready),
        (&["run-now"], &later),
    ] {
        if deed == ["run-now"] {
            let again = note::new("x")
                .id(later.parse().unwrap())
                .delay(hour)
                .queue("slow");
            again.enqueue(&f.client).await.unwrap();
        }
        let args = [&["jobs"], deed, &[&nobody, job]].concat();
        let (done, document) = f.json_by(&url, &args, "jobs cancel").await;
        done.failed(70, &format!("job {nobody}: no "));
        let jobs = document["jobs"].as_array().unwrap();
        let done: Vec<_> = jobs.iter().map(|job| &job["done"]).collect();
        assert_eq!(done, [false, true], "{document}");
        assert!(
            document["error"].as_str().unwrap().contains(&key),
            "{document}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_over_the_jobs_of_all_queues_passes_over_the_damaged_one() {
    let f = Fixture::start().await;
    f.dead(&["down"]).await;
    for queue in ["bulk", "mail"] {
        let later = note::new("x").delay(Duration::from_secs(3600)).queue(queue);
        later.enqueue(&f.client).await.unwrap();
    }
    let url = f.url(support::Role::Operator);
    for (key, args, command, list) in [
        ("dead", &["dead", "list"][..], "dead list", "jobs"),
        ("dead", &["dead", "analyze"], "dead analyze", "groups"),
        (
            "dead",
            &["dead", "remove", "--all", "--dry-run"],
            "dead retry",
            "",
        ),
        ("dead", &["dead", "retry", "--all"], "dead retry", ""),
        (
            "delayed",
            &["jobs", "list", "--state", "delayed"],
            "jobs list",
            "jobs",
        ),
    ] {
        let key = f.key(&format!("{{bulk}}:{key}"));
        f.damage(&key).await;
        let (done, document) = f.json_by(&url, args, command).await;
        let done = done.failed(70, "could not read queue bulk: ");
        assert!(done.err.contains(&key), "{done:?}");
        if args[0] == "dead" && args[1] != "list" {
            let besides = "; apart from it 1 dead job was ";
            assert!(done.err.contains(besides), "{done:?}");
        }
        let count = match list {
            "" => document["done"].as_u64(),
            list => document[list].as_array().map(|list| list.len() as u64),
        };
        assert_eq!(count, Some(1), "{document}");
        let error = document["error"].as_str().unwrap();
        assert!(error.contains(&key), "{error}");
    }
    assert_eq!(f.queue("mail").stats().await.unwrap().dead, 0);
}
