//! `jobq jobs cancel`

use std::time::Duration;

use jobq::JobId;
use serde_json::json;

use support::Record;

use crate::fixture::{Fixture, note};

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_jobs_do_not_run() {
    let f = Fixture::start().await;
    let (kept, dropped) = (
        note::enqueue(&f.client, "x").await.unwrap(),
        note::enqueue(&f.client, "x").await.unwrap(),
    );
    let id = dropped.id().to_string();
    f.run(&["jobs", "cancel", &id]).await.failed(2, "--yes");
    let report = f
        .json(&["jobs", "cancel", &id, "--yes"], "jobs cancel")
        .await;
    assert_eq!(
        (&report["jobs"][0]["done"], &report["jobs"][0]["queue"]),
        (&json!(true), &json!("mail"))
    );
    let worker = f.worker();
    f.until("mail", "the end of both", |stats| {
        stats.ready == 0 && stats.in_flight == 0
    })
    .await;
    worker.shutdown().await;
    let stats = f.queue("mail").stats().await.unwrap();
    assert_eq!((stats.totals.done, kept.queue()), (1, "mail"));
    let nobody = JobId::new().to_string();
    let done = f.run(&["--json", "jobs", "cancel", &nobody, "--yes"]).await;
    assert_eq!(
        (done.code, &done.document("jobs cancel")["jobs"][0]["done"]),
        (1, &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_cannot_be_cancelled() {
    let f = Fixture::start().await;
    let id = f.dead(&["down"]).await[0].to_string();
    let done = f.run(&["--json", "jobs", "cancel", &id, "--yes"]).await;
    let report = done.document("jobs cancel");
    assert_eq!((done.code, &report["jobs"][0]["done"]), (1, &json!(false)));
    let result = report["jobs"][0]["result"].as_str().unwrap();
    assert!(result.contains("dead already"), "{result}");
    let cancelled = f.client.broker();
    let id = id.parse().unwrap();
    let cancelled = cancelled.cancelled(f.queue("mail").name(), &[id]).await;
    assert_eq!(cancelled.unwrap(), [false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_is_shown_and_an_order_to_run_ends_it() {
    let f = Fixture::start().await;
    let hour = Duration::from_secs(3600);
    let job = note::new("x").delay(hour).enqueue(&f.client).await.unwrap();
    let id = job.id().to_string();
    let show = ["jobs", "show", &id];
    assert_eq!(f.json(&show, "jobs show").await["cancelled"], false);
    assert!(f.run(&show).await.ok().contains("\ncancelled: false\n"));
    f.run(&["jobs", "cancel", &id, "--yes"]).await.ok();
    assert_eq!(f.json(&show, "jobs show").await["cancelled"], true);
    assert!(f.run(&show).await.ok().contains("\ncancelled: true\n"));
    let line = f.run(&["jobs", "run-now", &id]).await.ok();
    let said = "runs now, and is no longer cancelled";
    assert_eq!(line, format!("{id}\t{said}\tmail\n"));
    assert_eq!(f.json(&show, "jobs show").await["cancelled"], false);
    let mut help = f.command(&["jobs", "run-now", "--help"]);
    help.env_clear();
    let help = crate::fixture::run(help).await.ok();
    assert!(help.contains("no longer cancelled"), "{help}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_that_is_cancelled_is_said_to_run_on() {
    let f = Fixture::start().await;
    let (worker, record) = (f.worker(), Record::new());
    let id = f.running(&record).await.id().to_string();
    let line = f.run(&["jobs", "cancel", &id, "--yes"]).await.ok();
    let said = "runs on, and will not be retried";
    assert_eq!(line, format!("{id}\t{said}\tmail\n"));
    let shown = f.json(&["jobs", "show", &id], "jobs show").await;
    assert_eq!(shown["cancelled"], true);
    std::fs::write(record.path(), "go\n").unwrap();
    worker.shutdown().await;
}
