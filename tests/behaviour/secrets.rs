//! A password that is given in every way and searched for in everything that is written.

use std::process::Command;
use std::thread;

use support::{Authority, RedisServer};

use crate::process::run;
use crate::program::{Program, client, command};

/// What is searched for. It has nothing in it that an encoding would change.
const SECRET: &str = "planted7secret";

/// The password: with all that has a meaning in a URL.
const PASSWORD: &str = "p@/:?#%planted7secret";
const ENCODED: &str = "p%40%2F%3A%3F%23%25planted7secret";

/// Where it could hide as bytes.
fn disguises() -> [String; 3] {
    let bytes = SECRET.bytes();
    let numbers: Vec<_> = bytes.clone().map(|byte| byte.to_string()).collect();
    let hex: String = bytes.map(|byte| format!("{byte:02x}")).collect();
    [SECRET.to_owned(), numbers.join(", "), hex]
}

fn assert_hidden(what: &str, text: &str) {
    let text = text.to_lowercase();
    for disguise in disguises() {
        assert!(!text.contains(&disguise), "{what}: {text}");
    }
}

/// Runs them all at once, for some wait for a while; answers their exit codes.
fn all_hide(commands: Vec<Command>) -> Vec<Option<i32>> {
    let runs = commands.into_iter().map(|mut command| {
        thread::spawn(move || {
            let what = format!("{command:?}");
            let (code, text) = run(&mut command);
            assert!(!text.is_empty(), "{what} says nothing");
            assert_hidden(&what, &text);
            code
        })
    });
    let runs: Vec<_> = runs.collect();
    runs.into_iter().map(|run| run.join().unwrap()).collect()
}

/// Everything that a client and a worker say who are given this URL.
fn told(url: &str) -> Vec<Command> {
    let mut commands = vec![client(), client(), command(), command()];
    commands[0].arg(url);
    commands[1].env("JOBQ_URL", url);
    commands[2].args(["--url", url, "--log", "trace"]);
    commands[3].env("JOBQ_URL", url).env("JOBQ_LOG", "trace");
    commands
}

/// The same where the password is given beside the URL.
fn told_beside(url: &str) -> Vec<Command> {
    let mut commands = vec![client(), client(), command()];
    commands[0].args([url, PASSWORD]);
    for command in &mut commands[1..] {
        command.env("JOBQ_URL", url).env("JOBQ_PASSWORD", PASSWORD);
    }
    commands[2].env("JOBQ_LOG", "trace");
    commands
}

fn guarded() -> RedisServer {
    RedisServer::start_with(&[("requirepass", PASSWORD)])
}

fn with_password(url: &str) -> String {
    url.replacen("://", &format!("://:{ENCODED}@"), 1)
}

#[test]
fn who_is_let_in_does_not_tell_the_password() {
    let server = guarded();
    let mut commands = told(&with_password(&server.url()));
    commands.extend(told_beside(&server.url()));
    let authority = Authority::new("ours");
    let options = [("requirepass", PASSWORD)];
    let secure = RedisServer::start_tls(&authority.certify("127.0.0.1"), &options);
    let trusting = [
        "SSL_CERT_FILE",
        "JOBQ_CA_FILE",
        "SSL_CERT_FILE",
        "JOBQ_CA_FILE",
    ];
    for (mut command, variable) in told(&with_password(&secure.url()))
        .into_iter()
        .zip(trusting)
    {
        command.env(variable, authority.ca_file());
        commands.push(command);
    }
    for worker in &mut commands {
        // It would run on.
        if worker.get_program() == command().get_program() {
            worker.arg("--check");
        }
    }
    let codes = all_hide(commands);
    assert!(codes.iter().all(|code| *code == Some(0)), "{codes:?}");
}

