//! The command `jobq`, as the package `jobq-cli` builds it.

use std::process::ExitCode;

fn main() -> ExitCode {
    jobq_cli::main()
}
