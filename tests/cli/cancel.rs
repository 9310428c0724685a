//! `jobq jobs cancel`

use jobq::JobId;
use serde_json::json;

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
