//! The files of `docs/operations` are what they say: as far as that shows without the machines
//! they are for.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod container;
mod defaults;
mod monitoring;
mod unit;

use std::process::Command;

/// The worker program, with an environment of its own.
fn worker() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobq-test-worker"));
    command.env_clear();
    command
}

/// What it prints for `--help`.
fn help() -> String {
    let output = worker().arg("--help").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The default that it tells for the setting with this variable.
fn default(variable: &str) -> String {
    let help = help();
    let (front, _) = help.split_once(&format!("{variable}]")).unwrap();
    let (_, default) = front.rsplit_once("[default: ").unwrap();
    default.split(']').next().unwrap().to_owned()
}
