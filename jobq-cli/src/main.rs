//! The command `jobq`.

use std::process::ExitCode;

fn main() -> ExitCode {
    jobq_cli::main()
}