#[test]
fn no_error_of_connecting_tells_the_password() {
    let open = RedisServer::start_with(&[("requirepass", "another")]);
    let authority = Authority::new("ours");
    let secure = RedisServer::start_tls(&authority.certify("127.0.0.1"), &[]);
    let (open, secure) = (open.url(), secure.url());
    let mut commands = Vec::new();
    for url in [
        &*open,
        // Nobody the system trusts.
        &*secure,
        &*secure.replace("rediss", "redis"),
        "redis://no-such-host.invalid",
        "redis://127.0.0.1:1",
    ] {
        commands.extend(told(&with_password(url)));
        commands.extend(told_beside(url));
    }
    // In the place of the user.
    commands.extend(told(&open.replacen("://", &format!("://{ENCODED}@"), 1)));
    let codes = all_hide(commands);
    let failed = |code: &Option<i32>| matches!(code, Some(1 | 69 | 78));
    assert!(codes.iter().all(failed), "{codes:?}");
}

#[test]
fn no_error_of_a_url_tells_the_password() {
    let urls = [
        "redis://ann:{}@h:0",
        "redis://ann:{}@h:65536",
        "redis://ann:{}@h:port",
        "redis://ann:{}@h/seven",
        "redis://ann:{}@h/4294967296",
        "redis://ann:{}@h?x=1",
        "redis://ann:{}@h?namespace=a b",
        "redis://ann:{}@h#insecure",
        "redis://ann:{}@h h",
        "redis://ann:{}@[::1",
        "redis://ann:{}@",
        "redis://ann:{}",
        "redis:ann:{}@h",
        "ann:{}@h",
        "mysql://ann:{}@h",
        "memory://ann:{}@h",
        "unix:///tmp/redis.sock?password={}",
        "redis+unix://:{}@/tmp/redis.sock",
        // Not encoded, and then the rest of it stands elsewhere.
        "redis://ann:12/{}@h",
        "redis://ann:12?{}@h",
        "redis://ann:12?{}=1@h",
        "redis://ann:12#{}@h",
        "redis://ann:%zz{}@h",
        "redis://ann:{}%@h",
        "redis://ann:{}%FF@h",
        "redis://{}%FF:x@h",
    ];
    let commands = urls.iter().flat_map(|url| {
        let mut commands = told(&url.replace("{}", SECRET));
        commands.drain(1..3);
        commands
    });
    let codes = all_hide(commands.collect());
    assert!(
        codes.iter().all(|code| matches!(code, Some(1 | 78))),
        "{codes:?}"
    );
}

#[test]
fn help_lists_and_usage_errors_do_not_tell_the_password() {
    let url = with_password("redis://127.0.0.1:1");
    let commands = [
        ["--help"].as_slice(),
        &["-h"],
        &["--version"],
        &["--list-jobs"],
        &["--colour"],
        &["--concurrency", "many"],
        &["--log", "loud"],
        // Where no URL belongs.
        &[&url],
        &["--check", &url],
        &[&format!("--check={url}")],
        &["--strict", &url],
        &[&format!("--strict={url}")],
        &["--log", &url],
        &["--namespace", &url],
        &["--queues", &url],
        &["--ca-file", &url],
    ]
    .map(|args| {
        let mut command = command();
        command.args(args);
        command.env("JOBQ_URL", &url).env("JOBQ_PASSWORD", PASSWORD);
        command
    });
    all_hide(commands.into());
}

#[tokio::test]
async fn a_worker_that_loses_its_server_does_not_tell_the_password() {
    let mut server = guarded();
    let url = with_password(&server.url());
    let mut command = command();
    command.env("JOBQ_URL", url).env("JOBQ_LOG", "trace");
    let mut program = Program::launch(&mut command);
    program.wait_for_log("worker started").await;
    server.kill();
    program.wait_for_log("the broker failed").await;
    server.restart();
    program.wait_for_log("the broker answers again").await;
    // It is refused from now on.
    server.set("requirepass", "another");
    server.restart();
    program.wait_for_log("refuses to let jobq in again").await;
    program.signal("TERM");
    program.ended().await;
    assert_hidden("a worker", &program.log());
}
