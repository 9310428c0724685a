//! Suspects: jobs whose workers died. They are as visible as any other job that waits.

use jobq::{At, Envelope, JobId, JobState, Options};
use serde_json::json;

use crate::fixture::{Fixture, note};

/// Puts a job among the suspects of `mail` that two workers died with, and that waits for an hour.
async fn suspect(f: &Fixture) -> JobId {
    let (id, options) = (JobId::new(), Options::default());
    let now = f.client.broker().now().as_ms();
    let since = At::from_ms(now - 3_600_000);
    let args = b"\x81\xa4text\xa1x";
    let envelope = Envelope::encode(id, "cli.note", args, since, &options);
    let envelope = Envelope::decode(envelope).expect("it is one");
    let crashed = envelope.rewrite(0, 2, &options);
    f.push_raw_to("mail", "suspects", &crashed).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn suspects_are_listed_and_shown() {
    let f = Fixture::start().await;
    let ids = [suspect(&f).await, suspect(&f).await].map(|id| id.to_string());
    let list = ["jobs", "list", "--state", "suspects"];
    let listed = f.json(&list, "jobs list").await;
    let listed: Vec<_> = listed["jobs"].as_array().unwrap().iter().collect();
    assert_eq!(listed.len(), 2, "{listed:?}");
    for (job, id) in listed.iter().zip(&ids) {
        assert_eq!(
            (&job["id"], &job["state"]),
            (&json!(id), &json!("suspects"))
        );
    }
    let paged = f.run(&[&list[..], &["--offset", "1"]].concat()).await.ok();
    assert!(paged.starts_with(&ids[1]) && paged.lines().count() == 1);
    let shown = f.json(&["jobs", "show", &ids[1]], "jobs show").await;
    assert_eq!(
        (&shown["state"], &shown["crashes"], &shown["place"]),
        (&json!("suspects"), &json!(2), &json!(1))
    );
    let text = f.run(&["jobs", "show", &ids[0]]).await.ok();
    let said = "crashes: 2 workers died while they ran it; it waits as a suspect";
    assert!(text.contains(said), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn suspects_are_cancelled_moved_and_purged() {
    let f = Fixture::start().await;
    let [cancelled, moved] = [suspect(&f).await, suspect(&f).await];
    let id = cancelled.to_string();
    let line = f.run(&["jobs", "cancel", &id, "--yes"]).await.ok();
    assert_eq!(line, format!("{id}\tcancelled\tmail\n"));
    let id = moved.to_string();
    let to = ["jobs", "move", &id, "--to", "slow", "--yes"];
    let line = f.run(&to).await.ok();
    assert_eq!(line, format!("{id}\tmoved\tmail\n"));
    let there = f.queue("slow").jobs(JobState::Ready, 0, 9).await.unwrap();
    assert_eq!(there[0].id(), Some(moved));
    note::enqueue(&f.client, "x").await.unwrap();
    let purge = ["queues", "purge", "mail", "--state"];
    let would = [&purge[..], &["ready,suspects", "--dry-run"]].concat();
    let would = f.json(&would, "queues purge").await;
    assert_eq!(would["removed"], 2);
    let purged = [&purge[..], &["suspects", "--yes"]].concat();
    let purged = f.json(&purged, "queues purge").await;
    assert_eq!(purged["removed"], 1);
    let stats = f.queue("mail").stats().await.unwrap();
    assert_eq!((stats.ready, stats.suspects), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_is_a_suspect_where_nothing_else_is_ready() {
    let f = Fixture::start().await;
    suspect(&f).await;
    let stats = f.json(&["stats", "mail"], "stats").await;
    let age = stats["queues"][0]["oldest_ready_age_ms"].as_u64();
    assert!(age.is_some_and(|age| age >= 3_600_000), "{stats}");
    let health = ["health", "mail", "--max-age", "1m"];
    let done = f.run(&health).await;
    let judged = done.document("health");
    assert!(judged["queues"][0]["oldest_ready_age_ms"].is_u64());
    let checks = judged["reasons"].as_array().unwrap().iter();
    let checks: Vec<_> = checks.map(|reason| &reason["check"]).collect();
    assert!(checks.contains(&&json!("max-age")), "{judged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_taken_as_json_writes_it() {
    let f = Fixture::start().await;
    suspect(&f).await;
    let list = ["jobs", "list", "--state", "in_flight"];
    assert_eq!(f.run(&list).await.ok(), "");
    let purge = ["queues", "purge", "mail", "--state", "in-flight", "--yes"];
    let refused = f.run(&purge).await.failed(2, "[possible values: ready,");
    assert!(!refused.err.contains("in-flight,"), "{refused:?}");
}
