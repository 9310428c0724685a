//! `jobq enqueue`

use std::io::Write as _;
use std::process::Stdio;

use jobq::{JobId, JobState};
use serde_json::json;
use support::Role;

use crate::fixture::{Begun, Fixture, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_enqueued_by_its_name_runs() {
    let f = Fixture::start().await;
    let args = [
        "enqueue",
        "cli.note",
        "--args",
        r#"{"text":"hello"}"#,
        "--queue",
        "mail",
    ];
    let job = f.json(&args, "enqueue").await;
    assert_eq!(
        (&job["name"], &job["queue"]),
        (&json!("cli.note"), &json!("mail"))
    );
    let wrong = [
        "enqueue",
        "cli.note",
        "--args",
        r#"{"txt":1}"#,
        "--queue",
        "mail",
    ];
    f.run(&wrong).await.ok();
    let worker = f.worker();
    f.until("mail", "the end of both", |stats| {
        stats.totals.done == 1 && stats.dead == 1
    })
    .await;
    worker.shutdown().await;
    let dead = f.queue("mail").dead().list(0, 1).await.unwrap();
    assert_eq!(dead[0].reason(), jobq::Reason::Undecodable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_enqueued_for_later_with_its_options() {
    let f = Fixture::start().await;
    let id = JobId::new().to_string();
    let options = [
        "--id",
        &id,
        "--delay",
        "5m",
        "--retries",
        "3",
        "--timeout",
        "10s",
    ];
    let line = f
        .run(&[&["enqueue", "later", "--queue", "mail"], &options[..]].concat())
        .await
        .ok();
    assert_eq!(line, format!("{id}\tlater\tmail\n"));
    let delayed = f.queue("mail").jobs(JobState::Delayed, 0, 9).await.unwrap();
    let options = delayed[0].envelope().unwrap().options().unwrap();
    assert_eq!(options.retries, Some(3));
    assert_eq!(
        options.timeout,
        Some(Some(std::time::Duration::from_secs(10)))
    );
    let at = [
        "enqueue",
        "later",
        "--queue",
        "mail",
        "--at",
        "2100-01-01T00:00:00Z",
    ];
    f.run(&at).await.ok();
    let delayed = f.queue("mail").jobs(JobState::Delayed, 0, 9).await.unwrap();
    assert_eq!(
        delayed[1].due().unwrap().to_string(),
        "2100-01-01T00:00:00Z"
    );
    f.run(&["enqueue", "x", "--read-only"])
        .await
        .failed(77, "--read-only");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_jobs_are_enqueued_from_lines() {
    let f = Fixture::start().await;
    let mut lines: String = (0..2345)
        .map(|n| format!("{}\n", json!({ "args": { "text": n.to_string() } })))
        .collect();
    lines.push_str("\n{\"name\":\"other\",\"queue\":\"slow\",\"delay\":\"1h\"}");
    let args = [
        "--json", "enqueue", "cli.note", "--lines", "--queue", "mail",
    ];
    let done = f.run_with(&args, &lines).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.document("enqueue --lines")["enqueued"], 2346);
    let first = f.queue("mail").jobs(JobState::Ready, 0, 1).await.unwrap();
    assert_eq!(first[0].name(), Some("cli.note"));
    assert_eq!(f.queue("mail").stats().await.unwrap().ready, 2345);
    let delayed = f.queue("slow").jobs(JobState::Delayed, 0, 9).await.unwrap();
    assert_eq!(delayed[0].name(), Some("other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_no_job_is_named_and_the_others_are_enqueued() {
    let f = Fixture::start().await;
    let args = ["enqueue", "x", "--lines", "--queue", "mail"];
    let large = format!("{{\"args\":{}}}", json!({ "text": "x".repeat(2 << 20) }));
    for (line, said) in [
        ("nonsense", "no JSON object"),
        (r#"{"arg":1}"#, "arg: no such field"),
        (r#"{"queue":"a b"}"#, "\"a b\""),
        (r#"{"name":""}"#, "1 to 512 bytes"),
        (r#"{"timeout":"0s"}"#, "timeout"),
        (r#"{"args":{"n":18446744073709551617}}"#, "rounded"),
        (&large, "max_payload"),
    ] {
        let before = f.queue("mail").stats().await.unwrap().ready;
        let lines = format!("{{}}\n{{}}\n{line}\n{{}}\n");
        let done = f.run_with(&args, lines).await;
        assert_eq!(done.out, "3 jobs enqueued, 1 line refused\n", "{done:?}");
        let done = done.failed(1, said);
        assert!(done.err.starts_with("error: line 3: "), "{done:?}");
        assert_eq!(done.err.lines().count(), 1, "{done:?}");
        let after = f.queue("mail").stats().await.unwrap().ready;
        assert_eq!(after - before, 3, "{said}");
    }
    let json = [&["--json"], &args[..]].concat();
    let done = f.run_with(&json, b"{}\n\xff\n{}\n7\n").await;
    let document = done.document("enqueue --lines");
    assert_eq!((done.code, &document["enqueued"]), (1, &json!(2)));
    let refused = document["refused"].as_array().unwrap();
    assert_eq!(refused[0], json!({ "line": 2, "reason": "not UTF-8" }));
    assert_eq!((refused.len(), &refused[1]["line"]), (2, &json!(4)));
    f.run_with(&["enqueue", "--lines"], "{}\n")
        .await
        .failed(1, "no name");
    f.run_with(&["enqueue", "x", "--lines"], "").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_a_pause_does_not_wait_for_what_comes_after() {
    let f = Fixture::start().await;
    let mut command = f.command(&["enqueue", "x", "--lines", "--queue", "mail"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for (lines, ready) in [("{}\n{}\n{\"na", 2), ("me\":\"y\"}\n", 3), ("{}\n", 4)] {
        stdin.write_all(lines.as_bytes()).unwrap();
        f.until("mail", "what is there to be sent", |stats| {
            stats.ready == ready
        })
        .await;
    }
    drop(stdin);
    let output = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = support::within("the end of the command", output).await;
    let output = output.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"4 jobs enqueued\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_interrupted_say_how_far_they_came() {
    let f = Fixture::start().await;
    let (lines, mut feed) = std::io::pipe().unwrap();
    feed.write_all(b"{}\n7\n{}\n").unwrap();
    let mut command = f.command(&["--json", "enqueue", "x", "--lines", "--queue", "mail"]);
    command.stdin(lines);
    let running = Begun::by(command);
    f.until("mail", "what is there to be sent", |stats| stats.ready == 2)
        .await;
    let (code, out) = running.interrupt("enqueue --lines").await;
    assert_eq!(
        (code, &out["enqueued"], &out["interrupted"]),
        (1, &json!(2), &json!(true))
    );
    let error = out["error"].as_str().unwrap();
    assert!(
        error.ends_with("before it 2 jobs enqueued, 1 line refused"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_cannot_be_sent_are_refused() {
    let f = Fixture::start().await;
    for (args, said) in [
        ("[1]", "expected a JSON object"),
        ("7", "expected a JSON object"),
        ("{", "expected a JSON object"),
        ("", "expected a JSON object"),
        ("{\"a\":1e999}", "expected a JSON object"),
    ] {
        f.run(&["enqueue", "x", "--args", args])
            .await
            .failed(2, said);
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(70), "]".repeat(70));
    f.run(&["enqueue", "x", "--args", &deep])
        .await
        .failed(2, "deep");
    let name = "x".repeat(513);
    f.run(&["enqueue", &name]).await.failed(2, "1 to 512 bytes");
    let large = json!({ "text": "x".repeat(100_000) }).to_string();
    f.run(&["enqueue", "x", "--args", &large]).await.ok();
    let rounded = r#"{"n":18446744073709551617}"#;
    f.run(&["enqueue", "x", "--args", rounded])
        .await
        .failed(2, "18446744073709551617 is beyond 64 bits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_the_right_is_denied() {
    let f = Fixture::start().await;
    let mut command = f.command(&["stats"]);
    command.env("JOBQ_URL", f.url(Role::Producer));
    run(command).await.failed(77, "jobq-producer");
    let mut command = f.command(&["stats"]);
    let wrong = f
        .url(Role::Operator)
        .replace("jobq-operator:", "jobq-operator:not-");
    command.env("JOBQ_URL", &wrong);
    let done = run(command).await.failed(77, "refused user");
    assert!(!done.err.contains("not-"), "{done:?}");
}
