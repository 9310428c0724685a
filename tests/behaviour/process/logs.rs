//! What a worker process logs, for people and for machines.

use jobq::WorkerId;
use serde_json::Value;
use support::Record;
use support::jobs::{QUEUE, note, panic, speak};

use super::NOWHERE;
use crate::fixture::Fixture;
use crate::foreign::Foreign;
use crate::program::{Program, command};

const ODD: &str = "said \"so\"\n{}";

/// Runs the jobs that have something to say, and stops: all that was logged, and the id of one.
async fn spoken(format: &str, backtrace: &str) -> (String, String) {
    let fixture = Fixture::redis().await;
    let record = Record::new();
    let mut program = Program::launch(
        command()
            .args(["--url", &fixture.url, "--log-format", format])
            .env("RUST_BACKTRACE", backtrace),
    );
    program.wait_for_log("worker started").await;
    let spoken = speak::new(if format == "json" { ODD } else { "said so" })
        .enqueue(&fixture.client)
        .await;
    panic::enqueue(&fixture.client, "out of tea").await.unwrap();
    program.wait_for_log("out of tea").await;
    note::enqueue(&fixture.client, record.path(), "a")
        .await
        .unwrap();
    record.wait_for("end a", 1).await;
    program.wait_for_log("said").await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));
    (program.log(), spoken.unwrap().id().to_string())
}

/// Each line as an object.
fn objects(log: &str) -> Vec<Value> {
    let line = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    log.lines().map(line).collect()
}

fn one<'a>(lines: &'a [Value], message: &str) -> &'a Value {
    let mut found = lines.iter().filter(|line| line["message"] == message);
    let line = found
        .next()
        .unwrap_or_else(|| panic!("no {message:?} in {lines:#?}"));
    assert!(found.next().is_none(), "{lines:#?}");
    line
}

