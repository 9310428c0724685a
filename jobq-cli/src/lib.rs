//! The operator's command `jobq`: what is queued, running, failing and dead, seen and changed from
//! a terminal or a script. `docs/reference/cli.md` of the repository has all of it.
//!
//! | file | knows |
//! | --- | --- |
//! | `flags.rs`, `commands/*.rs` | the command line; each command its own part of it, and what it does |
//! | `values.rs`, `state.rs`, `pace.rs` | how values are written |
//! | `arguments.rs` | a job's arguments as JSON |
//! | `session.rs` | connecting, and what every command is given |
//! | `damage.rs` | going on where the keys of one queue are damaged |
//! | `heard.rs` | which workers of a queue live |
//! | `doctor/` | what is wrong with a Redis and the queues in it: facts, judgement, cures |
//! | `health/` | whether all is within limits, for probes |
//! | `consent.rs` | whether what destroys may be done |
//! | `output.rs`, `output/` | standard output: tables, plain lines, JSON |
//! | `progress.rs`, `interrupt.rs`, `patience.rs` | long work: how far it is, ending it, and waiting for a broker that is away |
//! | `failure.rs` | exit codes and their reasons |
//!
//! It is a library only for the binary of the package, and for tests that run it.

mod arguments;
mod commands;
mod consent;
mod damage;
mod doctor;
mod failure;
mod flags;
mod health;
mod heard;
mod interrupt;
mod output;
mod pace;
mod patience;
mod progress;
mod session;
mod state;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use jobq::runtime::text::escaped;

use self::failure::Failure;
use self::flags::Flags;

/// The whole command: reads the command line, does what it says, and answers the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let flags = match Flags::read() {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    std::panic::set_hook(Box::new(|info| {
        // It may quote what a stranger wrote.
        failure::say(&escaped(&info.to_string(), 2000));
    }));
    let done = catch_unwind(AssertUnwindSafe(|| run(flags)));
    match done.unwrap_or_else(|_| Err(Failure::panicked())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn run(flags: Flags) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::runtime(&error))?;
    let done = runtime.block_on(commands::run(flags));
    // A question that nobody answered keeps its thread: nobody waits for it.
    runtime.shutdown_background();
    done
}
