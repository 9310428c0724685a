//! A worker process of which two jobs have one name.

use std::process::ExitCode;

#[jobq::job(name = "twin")]
async fn first() {}

#[jobq::job(name = "twin")]
async fn second() {}

fn main() -> ExitCode {
    jobq_worker::main()
}
