//! `jobq_worker::main()` as a program: what it takes, what it says, how it ends.

mod check;
mod config_file;
mod logs;
mod mistakes;
mod settings;

use std::process::{Command, Output};

use support::jobs::{hold, note};
use support::{Record, RedisServer, Role};

use crate::fixture::Fixture;
use crate::program::{Program, bare, command, twins};

/// Nothing listens there.
const NOWHERE: &str = "redis://127.0.0.1:1";

/// Its exit code, and all that it wrote.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String) {
    let output: Output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn help_names_every_flag_and_its_environment_variable() {
    let (code, text) = run(command().arg("--help"));
    assert_eq!(code, Some(0));
    let flags = [
        "url",
        "namespace",
        "queues",
        "strict",
        "concurrency",
        "connections",
        "shutdown-timeout",
        "lease",
        "renew-every",
        "username",
        "ca-file",
        "config",
        "log",
        "log-format",
    ];
    for flag in flags {
        let variable = format!("JOBQ_{}", flag.replace('-', "_").to_uppercase());
        assert!(text.contains(&format!("--{flag}")), "--{flag} in {text}");
        assert!(text.contains(&variable), "{variable} in {text}");
    }
    for named in ["--list-jobs", "--check", "JOBQ_PASSWORD", "SIGTERM", "78"] {
        assert!(text.contains(named), "{named} in {text}");
    }
    assert!(!text.contains("--password"), "{text}");
}

#[test]
fn a_listed_job_shows_where_it_goes_and_how_often_and_long_it_may_run() {
    let (_, text) = run(command().arg("--list-jobs"));
    let line = text.lines().find(|line| line.starts_with("test.panic "));
    let words: Vec<_> = line.unwrap().split_whitespace().collect();
    let expected = ["test.panic", "queue=programs", "retries=0", "timeout=30m"];
    assert_eq!(words, expected);
}

#[test]
fn jobs_are_listed_without_a_broker() {
    let (code, text) = run(command().args(["--list-jobs", "--url", NOWHERE]));
    assert_eq!(code, Some(0));
    let names: Vec<_> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "test.hog",
            "test.hold",
            "test.hold_blocking",
            "test.note",
            "test.panic",
            "test.pill",
            "test.speak"
        ]
    );
}

#[test]
fn wrong_usage_exits_2_and_names_the_flag() {
    for (args, named) in [
        (["--colour", "red"], "--colour"),
        (["--concurrency", "many"], "many"),
        (["--lease", "7"], "--lease"),
        (["--log", "job=loud"], "--log"),
        (["--log", "loud"], "target=level"),
        (["--log-format", "xml"], "json"),
        (["--concurency", "8"], "'--concurrency'"),
        (["--list-jobs", "--check"], "--check"),
        (["--strict=maybe", "--check"], "true or false"),
    ] {
        let (code, text) = run(command().args(args));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn a_wrong_value_of_an_environment_variable_exits_78_and_names_both() {
    for (variable, value, flag) in [
        ("JOBQ_CONCURRENCY", "many", "--concurrency"),
        ("JOBQ_RENEW_EVERY", "2", "--renew-every"),
        ("JOBQ_LOG", "loud", "--log"),
        ("JOBQ_LOG_FORMAT", "xml", "--log-format"),
        ("JOBQ_STRICT", "maybe", "--strict"),
    ] {
        let (code, text) = run(command().env(variable, value));
        assert_eq!(code, Some(78), "{text}");
        for named in [variable, value, flag] {
            assert!(text.contains(named), "{named}: {text}");
        }
    }
    // A flag wins: then the variable is not to blame.
    let mut command = command();
    let (_, text) = run(command.env("JOBQ_LEASE", "1").args(["--lease", "2"]));
    assert!(!text.contains("JOBQ_LEASE"), "{text}");
}

#[test]
fn the_version_is_told() {
    let (code, text) = run(command().arg("--version"));
    assert_eq!(code, Some(0));
    let words: Vec<_> = text.split_whitespace().collect();
    assert_eq!(words, ["jobq-worker", env!("CARGO_PKG_VERSION")]);
}

#[test]
fn where_no_job_is_linked_in_the_list_of_jobs_is_the_cure() {
    let output = bare().arg("--list-jobs").output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("use my_jobs as _;"), "{text}");
}

#[test]
fn two_jobs_of_one_name_are_not_listed_but_refused_as_the_worker_does() {
    let refused = |args: &[&str]| {
        let (code, text) = run(twins().args(args));
        assert_eq!(code, Some(78), "{text}");
        let line = text
            .lines()
            .find(|line| line.contains("two jobs are named"));
        let words = line.and_then(|line| line.split_once("could not build"));
        words.expect(&text).1.to_owned()
    };
    let listed = refused(&["--list-jobs"]);
    assert!(
        listed.contains("\"twin\": at tests/programs/twins.rs:"),
        "{listed}"
    );
    assert_eq!(refused(&["--url", "memory://"]), listed);
}

#[test]
fn a_failed_set_up_exits_78_with_its_error() {
    let mut command = bare();
    let failing = command.env("TEST_SETUP_ERROR", "no such templates");
    let (code, text) = run(failing.args(["--url", "memory://"]));
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("no such templates"), "{text}");
}

