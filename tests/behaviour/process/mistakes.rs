//! What is said of mistakes in settings: where each was made, and what would be right.

use std::process::Command;

use support::RedisServer;

use super::config_file::{ConfigFile, SECRET};
use super::run;
use crate::program::{Program, command};

#[test]
fn mistakes_in_a_file_are_all_told_each_with_its_line_and_what_would_be_right() {
    let cases = [
        (
            "concurency = 8",
            "unknown key `concurency`; did you mean `concurrency`? known: url, ",
        ),
        ("colour = \"red\"", "unknown key `colour`; known: url, "),
        ("[worker]", "unknown key `worker`"),
        (
            "concurrency = \"8\"",
            "concurrency is \"8\"; expected a whole number",
        ),
        (
            "concurrency = -1",
            "concurrency is -1; expected a whole number",
        ),
        (
            "concurrency = 1.5",
            "concurrency is 1.5; expected a whole number",
        ),
        (
            "connections = 0x10",
            "connections is 0x10; expected a whole number",
        ),
        (
            "connections = 99999999999",
            "connections is 99999999999; expected a smaller",
        ),
        ("queues = \"a,b\"", "queues is \"a,b\"; expected a list"),
        (
            "queues = [1]",
            "queues is a list; expected a list of texts such as",
        ),
        (
            "strict = \"yes\"",
            "strict is \"yes\"; expected true or false",
        ),
        ("lease = 7", "lease is 7; expected a time in quotes"),
        (
            "lease = \"7\"",
            "lease is \"7\"; expected a number with a unit",
        ),
        (
            "lease = 2026-01-02",
            "lease is 2026-01-02; expected a time in quotes",
        ),
        ("log = \"loud\"", "log is \"loud\"; \"loud\" is no level"),
        (
            "log_format = \"xml\"",
            "log_format is \"xml\"; expected \"text\" or \"json\"",
        ),
        (
            "namespace = true",
            "namespace is true; expected a text in quotes",
        ),
        (
            "url = [\"planted-secret-8\"]",
            "url is of type array; expected a text in quotes",
        ),
        (
            "password = 8",
            "password is of type integer; expected a text in quotes",
        ),
    ];
    for (line, told) in cases {
        let file = ConfigFile::new(format!("# comment\n{line}\n"));
        let (code, text) = run(command().args(["--config", file.path()]));
        assert_eq!(code, Some(78), "{line}: {text}");
        let told = format!("{}, line 2: {told}", file.path());
        assert!(text.contains(&told), "{told}: {text}");
        assert!(!text.contains(SECRET), "{text}");
    }
    let file = ConfigFile::new("lease = 7\nqeues = []\nstrict = 1\n");
    let (_, text) = run(command().args(["--config", file.path()]));
    let places: Vec<_> = text
        .lines()
        .filter_map(|l| l.split(", line ").nth(1))
        .collect();
    assert_eq!(places.len(), 3, "{text}");
    assert!(
        places
            .iter()
            .zip(["1", "2", "3"])
            .all(|(p, n)| p.starts_with(n)),
        "{text}"
    );
}

