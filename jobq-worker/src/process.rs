//! A worker as a process of its own: `fn main() -> ExitCode { jobq_worker::main() }`.
//!
//! Flags and their environment variables, logs on standard error, exit codes as in `sysexits.h`.

mod values;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use jobq::{BoxError, Client};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::builder::WorkerBuilder;
use crate::error::BuildError;
use crate::supervisor::Leftovers;
use crate::telemetry::chain;
use crate::worker::Worker;
use values::{duration, filter, name_variable};

/// The service is not there: `EX_UNAVAILABLE` of `sysexits.h`.
const EXIT_UNAVAILABLE: u8 = 69;

/// Something is set wrongly: `EX_CONFIG` of `sysexits.h`.
const EXIT_CONFIGURATION: u8 = 78;

/// Runs the jobs of this program until it is told to stop.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = AFTER_HELP)]
struct Flags {
    /// The broker: redis://[user:password@]host[:port][/database][?namespace=name]
    #[arg(
        long,
        env = "JOBQ_URL",
        default_value = "redis://127.0.0.1:6379",
        hide_env_values = true
    )]
    url: String,

    /// What stands before every key
    #[arg(long, env = "JOBQ_NAMESPACE", value_name = "NAME")]
    namespace: Option<String>,

    /// Queues, each NAME or NAME:WEIGHT, separated by commas [default: those the jobs name]
    #[arg(long, env = "JOBQ_QUEUES", value_delimiter = ',', value_name = "LIST")]
    queues: Vec<String>,

    /// Claim from a queue only while those before it are empty
    #[arg(long, env = "JOBQ_STRICT", value_parser = clap::builder::BoolishValueParser::new())]
    strict: bool,

    /// How many jobs may run at the same time
    #[arg(long, env = "JOBQ_CONCURRENCY", default_value_t = 64, value_name = "N")]
    concurrency: u32,

    /// Command connections to the broker
    #[arg(long, env = "JOBQ_CONNECTIONS", default_value_t = 1, value_name = "N")]
    connections: u32,

    /// How long running jobs may go on after a stop signal
    #[arg(long, env = "JOBQ_SHUTDOWN_TIMEOUT", default_value = "25s", value_parser = duration, value_name = "TIME")]
    shutdown_timeout: Duration,

    /// How long a worker may be silent before others take its jobs over
    #[arg(long, env = "JOBQ_LEASE", default_value = "7s", value_parser = duration, value_name = "TIME")]
    lease: Duration,

    /// How often the lease is renewed; less than half of it
    #[arg(long, env = "JOBQ_RENEW_EVERY", default_value = "2s", value_parser = duration, value_name = "TIME")]
    renew_every: Duration,

    /// What is logged: a level (error, warn, info, debug, trace), or target=level pairs
    #[arg(long, env = "JOBQ_LOG", default_value = "info", value_parser = filter, value_name = "FILTER")]
    log: Targets,

    /// Print the names of the jobs this program runs, and exit
    #[arg(long)]
    list_jobs: bool,
}

const AFTER_HELP: &str = "\
A flag wins over its environment variable. TIME is a number with a unit: 500ms, 10s, 5m, 1h.
SIGTERM or Ctrl-C drains: no further jobs are taken, running ones may end. A second signal gives
them back to the queue at once, a third exits.
Exit codes: 0 stopped, 2 wrong usage, 69 broker unavailable, 78 wrong configuration, the program's
own set-up included.";

/// A worker process: reads flags and environment, connects, runs every `#[job]` of the binary
/// until SIGTERM or Ctrl-C, drains, exits.
///
/// ```no_run
/// use jobq::job;
///
/// #[job]
/// async fn send_welcome(user_id: u64) -> Result<(), std::io::Error> {
///     Ok(())
/// }
///
/// fn main() -> std::process::ExitCode {
///     jobq_worker::main()
/// }
/// ```
#[must_use]
pub fn main() -> ExitCode {
    main_with(async |worker| Ok(worker))
}

