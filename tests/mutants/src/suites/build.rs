//! Where cargo has built the suites.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::SUITES;

/// The programs of the suites, by name.
pub(super) fn executables() -> Vec<(&'static str, PathBuf)> {
    let built = build()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be run");
    assert!(built.status.success(), "the suites cannot be built");
    let messages: Vec<Value> = String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let of = |suite: &'static str| {
        let message = messages.iter().find(|message| {
            let target = &message["target"];
            target["name"] == suite
                && target["kind"][0] == "test"
                && message["executable"].is_string()
        });
        let path = message.and_then(|message| message["executable"].as_str());
        let path = path.unwrap_or_else(|| panic!("cargo built no {suite}"));
        (suite, PathBuf::from(path))
    };
    SUITES.into_iter().map(of).collect()
}

/// What builds the suites as `cargo test --workspace` does, and so nothing where that has run: a
/// narrower choice has other profiles of what is shared with build programs, and builds all anew.
fn build() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--no-run", "--locked", "--workspace"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    // What cargo tells a test of its package, build programs would take for theirs.
    let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| own(name)) {
        cargo.env_remove(name);
    }
    cargo
}
