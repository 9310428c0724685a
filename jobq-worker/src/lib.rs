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
//! In a service, [`Worker::spawn`] it and keep the [`WorkerHandle`] for the shutdown. A process of
//! its own is [`main()`](main) and the jobs.

mod builder;
mod component;
mod components;
mod error;
mod executor;
mod idle;
mod lane;
mod membership;
mod outage;
mod outbox;
mod process;
mod registry;
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
pub use process::{main, main_with};
pub use signals::shutdown_signal;
pub use supervisor::ShutdownReport;
pub use telemetry::WorkerStats;
pub use worker::{RunUntilIdle, Worker, WorkerHandle};
