//! The unit of systemd.

use std::io::{self, Write as _};
use std::process::Command;

use support::Folder;

use crate::{default, help, worker};

const UNIT: &str = include_str!("../../docs/operations/jobq-worker.service");

const PAGE: &str = include_str!("../../docs/operations/deploying.md");

/// With the docs of `jobq_worker::main()`.
const SOURCE: &str = include_str!("../../jobq-worker/src/process.rs");

/// What a worker needs after its shutdown timeout: to abort, to settle, to leave.
const SETTLING: u64 = 3;

/// The value of a key that stands there once.
fn value(key: &str) -> &'static str {
    let values = UNIT
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let values: Vec<_> = values.collect();
    assert_eq!(values.len(), 1, "{key}: {values:?}");
    values[0]
}

/// Seconds of `35s`.
fn seconds(text: &str) -> u64 {
    text.strip_suffix('s').unwrap().parse().unwrap()
}

/// The first word of ExecStart, and the rest.
fn program() -> (&'static str, &'static str) {
    let line = value("ExecStart");
    line.split_once(' ').unwrap_or((line, ""))
}

/// What systemd has to say about a unit: nothing, if it is sound. None where there is no systemd.
fn complaints(unit: &str) -> Option<String> {
    let folder = Folder::new();
    // systemd looks whether the program is there.
    let unit = unit.replace(program().0, env!("CARGO_BIN_EXE_jobq-test-worker"));
    let file = folder.write("jobq-worker.service", unit);
    let verified = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&file)
        .output();
    match verified {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(said).unwrap();
            assert!(
                output.status.success() || !said.is_empty(),
                "{}",
                output.status
            );
            Some(said)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Past the capture of test output, which hides what a test that passes prints.
            let _ = writeln!(
                io::stderr(),
                "NOT CHECKED: docs/operations/jobq-worker.service, for there is no systemd-analyze"
            );
            None
        }
        Err(error) => panic!("systemd-analyze: {error}"),
    }
}

#[test]
fn systemd_understands_every_line() {
    if let Some(said) = complaints(UNIT) {
        assert_eq!(said, "");
    }
}

#[test]
fn systemd_understands_the_lines_that_the_page_gives_instead() {
    let (_, lines) = PAGE.split_once("```ini\n").unwrap();
    let (lines, _) = lines.split_once("```").unwrap();
    let unit = UNIT.replace("EnvironmentFile=/etc/jobq/worker.env\n", lines);
    assert!(unit.contains("LoadCredential="));
    if let Some(said) = complaints(&unit) {
        assert_eq!(said, "");
    }
}

#[test]
fn systemd_complains_of_what_it_does_not_understand() {
    let typo = UNIT.replace("KillMode=mixed", "KillMode=mixd");
    if let Some(said) = complaints(&typo) {
        assert!(said.contains("mixd"), "{said}");
    }
}

#[test]
fn it_starts_the_program_with_arguments_that_it_knows() {
    let (program, args) = program();
    assert!(program.starts_with('/'), "{program}");
    let output = worker()
        .args(args.split_whitespace())
        .arg("--list-jobs")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn it_waits_for_longer_than_a_worker_takes_to_stop() {
    let needed = seconds(&default("JOBQ_SHUTDOWN_TIMEOUT")) + SETTLING;
    assert!(seconds(value("TimeoutStopSec")) > needed, "{needed} s");
    // One signal, to the worker alone: the second would cut its jobs short.
    assert_eq!(
        (value("KillMode"), value("KillSignal")),
        ("mixed", "SIGTERM")
    );
}

#[test]
fn it_does_not_start_again_what_would_fail_again() {
    assert_eq!(value("Restart"), "on-failure");
    let never = value("RestartPreventExitStatus").split(' ');
    assert_eq!(never.collect::<Vec<_>>(), ["2", "78"]);
    let meanings = exit_codes();
    let means = |code| &meanings.iter().find(|(told, _)| *told == code).unwrap().1;
    assert!(means(2).contains("command line"), "{meanings:?}");
    assert!(means(78).contains("configuration"), "{meanings:?}");
}

/// The exit codes that the worker tells, with the first line of what each means.
fn exit_codes() -> Vec<(u32, String)> {
    let help = help();
    let (_, told) = help.split_once("Exit codes:\n").unwrap();
    let codes = told.lines().filter_map(|line| {
        let (code, meaning) = line.trim_start().split_once(' ')?;
        Some((code.parse().ok()?, meaning.trim().to_owned()))
    });
    codes.collect()
}

#[test]
fn it_holds_no_secret_and_gives_no_rights() {
    assert!(!UNIT.lines().any(|line| line.starts_with("Environment=")));
    assert!(!value("ExecStart").contains("://"));
    for (key, expected) in [
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("DynamicUser", "yes"),
        ("ProtectSystem", "strict"),
    ] {
        assert_eq!(value(key), expected, "{key}");
    }
}

/// The first cells of all rows of a page's tables; `row` is what a row begins with.
fn first_cells<'a>(page: &'a str, row: &str) -> impl Iterator<Item = &'a str> {
    let rows = page.lines().filter_map(move |line| line.strip_prefix(row));
    rows.filter_map(|row| row.split(" |").next())
}

#[test]
fn the_page_explains_lines_that_the_unit_has() {
    let quoted =
        first_cells(PAGE, "| ").filter_map(|cell| cell.strip_prefix('`')?.split('`').next());
    let settings: Vec<_> = quoted.filter(|text| text.contains('=')).collect();
    assert!(settings.len() > 4, "{settings:?}");
    for setting in settings {
        let there = UNIT.lines().any(|line| line.starts_with(setting));
        assert!(there, "{setting}");
    }
}

#[test]
fn the_pages_have_every_exit_code_that_the_worker_tells() {
    let codes = |page: &str, row| -> Vec<u32> {
        let cells = first_cells(page, row);
        cells.filter_map(|cell| cell.parse().ok()).collect()
    };
    let documented = codes(PAGE, "| ");
    assert_eq!(codes(SOURCE, "/// | "), documented);
    let told = exit_codes();
    assert!(told.len() > 3, "{told:?}");
    for (code, meaning) in told {
        assert!(documented.contains(&code), "{code} {meaning}");
    }
}
