//! A worker whose Redis user lacks a right: it says so, and does what it can.

use std::time::Duration;

use support::jobs::{QUEUE, note};
use support::{Record, RedisServer, Role};

use crate::fixture::Fixture;
use crate::plain::Plain;
use crate::program::{Program, command};

async fn runs_jobs(fixture: &Fixture, record: &Record) {
    note::enqueue(&fixture.client, record.path(), "now")
        .await
        .unwrap();
    let later = note::new(record.path(), "later").delay(Duration::from_millis(1));
    later.enqueue(&fixture.client).await.unwrap();
    record.wait_for("end now", 1).await;
    record.wait_for("end later", 1).await;
}

#[tokio::test]
async fn a_worker_that_lacks_what_it_can_do_without_warns_once_and_runs_jobs() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let mut plain = Plain::connect(&fixture).await;
    for (lacking, said) in [
        ("-info", "lacks +info: whether its version"),
        ("-publish", "lacks +publish: retries may"),
        (
            "-subscribe",
            "lacks +subscribe or &jobq:{*}:due: delayed jobs",
        ),
        ("-sadd", "lacks +sadd or %W~jobq:queues: queue programs"),
    ] {
        let right = lacking.replace('-', "+");
        let _: () = plain
            .say(&format!("ACL SETUSER jobq-worker {lacking}"))
            .await;
        let mut program = Program::start(&fixture.url, &[]).await;
        program.wait_for_log(said).await;
        runs_jobs(&fixture, &Record::new()).await;
        program.signal("TERM");
        assert_eq!(program.ended().await.code(), Some(0));
        let log = program.log();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(said)).collect();
        assert_eq!(lines.len(), 1, "{log}");
        assert!(lines[0].contains("WARN") && lines[0].contains("jobq-worker"));
        assert!(!log.contains("password-of-a-role"), "{log}");
        let _: () = plain.say(&format!("ACL SETUSER jobq-worker {right}")).await;
    }
}

#[tokio::test]
async fn a_worker_that_loses_a_right_says_who_may_not_do_what_and_goes_on_once_it_may() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let mut plain = Plain::connect(&fixture).await;
    let program = Program::start(&fixture.url, &[]).await;
    let _: () = plain.say("ACL SETUSER jobq-worker -rpop").await;
    let record = Record::new();
    note::enqueue(&fixture.client, record.path(), "a")
        .await
        .unwrap();
    program.wait_for_log("RPOP in the step claim").await;
    let log = program.log();
    let line = log.lines().find(|line| line.contains("RPOP")).unwrap();
    for said in ["WARN", "NOPERM", "jobq-worker"] {
        assert!(line.contains(said), "{said}: {line}");
    }
    let _: () = plain.say("ACL SETUSER jobq-worker +rpop").await;
    record.wait_for("end a", 1).await;
}

#[tokio::test]
async fn a_worker_with_rights_to_its_own_queue_only_has_all_it_needs() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let mut plain = Plain::connect(&fixture).await;
    let rules = Role::Worker.rules("jobq").join(" ");
    let own = rules.replace("{*}", &format!("{{{QUEUE}}}"));
    assert_ne!(own, rules);
    let _: () = plain.say(&format!("ACL SETUSER jobq-worker {own}")).await;
    let mut program = Program::start(&fixture.url, &[]).await;
    runs_jobs(&fixture, &Record::new()).await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));
    let log = program.log();
    assert!(!log.contains("lacks") && !log.contains("NOPERM"), "{log}");
}

