//! The command as a process, and what it says.

use std::process::{Command, Stdio};

use jobq::broker::redis::{RedisBroker, RedisConfig};
use redis::Value as RedisValue;
use serde_json::Value;
pub(crate) use support::{DEADLINE, Port, RedisServer, eventually, within};

use crate::schema;

/// How a run of the command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The JSON document that it printed.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The command, with an environment of its own.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobq-test-cli"));
    command.env_clear().stdin(Stdio::null()).args(args);
    command
}

/// Runs it to its end.
pub(crate) async fn run(mut command: Command) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = within("the end of the command", output).await;
    let output = output.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// What `jobq doctor` found.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) code: i32,
    pub(crate) document: Value,
}

/// Examines a server.
pub(crate) async fn doctor(server: &RedisServer, args: &[&str]) -> Report {
    doctor_at(&server.url(), args).await
}

pub(crate) async fn doctor_at(url: &str, args: &[&str]) -> Report {
    doctor_by(command(
        &[&["--json", "--url", url, "doctor"], args].concat(),
    ))
    .await
}

pub(crate) async fn doctor_by(command: Command) -> Report {
    let ran = run(command).await;
    let document = ran.document();
    schema::check("doctor", &document);
    let code = match document["level"].as_str() {
        Some("error") => 4,
        Some("warning") => 3,
        _ => 0,
    };
    assert_eq!(ran.code, code, "the code says the worst: {ran:?}");
    Report {
        code: ran.code,
        document,
    }
}

impl Report {
    /// The findings about this.
    #[track_caller]
    pub(crate) fn all(&self, id: &str) -> Vec<&Value> {
        let findings = self.document["findings"].as_array().unwrap();
        let found: Vec<_> = findings.iter().filter(|one| one["id"] == id).collect();
        assert!(
            !found.is_empty(),
            "nothing is said of {id}: {:#}",
            self.document
        );
        found
    }

    /// That one thing was found, how bad it is, and that these words were said of it; answers it.
    #[track_caller]
    pub(crate) fn found(&self, id: &str, level: &str, words: &str) -> &Value {
        let found = self.all(id);
        let [one] = found[..] else {
            panic!("one is expected: {found:#?}");
        };
        assert_eq!(one["level"], level, "{one:#}");
        assert!(
            one["seen"].as_str().unwrap().contains(words),
            "{words}: {one:#}"
        );
        one
    }

    /// The same of what is wrong, with what would cure it.
    #[track_caller]
    pub(crate) fn found_with(&self, id: &str, level: &str, words: &str, cure: &str) {
        let one = self.found(id, level, words);
        let said = one["cure"].as_str().unwrap_or_default();
        assert!(said.contains(cure), "{cure}: {one:#}");
    }
}

/// A command on a connection of its own, beside every broker.
pub(crate) async fn ask(server: &RedisServer, words: &[&str]) -> RedisValue {
    let mut connection = support::beside(&server.url()).await.unwrap();
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connection).await.unwrap()
}

/// A field of INFO.
pub(crate) async fn info(server: &RedisServer, field: &str) -> String {
    let RedisValue::BulkString(info) = ask(server, &["INFO"]).await else {
        panic!("INFO is text");
    };
    let info = String::from_utf8(info).unwrap();
    let begin = format!("{field}:");
    let line = info.lines().find_map(|line| line.strip_prefix(&begin));
    line.unwrap().to_owned()
}

/// A server with which nothing is wrong.
pub(crate) fn well() -> RedisServer {
    well_but(&[])
}

/// The same, with something else.
pub(crate) fn well_but(options: &[(&str, &str)]) -> RedisServer {
    let well = [("appendonly", "yes"), ("maxmemory", "256mb")];
    let kept = well
        .iter()
        .filter(|(name, _)| !options.iter().any(|(other, _)| other == name));
    let all: Vec<_> = kept.chain(options).copied().collect();
    RedisServer::start_with(&all)
}

pub(crate) async fn broker_on(server: &RedisServer) -> RedisBroker {
    let config = RedisConfig::parse(&server.url(), None).unwrap();
    RedisBroker::connect(config, DEADLINE).await.unwrap()
}
