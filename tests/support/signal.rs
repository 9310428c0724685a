//! Signals to processes of tests.

use std::process::Command;

/// Sends a signal to a process: `TERM`, `INT`, `STOP`, `CONT`.
///
/// # Panics
///
/// When there is no such process.
pub fn signal(process: u32, name: &str) {
    // The shell's own: not every system has a program of this name.
    let sent = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", name, &process.to_string()])
        .status();
    assert!(sent.expect("there is a shell").success(), "{name}");
}