#[tokio::test]
async fn every_line_of_the_json_format_is_an_object_with_the_same_keys() {
    let (log, _) = spoken("json", "0").await;
    let lines = objects(&log);
    for line in &lines {
        let keys: Vec<_> = line.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["fields", "level", "message", "target", "time"]);
        let time: jobq::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
        assert!(time <= jobq::Timestamp::now());
        assert!(
            line["message"].is_string() && line["fields"].is_object(),
            "{line}"
        );
    }
    let started = one(&lines, "worker started");
    assert_eq!(started["level"], "INFO");
    assert_eq!(started["fields"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(started["fields"]["concurrency"], 64);
    assert_eq!(started["fields"]["queues"], "default programs");
    // By this id others say that they took its jobs over.
    let id = started["fields"]["worker"].as_str().unwrap();
    assert!(WorkerId::from_stored(id).lease().is_some(), "{started}");
}

#[tokio::test]
async fn a_job_is_found_by_the_same_fields_whoever_speaks_of_it() {
    let (log, id) = spoken("json", "0").await;
    let lines = objects(&log);
    let speech = one(&lines, ODD);
    assert_eq!(speech["target"], "support::jobs");
    let fields = &speech["fields"];
    assert_eq!(
        (&fields["length"], &fields["pi"]),
        (&12.into(), &3.5.into())
    );
    assert_eq!(
        (&fields["job.id"], &fields["job.attempt"]),
        (&id.into(), &1.into())
    );
    assert_eq!(fields["loud"], true);
    let of_jobq = lines.iter().find(|line| line["level"] == "WARN");
    for (line, name) in [(speech, "test.speak"), (of_jobq.unwrap(), "test.panic")] {
        assert_eq!(line["fields"]["job.name"], name, "{line}");
        assert_eq!(line["fields"]["job.queue"], "programs", "{line}");
        assert!(line["fields"]["job.id"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn a_panic_of_a_handler_is_told_once_with_its_place() {
    for format in ["text", "json"] {
        let (log, _) = spoken(format, "0").await;
        assert_eq!(log.matches("out of tea").count(), 1, "{log}");
        let line = log.lines().find(|line| line.contains("out of tea"));
        let line = line.unwrap();
        assert!(line.contains("WARN") && line.contains("jobs.rs:"), "{log}");
    }
}

#[tokio::test]
async fn the_backtrace_of_a_panic_is_told_to_who_asks_for_it() {
    let (log, _) = spoken("json", "1").await;
    let lines = objects(&log);
    let panicked = &one(&lines, "panicked")["fields"];
    assert_eq!(panicked["error"], "out of tea");
    assert_eq!(panicked["job.name"], "test.panic");
    for (field, part) in [("backtrace", "support::jobs"), ("place", "jobs.rs:")] {
        let text = panicked[field].as_str();
        assert!(text.is_some_and(|text| text.contains(part)), "{panicked}");
    }
}

#[tokio::test]
async fn a_panic_begins_no_line_and_sends_no_control_character() {
    let fixture = Fixture::redis().await;
    let mut command = command();
    command.args(["--url", &fixture.url]);
    let program = Program::launch(command.env("RUST_BACKTRACE", "1"));
    let message = "tea\rforged\nforged\u{1b}[31m";
    panic::enqueue(&fixture.client, message).await.unwrap();
    program.wait_for_log("given up").await;
    let log = program.log();
    let told = log.matches(r"tea\rforged\nforged\u{1b}[31m").count();
    assert_eq!(told, 2, "{log}");
    assert_eq!(log.matches("forged").count(), 2 * told, "{log}");
}

#[tokio::test]
async fn a_worker_that_calls_itself_oddly_begins_no_line() {
    let fixture = Fixture::redis().await;
    speak::enqueue(&fixture.client, "so").await.unwrap();
    let odd = WorkerId::from_stored("odd\rforged\nforged\u{1b}[31m");
    let mut dead = Foreign::under(&fixture, QUEUE, odd, 0);
    assert_eq!(dead.claim(1).await.len(), 1);
    let program = Program::launch(command().args(["--url", &fixture.url]));
    program.wait_for_log("adopted the jobs of a worker").await;
    let log = program.log();
    let told = log.contains(r#"worker="odd\rforged\nforged\u{1b}[31m""#);
    assert!(told && log.matches("forged").count() == 2, "{log}");
}

#[tokio::test]
async fn lines_that_go_to_no_terminal_have_no_colours() {
    let (log, id) = spoken("text", "0").await;
    assert!(!log.contains('\u{1b}'), "{log}");
    let speech = log.lines().find(|line| line.contains("said")).unwrap();
    for part in ["INFO", "job.name=\"test.speak\"", "job.attempt=1", &id] {
        assert!(speech.contains(part), "{part} in {speech}");
    }
    // The front of a line is what people read: when, how bad, who, what.
    assert!(speech.find("said") < speech.find("job.id"), "{speech}");
}

#[test]
fn a_failed_start_is_told_in_the_format_that_was_asked_for_and_never_in_silence() {
    let start = |args: &[&str]| {
        let output = command().args(args).args(["--concurrency", "0"]).output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    let lines = objects(&start(&["--log-format", "json"]));
    assert_eq!(lines[0]["level"], "ERROR");
    for log in ["off", "some::target=trace"] {
        let text = start(&["--log", log]);
        assert!(text.starts_with("error: concurrency is 0"), "{log}: {text}");
    }
}

#[tokio::test]
async fn a_start_says_at_once_where_it_looks_for_redis() {
    for format in ["text", "json"] {
        let program = Program::launch(command().args(["--url", NOWHERE, "--log-format", format]));
        program
            .wait_for_log("connecting to redis://127.0.0.1:1/0")
            .await;
        assert!(!program.log().contains("could not connect"));
    }
}

#[tokio::test]
async fn a_broker_that_nobody_else_can_reach_is_warned_about() {
    let program = Program::launch(command().args(["--url", "memory://"]));
    program.wait_for_log("no other can enqueue to it").await;
    let log = program.log();
    let line = log.lines().find(|line| line.contains("memory://"));
    assert!(line.is_some_and(|line| line.contains("WARN")), "{log}");
}
