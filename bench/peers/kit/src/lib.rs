//! What the programs of all systems share, so that they differ by their system alone.
//!
//! A program implements [`System`] and calls [`run`], which obeys the command line:
//!
//! ```text
//! enqueue seq|conc|bulk N WIDTH      prints jobs a second
//! fill N                             enqueues N jobs the quickest way
//! latency N, delayed N               prints N latenesses in µs, a line each
//! worker CONCURRENCY [CONNECTIONS]   handles jobs; ends with its input
//! ```
//!
//! The variable [`URL`] says where Redis is, and [`SIGNAL`] where a handler tells that it started. This
//! crate knows nothing of any system.

mod args;
mod clock;
mod command;
mod enqueue;
mod handler;
mod lateness;
mod progress;
mod signal;
mod system;

pub use self::args::Args;
pub use self::command::{URL, run};
pub use self::enqueue::{Way, enqueue_at_once, enqueue_in_batches};
pub use self::handler::handle;
pub use self::progress::Progress;
pub use self::signal::SIGNAL;
pub use self::system::{Pool, System};

/// What went wrong, in a system or in a program.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The name of the queue that every system uses.
pub const QUEUE: &str = "bench";
