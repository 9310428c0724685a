//! What a worker process says on standard error before it ends.

use std::process::{Command, Stdio};

use support::{Authority, Folder, RedisServer};

use crate::PASSWORD;
use crate::connecting::vary_address;
use crate::document::Document;

/// Nothing listens there.
const NOWHERE: &str = "redis://:hunter2@127.0.0.1:1";

/// A mistake a line.
const CONFIGURATION: &str = r#"concurency = 8
colour = "red"
connections = "2"
lease = 7
log = "loud"
log_format = "xml"
password = 7
queues = "critical:6,default"
renew_every = "2"
strict = "yes"
"#;

pub(crate) fn collect(document: &mut Document) {
    document.group("the worker process: usage (exit code 2)");
    for args in [
        &["--colour", "red"][..],
        &["--concurency", "8"],
        &["--queue", "mail"],
        &["--strict=maybe"],
        &["--log-format", "xml"],
        &["mail"],
        &["--concurrency"],
        &["--concurrency", "many"],
        &["--lease", "7"],
        &["--lease", "soon"],
        &["--log", "loud"],
        &["--log", "job=loud"],
    ] {
        run(document, worker(), args, &[]);
    }

    document.group("the worker process: configuration and broker (exit codes 78 and 69)");
    for variable in [
        ("JOBQ_CONCURRENCY", "many"),
        ("JOBQ_RENEW_EVERY", "2"),
        ("JOBQ_LOG", "loud"),
    ] {
        run(document, worker(), &[], &[variable]);
    }
    run(
        document,
        worker(),
        &["--url", NOWHERE],
        &[("JOBQ_CONCURENCY", "3")],
    );
    let server = RedisServer::start();
    vary_address(document, &server.url());
    let url = server.url();
    for args in [
        &["--url", ""][..],
        &["--url", "mysql://127.0.0.1"],
        &["--url", "redis://127.0.0.1:65536"],
        &["--url", NOWHERE],
        &["--url", &url, "--namespace", "a b"],
        &["--url", &url, "--queues", "a b"],
        &["--url", &url, "--queues", "mail:0"],
        &["--url", &url, "--queues", "mail,mail"],
        &["--url", &url, "--concurrency", "0"],
        &["--url", &url, "--lease", "2s", "--renew-every", "1s"],
    ] {
        run(document, worker(), args, &[]);
    }
    authorities(document);
    in_file(document);
    run(document, bare(), &["--list-jobs"], &[]);
    run(document, bare(), &["--url", "memory://"], &[]);
    let set_up = [("TEST_SETUP_ERROR", "no such templates")];
    run(document, bare(), &["--url", "memory://"], &set_up);
}

/// Those of the system are what its environment says, which only another process can be given.
fn authorities(document: &mut Document) {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = RedisServer::start_tls(&ours.certify("127.0.0.1"), &[]);
    vary_address(document, &server.url());
    for authority in [&ours, &theirs] {
        let file = authority.ca_file();
        document.vary(file.parent().unwrap().to_string_lossy(), "FOLDER");
    }
    let url = server.url();
    for file in [
        theirs.ca_file(),
        ours.ca_file().with_file_name("missing.pem"),
    ] {
        let variables = [("SSL_CERT_FILE", &*file.to_string_lossy())];
        run(document, worker(), &["--url", &url], &variables);
    }
}

/// The mistakes of a configuration file.
fn in_file(document: &mut Document) {
    let nowhere = [("JOBQ_CONFIG", "/nowhere/jobq.toml")];
    run(document, worker(), &[], &nowhere);
    let folder = Folder::new();
    let file = folder.write("jobq.toml", CONFIGURATION);
    let name = file.to_string_lossy();
    document.vary(name.as_ref(), "jobq.toml");
    run(document, worker(), &["--config", &name], &[]);
}

fn worker() -> Command {
    Command::new(env!("CARGO_BIN_EXE_jobq-test-worker"))
}

/// One that no job is linked into.
fn bare() -> Command {
    Command::new(env!("CARGO_BIN_EXE_jobq-test-bare"))
}

fn run(document: &mut Document, mut command: Command, args: &[&str], variables: &[(&str, &str)]) {
    command.env_clear().stdin(Stdio::null()).args(args);
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let code = output.status.code().unwrap();
    let words = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let words = words.chain(args.iter().map(|word| match word.is_empty() {
        true => "''".to_owned(),
        false => word.replace(PASSWORD, "PASSWORD"),
    }));
    let words: Vec<_> = words.collect();
    let lines: Vec<_> = said.lines().map(without_time).collect();
    document.lines(
        &format!("{} (exit code {code})", words.join(" ")),
        &lines.join("\n"),
    );
}

/// A line of a log without the time it begins with.
fn without_time(line: &str) -> &str {
    match line.split_once("Z ") {
        Some((time, rest)) if time.contains('T') && time.starts_with("20") => rest,
        _ => line,
    }
}
