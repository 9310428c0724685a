//! A worker as a process of its own: one line of `main`, and the jobs of another crate.
//!
//! ```sh
//! cargo run --example worker_process -- --help
//! cargo run --example worker_process -- --list-jobs
//! cargo run --example worker_process -- --check
//! cargo run --example worker_process -- --url redis://127.0.0.1:6379 --queues invoices:3,mail:1
//! ```
//!
//! Start it as often as you like: all of them share the work. Ctrl-C or SIGTERM lets it finish what
//! it runs. `cargo run --example producer` gives it something to do.

// Jobs of a crate that is not named anywhere are not linked in.
use jobq_examples as _;

fn main() -> std::process::ExitCode {
    jobq_worker::main()
}