#[tokio::test]
async fn a_check_tells_of_rights_that_are_missing() {
    let server = RedisServer::start();
    let mut plain = Plain::connect(&Fixture::on(&server).await).await;
    let check = |role: Role| {
        let url = role.log_in(&server.url());
        let output = command().args(["--check", "--url", &url]).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, text) = check(Role::Worker);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("warning"), "{text}");
    let (code, text) = check(Role::Producer);
    assert_eq!(code, Some(78), "{text}");
    assert!(
        text.contains("NOPERM") && text.contains("jobq-producer"),
        "{text}"
    );
    let _: () = plain.say("ACL SETUSER jobq-worker -hset").await;
    let (code, text) = check(Role::Worker);
    assert_eq!(code, Some(78), "{text}");
    assert!(
        text.contains("HSET jobq:{default}:meta") && text.contains("jobq-worker"),
        "{text}"
    );
    let _: () = plain.say("ACL SETUSER jobq-worker +hset").await;
    let _: () = plain.say("ACL SETUSER jobq-worker -info").await;
    let (code, text) = check(Role::Worker);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("warning: user") && text.contains("+info"),
        "{text}"
    );
    assert!(!text.contains("password-of-a-role"), "{text}");
}

#[tokio::test]
async fn a_check_of_a_user_without_the_keys_of_a_queue_names_the_queue() {
    let server = RedisServer::start();
    let mut plain = Plain::connect(&Fixture::on(&server).await).await;
    let url = Role::Worker.log_in(&server.url());
    let own = Role::Worker.rules("jobq").join(" ");
    let own = own.replace("{*}", "{mail}");
    let _: () = plain.say(&format!("ACL SETUSER jobq-worker {own}")).await;
    let check = |queues| {
        let mut command = command();
        let output = command.args(["--check", "--url", &url, "--queues", queues]);
        let output = output.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, text) = check("mail");
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = check("mail,reports");
    assert_eq!(code, Some(78), "{text}");
    for said in [
        "jobq-worker",
        "queue \"reports\"",
        "jobq:{reports}:*",
        "NOPERM",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_check_names_the_command_that_a_server_was_told_not_to_have() {
    let server = RedisServer::start_with(&[("rename-command HRANDFIELD", "")]);
    let args = ["--check", "--url", &server.url()];
    let output = command().args(args).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{text}");
    assert!(text.contains("HRANDFIELD jobq:{default}"), "{text}");
}

#[tokio::test]
async fn a_worker_that_may_only_enqueue_exits_78_with_the_words_of_a_check() {
    let server = RedisServer::start();
    let url = Role::Producer.log_in(&server.url());
    let ended = |arg: &[&str]| {
        let output = command().args(["--url", &url]).args(arg).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let error = said.lines().find_map(|line| line.split_once("ERROR"));
        let error = error.map(|(_, error)| error.to_owned());
        (output.status.code(), error, said)
    };
    let (code, error, said) = ended(&[]);
    assert_eq!(code, Some(78), "{said}");
    assert!(!said.contains("worker started"), "{said}");
    let error = error.unwrap();
    assert!(
        error.contains("a worker could not work here: ") && error.contains("jobq-producer"),
        "{said}"
    );
    assert_eq!(ended(&["--check"]).1.unwrap(), error);
}

#[tokio::test]
async fn a_refusal_that_lasts_is_not_told_each_time_and_its_end_is() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let mut plain = Plain::connect(&fixture).await;
    let program = Program::start(&fixture.url, &["--log", "debug"]).await;
    let _: () = plain.say("ACL SETUSER jobq-worker -rpop").await;
    let record = Record::new();
    note::enqueue(&fixture.client, record.path(), "a")
        .await
        .unwrap();
    let told = |what: &str| {
        let log = program.log();
        let lines = log.lines().filter(|line| line.contains(what));
        lines.filter(|line| line.contains("RPOP")).count()
    };
    support::eventually("refusals", async || {
        (told("the broker refused a step again") > 2).then_some(())
    })
    .await;
    assert_eq!(told("the broker refused a step; "), 1, "{}", program.log());
    assert_eq!(told("no longer refuses"), 0, "{}", program.log());
    let _: () = plain.say("ACL SETUSER jobq-worker +rpop").await;
    record.wait_for("end a", 1).await;
    program.wait_for_log("no longer refuses a step").await;
    assert_eq!(told("no longer refuses"), 1, "{}", program.log());
}
