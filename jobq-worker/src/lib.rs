//! The worker runtime of [`jobq`]: embed it in a tokio application, or launch it as a process.
//!
//! ```
//! use jobq::job;
//! use jobq_worker::Worker;
//!
//! #[job]
//! async fn greet(name: String) {
//!     println!("hello, {name}");
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = jobq::connect("memory://").await?;
//! greet::enqueue(&client, "world").await?;
//!
//! let worker = Worker::builder(client).concurrency(16).build()?;
//! let stats = worker.run_until_idle().await?;
//! assert_eq!(stats.done, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Ways to run it
//!
//! | way | for | ends |
//! | --- | --- | --- |
//! | [`main()`](main) | a worker process: flags, environment, a file, logs | at SIGTERM or Ctrl-C |
//! | [`Worker::run`] | a `main` of your own | at SIGTERM or Ctrl-C |
//! | [`Worker::spawn`] | a service that has work besides | when its [`WorkerHandle`] is told to |
//! | [`Worker::run_until_idle`] | tests, one-shot containers | when no job is left |
//!
//! However it ends, it claims no more, lets what runs end within
//! [`shutdown_timeout`](WorkerBuilder::shutdown_timeout) and gives the rest back. `main` and `run`
//! listen for signals; beside `spawn`, [`shutdown_signal`] tells a server when to stop.
//!
//! A worker runs every `#[job]` that is linked into the binary, and those of
//! [`register`](WorkerBuilder::register). More stands in the guides of the repository, in
//! `docs/guide`: workers and queues, shutdown and deploys, embedding, testing.
//!
//! # Features
//!
//! `process`, on by default, is [`main()`](main) and [`main_with`], and the crates for flags, the
//! configuration file and logs that only they need. `tls` is that of `jobq`: `rediss://`. `metrics`
//! shows what a worker counts to the recorder of the crate `metrics`; `prometheus` gives it as text,
//! `WorkerHandle::prometheus`; `http`, which brings `prometheus`, serves that and two probes,
//! `WorkerBuilder::http`.

mod at_work;
mod builder;
#[doc(hidden)]
pub mod chance;
mod component;
mod components;
mod error;
mod executor;
#[cfg(any(feature = "metrics", feature = "prometheus"))]
mod exposition;
#[cfg(feature = "http")]
mod http;
mod idle;
mod lane;
mod membership;
mod meters;
mod nearest;
mod outage;
mod outbox;
#[cfg(feature = "process")]
mod process;
mod registry;
mod report;
mod schedule;
mod settings;
mod shared;
mod shutdown;
mod signals;
mod slots;
mod supervisor;
mod telemetry;
mod worker;

pub use builder::WorkerBuilder;
pub use error::{BuildError, Left, RunError};
#[cfg(feature = "process")]
pub use process::{main, main_with};
pub use signals::shutdown_signal;
pub use supervisor::ShutdownReport;
pub use telemetry::WorkerStats;
pub use worker::{RunUntilIdle, Worker, WorkerHandle};
