//! `--check`: says what it saw, takes nothing, leaves nothing behind.

use std::process::Command;

use support::jobs::note;
use support::{Record, RedisServer};

use super::NOWHERE;
use crate::fixture::Fixture;
use crate::program::{Program, bare, command};

/// Exit code, standard output, standard error.
fn check(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.arg("--check").output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), out, err)
}

#[tokio::test]
async fn what_is_right_is_told_a_line_each_and_exits_0() {
    let fixture = Fixture::redis().await;
    let args = ["--queues", "programs:3,default", "--concurrency", "7"];
    let (code, out, err) = check(command().args(["--url", &fixture.url]).args(args));
    assert_eq!(code, Some(0), "{out}{err}");
    for told in [
        "ok: connected to redis://127.0.0.1:",
        "ok: jobs: test.hog ",
        "ok: queues: programs:3 default",
        "ok: settings: concurrency 7, ",
        "ok: rights: ",
    ] {
        let lines = out.lines().filter(|line| line.starts_with(told));
        assert_eq!(lines.count(), 1, "{told}: {out}");
    }
    assert!(out.lines().all(|line| line.starts_with("ok: ")), "{out}");
}

#[tokio::test]
async fn no_job_is_taken_and_no_queue_joined() {
    let fixture = Fixture::redis().await;
    let record = Record::new();
    let job = note::new(record.path(), "a");
    fixture.client.enqueue(job).await.unwrap();
    let queues = fixture.operator.queues().await.unwrap();
    let (code, out, err) = check(command().args(["--url", &fixture.url, "--queues", "programs,b"]));
    assert_eq!(code, Some(0), "{out}{err}");
    let stats = fixture.queue("programs").stats().await.unwrap();
    assert_eq!((stats.ready, stats.in_flight), (1, 0));
    assert_eq!(fixture.operator.queues().await.unwrap(), queues);
    for queue in ["programs", "b"] {
        let queue = jobq::QueueName::new(queue).unwrap();
        let members = fixture.runner.broker().members(&queue).await.unwrap();
        assert!(members.is_empty(), "{members:?}");
    }
    assert_eq!(record.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_worker_would_warn_about_is_told_and_is_no_failure() {
    let server = RedisServer::start_with(&[("maxmemory-policy", "allkeys-lru")]);
    let (code, out, _) = check(command().args(["--url", &server.url(), "--queues", "defualt"]));
    assert_eq!(code, Some(0), "{out}");
    let warnings: Vec<_> = out.lines().filter(|l| l.starts_with("warning: ")).collect();
    assert!(
        matches!(&warnings[..], [a, b] if a.contains("noeviction") && b.contains("defualt")),
        "{out}"
    );
}

#[tokio::test]
async fn a_variable_that_sets_nothing_is_warned_about_by_the_check_and_by_the_worker() {
    let fixture = Fixture::redis().await;
    let misspelt = |command: &mut Command| {
        command.args(["--url", &fixture.url]);
        command.env("JOBQ_CONCURENCY", "planted");
    };
    let mut checked = command();
    misspelt(&mut checked);
    let (code, out, err) = check(&mut checked);
    assert_eq!(code, Some(0), "{out}{err}");
    let told = "environment variable JOBQ_CONCURENCY sets nothing of a worker; did you mean \
                JOBQ_CONCURRENCY?";
    assert!(out.starts_with(&format!("warning: {told}\n")), "{out}");
    let mut worker = command();
    misspelt(&mut worker);
    let program = Program::launch(&mut worker);
    program.wait_for_log("worker started").await;
    let log = program.log();
    let line = log.lines().find(|line| line.contains(told));
    assert!(line.is_some_and(|line| line.contains("WARN")), "{log}");
    assert!(!log.contains("planted"), "{log}");
}

#[tokio::test]
async fn a_paused_queue_is_warned_about() {
    let fixture = Fixture::redis().await;
    fixture.queue("b").pause().await.unwrap();
    let (code, out, err) = check(command().args(["--url", &fixture.url, "--queues", "programs,b"]));
    assert_eq!(code, Some(0), "{out}{err}");
    let warnings = out.lines().filter(|line| line.contains("is paused"));
    let warnings: Vec<_> = warnings.collect();
    assert!(
        matches!(warnings[..], [one] if one.starts_with("warning: queue \"b\"")),
        "{out}"
    );
}

#[test]
fn what_is_wrong_exits_as_the_worker_would_and_is_told_on_standard_error() {
    let locked = RedisServer::start_with(&[("requirepass", "right")]);
    let operator = redis::Client::open(locked.url().replace("//", "//:right@")).unwrap();
    let rights = ["weak", "on", ">pw", "~*", "&*", "+@all", "-evalsha"];
    let grant = redis::cmd("ACL").arg("SETUSER").arg(&rights).to_owned();
    let granted = grant.exec(&mut operator.get_connection().unwrap());
    granted.unwrap();
    let (url, weak) = (locked.url(), locked.url().replace("//", "//weak:pw@"));
    let cases: [(&[&str], &str, i32, &str); 7] = [
        (&["--url", NOWHERE], "", 69, "(from --url)"),
        (&["--url", &url], "", 78, "refused user"),
        (
            &["--url", &url],
            "wrong",
            78,
            "(from JOBQ_PASSWORD and --url)",
        ),
        (&["--url", &weak], "", 78, "NOPERM"),
        (
            &["--url", "memory://", "--ca-file", "x"],
            "",
            78,
            "(from --ca-file)",
        ),
        (
            &["--url", "rediss://127.0.0.1:1", "--ca-file", "/nowhere.pem"],
            "",
            78,
            "(from --ca-file)",
        ),
        (&["--concurrency", "0"], "", 78, "(from --concurrency)"),
    ];
    for (args, password, expected, told) in cases {
        let mut command = command();
        command.args(args).env("JOBQ_PASSWORD", password);
        let (code, out, err) = check(&mut command);
        assert_eq!(code, Some(expected), "{args:?}: {out}{err}");
        let error = err.lines().find(|line| line.contains("ERROR"));
        assert!(
            error.is_some_and(|line| line.contains(told)),
            "{args:?}: {err}"
        );
        assert!(out.lines().all(|line| line.starts_with("ok: ")), "{out}");
    }
}

#[tokio::test]
async fn a_user_who_may_only_enqueue_cannot_work() {
    let fixture = Fixture::redis().await;
    let namespace = fixture.url.split_once('?').unwrap().1;
    let url = support::Role::Producer.log_in(&support::shared().url());
    let (code, out, err) = check(command().args(["--url", &format!("{url}?{namespace}")]));
    assert_eq!(code, Some(78), "{out}{err}");
    assert!(err.contains("a worker could not work here: "), "{err}");
    assert!(!out.contains("ok: rights"), "{out}");
}

#[test]
fn the_programs_own_set_up_is_checked() {
    for (set_up, told) in [("no templates", "no templates"), ("", "use my_jobs as _;")] {
        let mut command = bare();
        if !set_up.is_empty() {
            command.env("TEST_SETUP_ERROR", set_up);
        }
        let (code, out, err) = check(command.args(["--url", "memory://"]));
        assert_eq!((code, out.as_str()), (Some(78), ""), "{err}");
        assert!(err.contains(told), "{err}");
    }
}