/// [`main()`](main) for jobs that need state: `configure` gets the builder, connected and set by
/// flags and environment. If it fails the process exits with 78, for a wrong configuration.
///
/// ```no_run
/// # struct Db;
/// # impl Db { async fn connect() -> Result<Self, std::io::Error> { Ok(Self) } }
/// fn main() -> std::process::ExitCode {
///     jobq_worker::main_with(async |worker| Ok(worker.state(Db::connect().await?)))
/// }
/// ```
#[must_use]
pub fn main_with<F>(configure: F) -> ExitCode
where
    F: AsyncFnOnce(WorkerBuilder) -> Result<WorkerBuilder, BoxError>,
{
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => {
            let error = name_variable(error);
            // Standard output or error is closed: the exit code still tells.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    log(&flags.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(EXIT_UNAVAILABLE, "could not start the runtime", &error),
    };
    let code = runtime.block_on(run(flags, configure));
    // Blocking jobs that run on were given back: nobody waits for them.
    runtime.shutdown_background();
    code
}

async fn run<F>(flags: Flags, configure: F) -> ExitCode
where
    F: AsyncFnOnce(WorkerBuilder) -> Result<WorkerBuilder, BoxError>,
{
    if flags.list_jobs {
        return list_jobs();
    }
    let mut client = Client::builder(&flags.url);
    if let Some(namespace) = &flags.namespace {
        client = client.namespace(namespace);
    }
    let client = match client.connect().await {
        Ok(client) => client,
        Err(error) => {
            let code = match error {
                jobq::ConnectError::Unavailable { .. } => EXIT_UNAVAILABLE,
                _ => EXIT_CONFIGURATION,
            };
            return failed(code, "could not connect", &error);
        }
    };
    let builder = match configure(flags.apply(Worker::builder(client))).await {
        Ok(builder) => builder,
        Err(error) => return failed(EXIT_CONFIGURATION, "could not set the worker up", &*error),
    };
    let worker = match builder.build() {
        Ok(worker) => worker,
        Err(error) => return failed(EXIT_CONFIGURATION, "could not build the worker", &error),
    };
    match worker.run_with(Leftovers::GiveBack).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => failed(EXIT_UNAVAILABLE, "the worker failed", &error),
    }
}

impl Flags {
    fn apply(self, builder: WorkerBuilder) -> WorkerBuilder {
        let builder = builder
            .strict(self.strict)
            .concurrency(self.concurrency)
            .connections(self.connections)
            .shutdown_timeout(self.shutdown_timeout)
            .lease(self.lease)
            .renew_every(self.renew_every);
        if self.queues.is_empty() {
            builder
        } else {
            builder.queues(self.queues.iter().map(|queue| queue.trim()))
        }
    }
}

fn list_jobs() -> ExitCode {
    use std::io::Write as _;
    let mut names: Vec<_> = jobq::runtime::registrations().map(|job| job.name).collect();
    if names.is_empty() {
        eprintln!("{}", BuildError::NoJobs);
        return ExitCode::from(EXIT_CONFIGURATION);
    }
    names.sort_unstable();
    let mut out = std::io::stdout().lock();
    for name in names {
        if writeln!(out, "{name}").is_err() {
            // The reader has gone (`| head`): it has what it wanted.
            break;
        }
    }
    ExitCode::SUCCESS
}

fn log(filter: &Targets) {
    let stderr = std::io::stderr();
    let colours = stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    // An application that has set its own subscriber keeps it.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(filter.clone())
        .try_init();
}

fn failed(code: u8, what: &str, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    tracing::error!("{what}: {}", chain(error));
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn every_flag_has_help_and_an_environment_variable() {
        for flag in Flags::command()
            .get_arguments()
            .filter(|flag| flag.get_id() != "list_jobs")
        {
            assert!(flag.get_help().is_some(), "{}", flag.get_id());
            let env = flag
                .get_env()
                .expect("an environment variable")
                .to_string_lossy();
            assert_eq!(
                env,
                format!("JOBQ_{}", flag.get_id().as_str().to_uppercase())
            );
        }
    }
}