#[test]
fn a_value_that_is_out_of_range_is_traced_to_where_it_was_set() {
    let wrong: [(&str, &str, &str); 8] = [
        ("concurrency", "0", "concurrency is 0; expected 1 to 100000"),
        (
            "concurrency",
            "1000000",
            "concurrency is 1000000; expected 1 to 100000",
        ),
        ("connections", "65", "connections is 65; expected 1 to 64"),
        (
            "renew_every",
            "1ms",
            "renew_every is 1ms; expected 10 ms to 1 h",
        ),
        (
            "lease",
            "4s",
            "lease is 4s with renew_every 2s; expected more than twice",
        ),
        ("queues", "mail,mail", "queues lists \"mail\" twice"),
        (
            "queues",
            "mail:0",
            "queues is \"mail:0\"; expected a weight of 1 to 1000",
        ),
        (
            "queues",
            "a b",
            "queue name \"a b\" is not 1 to 128 characters",
        ),
    ];
    for (key, value, told) in wrong {
        let flag = format!("--{}", key.replace('_', "-"));
        let variable = format!("JOBQ_{}", key.to_uppercase());
        let quoted = match key {
            "queues" => format!("{:?}", value.split(',').collect::<Vec<_>>()),
            _ if value.parse::<u32>().is_ok() => value.to_owned(),
            _ => format!("{value:?}"),
        };
        let file = ConfigFile::new(format!("\n\n{key} = {quoted}"));
        let in_file = format!("{}, line 3", file.path());
        for (mut command, origin) in [
            (command(), flag.as_str()),
            (command(), variable.as_str()),
            (command(), in_file.as_str()),
        ] {
            match origin {
                _ if origin == flag => command.args([&flag, value]),
                _ if origin == variable => command.env(&variable, value),
                _ => command.args(["--config", file.path()]),
            };
            let (code, text) = run(&mut command);
            assert_eq!(code, Some(78), "{text}");
            assert!(text.contains(told), "{told}: {text}");
            assert!(
                text.contains(&format!("(from {origin})")),
                "{origin}: {text}"
            );
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_exits_78_and_says_why() {
    let large = ConfigFile::new(vec![b'#'; 64 * 1024 + 1]);
    let binary = ConfigFile::new(b"url = 1\npassword = \"planted-secret-8\xff\"");
    let open = ConfigFile::new("lease = \"7s\"\npassword = \"planted-secret-8\nurl = 1");
    let twice = ConfigFile::new("lease = \"7s\"\nlease = \"8s\"");
    let deep = ConfigFile::new(format!("queues = {}", "[".repeat(10_000)));
    let folder = std::env::temp_dir();
    for (path, told) in [
        ("/nowhere/jobq.toml", "No such file"),
        (folder.to_str().unwrap(), "directory"),
        (large.path(), "is too large; expected at most 65536 bytes"),
        (binary.path(), "line 2 is not UTF-8"),
        (open.path(), "line 2: no TOML"),
        (twice.path(), "line 2: no TOML: duplicate key"),
        (deep.path(), "line 1: no TOML"),
    ] {
        let (code, text) = run(command().args(["--config", path]));
        assert_eq!(code, Some(78), "{text}");
        assert!(text.contains(path) && text.contains(told), "{told}: {text}");
        assert!(!text.contains(SECRET), "{text}");
    }
    let empty = ConfigFile::new("");
    let (code, text) =
        run(command().args(["--check", "--url", "memory://", "--config", empty.path()]));
    assert_eq!(code, Some(0), "{text}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_that_nobody_writes_into_is_not_waited_for() {
    let path = std::env::temp_dir().join(format!("jobq-test-pipe-{}", std::process::id()));
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let mut program = Program::launch(command().arg("--config").arg(&path));
    let code = program.ended().await.code();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(code, Some(78), "{}", program.log());
    assert!(program.log().contains("is no regular file"));
}

#[test]
fn help_and_version_need_no_configuration() {
    for flag in ["--help", "--version", "--list-jobs"] {
        let (code, text) = run(command().arg(flag).env("JOBQ_CONFIG", "/nowhere/jobq.toml"));
        assert_eq!(code, Some(0), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_named_and_its_value_not_shown() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = std::ffi::OsString::from_vec(b"planted-secret-8\xff".into());
    for variable in ["JOBQ_URL", "JOBQ_PASSWORD", "JOBQ_CONCURRENCY"] {
        let (code, text) = run(command().env(variable, &value));
        assert_eq!(code, Some(78), "{text}");
        assert!(text.contains(variable) && text.contains("UTF-8"), "{text}");
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn a_secret_in_the_file_appears_in_no_output() {
    let server = RedisServer::start_with(&[("requirepass", SECRET)]);
    let url = server.url();
    let with_secret = |rest: &str| ConfigFile::new(format!("password = \"{SECRET}\"\n{rest}"));
    let files = [
        with_secret(&format!("url = \"{url}\"\nlog = \"trace\"")),
        with_secret(&format!(
            "url = \"{url}\"\nlog = \"trace\"\nlog_format = \"json\""
        )),
        with_secret("url = \"mysql://x\""),
        with_secret(&format!("url = \"redis://:{SECRET}@127.0.0.1:0\"")),
        with_secret(&format!("pasword = \"{SECRET}\"")),
        with_secret("= 7"),
    ];
    for file in &files {
        for flag in ["--check", "--help", "--list-jobs"] {
            let (_, text) = run(command().args([flag, "--config", file.path()]));
            assert!(!text.is_empty() && !text.contains(SECRET), "{text}");
        }
    }
    let program = Program::launch(command().args(["--config", files[0].path()]));
    program.wait_for_log("worker started").await;
    assert!(!program.log().contains(SECRET), "{}", program.log());
}
