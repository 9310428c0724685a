//! A worker process that no job is linked into, and whose set-up fails if it is told to.

use std::process::ExitCode;

fn main() -> ExitCode {
    jobq_worker::main_with(async |worker| match std::env::var("TEST_SETUP_ERROR") {
        Ok(error) => Err(error.into()),
        Err(_) => Ok(worker),
    })
}
