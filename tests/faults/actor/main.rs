//! A producer or a worker of the fault matrix, as a process of its own. It writes its ledger before
//! it acts; what it logs goes to its standard error.

mod produce;
mod watched;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use faults::jobs;
use faults::ledger::Ledger;
use jobq::{Client, ConnectError};
use tracing::level_filters::LevelFilter;

/// Between two attempts to connect: a supervisor would start the process again.
const CONNECT_AGAIN: Duration = Duration::from_millis(100);

#[derive(Parser)]
struct Actor {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    role: Role,
}

/// Where it acts.
#[derive(Args)]
struct Place {
    /// The server.
    #[arg(long)]
    url: String,
    /// The file it writes down in what it does.
    #[arg(long)]
    ledger: PathBuf,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// How long a call to the broker may take, in ms.
    #[arg(long, default_value_t = 5_000)]
    timeout: u64,
    /// How much is logged.
    #[arg(long, default_value = "info")]
    log: LevelFilter,
}

#[derive(Subcommand)]
enum Role {
    /// Enqueues.
    Produce(produce::Produce),
    /// Runs jobs.
    Work(work::Work),
}

fn main() -> ExitCode {
    let Actor { place, role } = Actor::parse();
    tracing_subscriber::fmt()
        .with_max_level(place.log)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let ledger = Ledger::open(&place.ledger).expect("the ledger's folder is there");
    let ledger = jobs::write_to(ledger);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(place.threads)
        .enable_all()
        .build()
        .expect("a runtime");
    let code = runtime.block_on(async {
        match role {
            Role::Produce(produce) => produce.run(&place, ledger).await,
            Role::Work(work) => work.run(&place, ledger).await,
        }
    });
    // A handler that blocks keeps no worker from its end, as in `jobq_worker::main`.
    runtime.shutdown_background();
    code
}

impl Place {
    /// Connects, for as long as it takes.
    async fn connect(&self) -> Client {
        loop {
            let builder = Client::builder(&self.url).max_payload(8 << 20);
            match builder
                .timeout(Duration::from_millis(self.timeout))
                .connect()
                .await
            {
                Ok(client) => return client,
                Err(error @ ConnectError::InvalidUrl { .. }) => panic!("{error:?}"),
                Err(error) => tracing::info!(?error, "not connected; trying again"),
            }
            tokio::time::sleep(CONNECT_AGAIN).await;
        }
    }
}