/// What a worker on these queues warns about when it starts.
async fn warnings(queues: &str) -> Vec<String> {
    let fixture = Fixture::redis().await;
    let program = Program::launch(command().args(["--url", &fixture.url, "--queues", queues]));
    program.wait_for_log("worker started").await;
    // Nothing is told of the start after what is told of the stop.
    program.signal("TERM");
    program.wait_for_log("worker stopped").await;
    let log = program.log();
    let warnings = log.lines().filter(|line| line.contains("WARN"));
    warnings.map(str::to_owned).collect()
}

#[tokio::test]
async fn queues_that_do_not_fit_the_jobs_are_warned_about_in_one_line() {
    for (queues, expected) in [
        (
            "programs,defualt",
            "no job here goes by default to queue \"defualt\" (did you mean \"default\"?)",
        ),
        (
            "programs:3,critical:high",
            "\"critical:high\" (of which \"high\" is no weight, but part of the name)",
        ),
        (
            "program",
            "\"program\" (did you mean \"programs\"?); jobs here go to queue \"programs\", which this worker leaves out",
        ),
        (
            "default",
            "jobs here go to queue \"programs\", which this worker leaves out",
        ),
    ] {
        let warnings = warnings(queues).await;
        assert_eq!(warnings.len(), 1, "{queues}: {warnings:?}");
        assert!(warnings[0].contains(expected), "{warnings:?}");
    }
    assert_eq!(warnings("programs:6,default").await, Vec::<String>::new());
}

#[tokio::test]
async fn blanks_around_queues_are_no_part_of_their_names() {
    let fixture = Fixture::redis().await;
    let queues = " a:6, b\t";
    let program = Program::launch(command().args(["--url", &fixture.url, "--queues", queues]));
    program.wait_for_log("worker started").await;
    let log = program.log();
    assert!(log.contains("queues=\"a:6 b\""), "{log}");
}

#[test]
fn no_server_exits_69_and_says_where_it_looked() {
    let (code, text) = run(command().args(["--url", NOWHERE]));
    assert_eq!(code, Some(69), "{text}");
    assert!(text.contains("127.0.0.1:1"), "{text}");
}

#[tokio::test]
async fn a_server_that_may_evict_jobs_is_warned_about_at_the_start() {
    let server = RedisServer::start_with(&[("maxmemory-policy", "allkeys-lru")]);
    let program = Program::start(&Role::Worker.log_in(&server.url()), &[]).await;
    program.wait_for_log("maxmemory-policy").await;
    let log = program.log();
    let line = log.lines().find(|line| line.contains("maxmemory-policy"));
    assert!(line.is_some_and(|line| line.contains("WARN")), "{log}");
}

#[tokio::test]
async fn a_stop_signal_that_comes_before_the_worker_works_exits_0_at_once() {
    let url = format!("redis://{}", support::strangers::silent());
    for signal in ["TERM", "INT"] {
        let mut program = Program::launch(command().args(["--url", &url]));
        program.wait_for_log("connecting to").await;
        program.signal(signal);
        assert_eq!(program.ended().await.code(), Some(0));
        assert!(!program.log().contains("could not connect"));
    }
}

#[tokio::test]
async fn a_stop_signal_drains_and_exits_0() {
    for signal in ["TERM", "INT"] {
        let fixture = Fixture::redis().await;
        let record = Record::new();
        let mut program = Program::start(&fixture.url, &[]).await;
        hold::enqueue(&fixture.client, record.path(), "a")
            .await
            .unwrap();
        record.wait_for("begin a", 1).await;
        program.signal(signal);
        program.wait_for_log("shutting down").await;
        note::enqueue(&fixture.client, record.path(), "late")
            .await
            .unwrap();
        record.write("go");
        assert_eq!(program.ended().await.code(), Some(0));
        assert_eq!(record.after("end "), ["a"]);
        let stats = fixture.queue(support::jobs::QUEUE).stats().await.unwrap();
        assert_eq!((stats.ready, stats.in_flight), (1, 0));
    }
}

#[tokio::test]
async fn two_processes_share_the_work_of_one_producer() {
    let fixture = Fixture::redis().await;
    let record = Record::new();
    let mut first = Program::start(&fixture.url, &["--concurrency", "4"]).await;
    let mut second = Program::start(&fixture.url, &["--concurrency", "4"]).await;
    let held = (0..8).map(|n| hold::new(record.path(), format!("hold-{n}")));
    fixture.client.enqueue_all(held).await.unwrap();
    record.wait_for("begin hold", 8).await;
    let notes = (0..500).map(|n| note::new(record.path(), format!("note-{n}")));
    fixture.client.enqueue_all(notes).await.unwrap();
    record.write("go");
    record.wait_for("end ", 508).await;
    for program in [&mut first, &mut second] {
        let pid = format!(" {} ", program.pid());
        assert!(
            record
                .after("begin ")
                .iter()
                .any(|line| line.contains(&pid))
        );
        program.signal("TERM");
        assert_eq!(program.ended().await.code(), Some(0));
    }
    assert_eq!(record.after("begin ").len(), 508);
}
