//! `jobq dead`

use serde_json::{Value, json};

use crate::fixture::{Fixture, fail};

const ERRORS: [&str; 5] = [
    "no user 1",
    "connection to 10.0.0.1:5432 refused",
    "no user 22",
    "connection to 10.0.0.7:5432 refused",
    "no user 333\u{1b}[2J",
];

async fn groups(f: &Fixture) -> Value {
    f.json(&["dead", "analyze"], "dead analyze").await
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_jobs_are_listed_newest_first_and_narrowed() {
    let f = Fixture::start().await;
    let ids = f.dead(&ERRORS).await;
    let list = f.json(&["dead", "list"], "dead list").await;
    let listed: Vec<_> = list["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["id"].clone())
        .collect();
    let newest: Vec<_> = ids.iter().rev().map(|id| json!(id.to_string())).collect();
    assert_eq!((listed, &list["more"]), (newest, &json!(false)));
    let some = f
        .json(
            &["dead", "list", "--error", "refused", "--limit", "1"],
            "dead list",
        )
        .await;
    assert_eq!(
        (some["jobs"].as_array().unwrap().len(), &some["more"]),
        (1, &json!(true))
    );
    for (args, count) in [
        (&["--queue", "mail"][..], 5),
        (&["--name", "cli.fail"], 5),
        (&["--name", "cli"], 0),
        (&["--reason", "exhausted"], 5),
        (&["--reason", "fatal"], 0),
        (&["--older-than", "1h"], 0),
        (&["--newer-than", "1h", "--error", "user"], 3),
    ] {
        let lines = f.run(&[&["dead", "list"], args].concat()).await.ok();
        assert_eq!(lines.lines().count(), count, "{args:?}");
        assert!(!lines.contains('\u{1b}'));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_jobs_are_grouped_by_what_their_errors_have_in_common() {
    let f = Fixture::start().await;
    let ids = f.dead(&ERRORS[..4]).await;
    let groups = groups(&f).await;
    assert_eq!(
        (&groups["count"], &groups["complete"]),
        (&json!(4), &json!(true))
    );
    assert_eq!(groups["by_reason"], json!({ "exhausted": 4 }));
    assert_eq!(groups["by_failures"], json!({ "1": 4 }));
    let list = groups["groups"].as_array().unwrap();
    let mut patterns: Vec<_> = list
        .iter()
        .map(|group| group["pattern"].as_str().unwrap())
        .collect();
    patterns.sort();
    assert_eq!(patterns, ["connection to <address> refused", "no user <n>"]);
    for group in list {
        assert_eq!(
            (&group["count"], &group["name"]),
            (&json!(2), &json!("cli.fail"))
        );
        assert!(group["first_seen"].as_str() <= group["last_seen"].as_str());
        let latest = if group["pattern"] == "no user <n>" {
            2
        } else {
            3
        };
        assert_eq!(group["example"]["id"], ids[latest].to_string());
        assert_eq!(group["example"]["error"], ERRORS[latest]);
    }
    let some = f
        .json(&["dead", "analyze", "--error", "user"], "dead analyze")
        .await;
    assert_eq!(some["count"], 2);
    assert_eq!(f.run(&["dead", "analyze"]).await.ok().lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_retried_and_another_removed() {
    let f = Fixture::start().await;
    f.dead(&ERRORS[..4]).await;
    let groups = groups(&f).await;
    let of = |pattern: &str| {
        let mut list = groups["groups"].as_array().unwrap().iter();
        let group = list.find(|group| group["pattern"] == pattern).unwrap();
        group["group"].as_str().unwrap().to_owned()
    };
    let users = of("no user <n>");
    let retry = ["dead", "retry", "--group", &users];
    f.run(&retry).await.failed(2, "--yes");
    f.run(&[&retry[..], &["--yes", "--read-only"]].concat())
        .await
        .failed(77, "--read-only");
    let dry = f
        .json(&[&retry[..], &["--dry-run"]].concat(), "dead retry")
        .await;
    assert_eq!(
        dry,
        json!({ "dry_run": true, "looked_at": 4, "done": 2, "interrupted": false, "error": null })
    );
    assert_eq!(f.queue("mail").stats().await.unwrap().dead, 4);
    let done = f
        .json(
            &[&retry[..], &["--yes", "--rate", "100/s"]].concat(),
            "dead retry",
        )
        .await;
    assert_eq!(
        done,
        json!({ "dry_run": false, "looked_at": 4, "done": 2, "interrupted": false, "error": null })
    );
    let stats = f.queue("mail").stats().await.unwrap();
    assert_eq!((stats.ready, stats.dead), (2, 2));
    let others = of("connection to <address> refused");
    let line = f
        .run(&["dead", "remove", "--group", &others, "-y"])
        .await
        .ok();
    assert_eq!(line, "2 of 2 dead jobs removed\n");
    assert_eq!(f.queue("mail").stats().await.unwrap().dead, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_retried_by_id_name_queue_error_and_age() {
    let f = Fixture::start().await;
    let ids = f.dead(&ERRORS).await;
    let both = format!("{},{}", ids[0], ids[3]);
    for (args, count, left) in [
        (&["--id", &both][..], 2, 3),
        (&["--name", "other"], 0, 3),
        (&["--error", "10.0.0.1", "--queue", "mail"], 1, 2),
        (&["--older-than", "1h"], 0, 2),
        (&["--newer-than", "1h", "--name", "cli.fail"], 2, 0),
    ] {
        let done = f
            .json(&[&["dead", "retry", "--yes"], args].concat(), "dead retry")
            .await;
        assert_eq!(done["done"], count, "{args:?}");
        assert_eq!(
            f.queue("mail").stats().await.unwrap().dead,
            left,
            "{args:?}"
        );
    }
    f.run(&["dead", "retry", "--yes"]).await.failed(2, "--all");
    f.run(&["dead", "retry", "--yes", "--all"]).await.ok();
    f.run(&["dead", "retry", "--yes", "--all", "--queue", "typo"])
        .await
        .failed(1, "typo");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_record_is_matched_as_it_is_shown() {
    let f = Fixture::start().await;
    f.dead(&["down"]).await;
    for junk in [&b"junk"[..], b"more junk"] {
        f.push_raw_to("mail", "dead", junk).await;
    }
    let by_reason = ["--reason", "undecodable"];
    let listed = f.run(&[&["dead", "list"], &by_reason[..]].concat()).await;
    assert_eq!(listed.ok().matches("\tundecodable\t").count(), 2);
    for (age, count) in [("--older-than", 0), ("--newer-than", 1)] {
        let lines = f.run(&["dead", "list", age, "1h"]).await.ok();
        assert_eq!(lines.lines().count(), count, "{age}: {lines}");
    }
    let remove = [&["dead", "remove", "--yes"], &by_reason[..]].concat();
    let done = f.json(&remove, "dead retry").await;
    assert_eq!(done["done"], 2);
    assert_eq!(f.queue("mail").stats().await.unwrap().dead, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_goes_by_age() {
    let f = Fixture::start().await;
    f.dead(&ERRORS[..2]).await;
    f.run(&["dead", "purge", "--yes"])
        .await
        .failed(2, "--older-than");
    let kept = f
        .json(
            &["dead", "purge", "--older-than", "30d", "--yes"],
            "dead retry",
        )
        .await;
    assert_eq!((&kept["done"], &kept["looked_at"]), (&json!(0), &json!(2)));
    let dry = f
        .json(
            &["dead", "purge", "--older-than", "0s", "--dry-run"],
            "dead retry",
        )
        .await;
    assert_eq!(dry["done"], 2);
    f.run(&["dead", "purge", "--older-than", "0s", "--yes"])
        .await
        .ok();
    assert_eq!(f.queue("mail").stats().await.unwrap().dead, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_asks_on_a_terminal_and_shows_how_far_it_is() {
    let f = Fixture::start().await;
    f.dead(&ERRORS[..2]).await;
    let (code, shown) = f.on_terminal("dead retry --all", "no\n", &[]).await;
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("retry 2 dead jobs"), "{shown}");
    let (code, shown) = f
        .on_terminal("dead retry --all --rate 10/s", "yes\n", &[])
        .await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("2 of 2 dead jobs retried"), "{shown}");
    assert_eq!(f.queue("mail").stats().await.unwrap().ready, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_more_groups_than_are_told_apart_are_told_of() {
    let f = Fixture::start().await;
    let words = ('g'..='z')
        .flat_map(|a| ('g'..='z').flat_map(move |b| ('g'..='i').map(move |c| [a, b, c])));
    let errors = words
        .take(1002)
        .map(|word| fail::new(String::from_iter(word)));
    f.client.enqueue_all(errors).await.unwrap();
    let worker = f.worker();
    f.until("mail", "their death", |stats| stats.dead == 1002)
        .await;
    worker.shutdown().await;
    let done = f.run(&["dead", "analyze"]).await;
    let said = "warning: 2 dead jobs of further groups are not listed: 1000 are told apart\n";
    assert_eq!((done.code, &done.err[..]), (0, said));
    assert_eq!(done.out.lines().count(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_retry_that_is_interrupted_says_how_far_it_came() {
    let f = Fixture::start().await;
    f.dead(&ERRORS).await;
    let slow = ["dead", "retry", "--all", "--yes", "--rate", "2/h"];
    let running = f.begun(&slow);
    f.until("mail", "the first retry", |stats| stats.ready == 1)
        .await;
    let (code, out) = running.interrupt("dead retry").await;
    assert_eq!(
        (code, &out["done"], &out["looked_at"], &out["interrupted"]),
        (1, &json!(1), &json!(5), &json!(true))
    );
    assert_eq!(f.queue("mail").stats().await.unwrap().dead, 4);
}
