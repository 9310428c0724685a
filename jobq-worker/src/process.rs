//! A worker as a process of its own: `fn main() -> ExitCode { jobq_worker::main() }`.
//!
//! | file | knows |
//! | --- | --- |
//! | `process/flags.rs` | the command line and the environment |
//! | `process/file.rs` | the configuration file |
//! | `process/given.rs` | what these set, and where each was set |
//! | `process/values.rs` | how values are written |
//! | `process/{log,json}.rs` | logs on standard error |
//! | `process/{list,check}.rs` | what is done instead of working |
//! | `process/failure.rs` | exit codes and their reasons |

mod check;
mod failure;
mod file;
mod flags;
mod given;
mod json;
mod list;
mod log;
mod values;

use std::process::ExitCode;

use jobq::broker::redis::RedisConfig;
use jobq::{BoxError, Client};

use self::failure::Failure;
use self::flags::Flags;
use self::given::Given;
use crate::builder::WorkerBuilder;
use crate::shutdown::{Phase, Shutdown};
use crate::signals;
use crate::supervisor::Leftovers;
use crate::worker::Worker;

/// The command line cannot be read.
const EXIT_USAGE: u8 = 2;

/// The service is not there: `EX_UNAVAILABLE` of `sysexits.h`.
const EXIT_UNAVAILABLE: u8 = 69;

/// Something is set wrongly: `EX_CONFIG` of `sysexits.h`.
const EXIT_CONFIGURATION: u8 = 78;

/// A worker process: reads its settings, connects, runs every `#[job]` of the binary until SIGTERM
/// or Ctrl-C, drains, exits.
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
///
/// # Settings
///
/// Each is a flag (`--shutdown-timeout 10s`), an environment variable (`JOBQ_SHUTDOWN_TIMEOUT`) and a
/// key of the TOML file that `--config` or `JOBQ_CONFIG` names. Where several set it, the first of
/// these wins. What a URL says of namespace, user and password is set where the URL is: in `--url` it
/// wins over the variables, in `JOBQ_URL` over the file, and what is set beside it there wins over it.
/// `--help` lists them all. A relative path in any of them starts at the working directory.
///
/// ```toml
/// url = "redis://127.0.0.1:6379"
/// queues = ["critical:6", "default"]
/// concurrency = 128
/// shutdown_timeout = "10s"
/// log_format = "json"
/// ```
///
/// A variable whose name begins with `JOBQ_` and is none of these is warned about.
///
/// A password has no flag, for other users see those: it is set by `JOBQ_PASSWORD`, or by `password`
/// in the file, which you then keep at mode 0600. Keys that are not known are refused.
///
/// `--list-jobs` prints the jobs that are linked in; `--check` connects, sets the worker up, says
/// what it found, and exits without taking a job.
///
/// # Logs
///
/// On standard error: lines for people, or with `--log-format json` an object a line: `time`,
/// `level`, `target`, `message`, and `fields`, in which `job.id`, `job.name`, `job.queue` and
/// `job.attempt` stand whenever a job is spoken of, a handler's own events included. A program that
/// has set a `tracing` subscriber before keeps it.
///
/// # Exit codes
///
/// | code | when |
/// | --- | --- |
/// | 0 | stopped by a signal, also before it worked; or all that `--check` looked at is right |
/// | 2 | the command line cannot be read |
/// | 69 | no Redis answers within five seconds of the start, or the system refuses threads or the port of `--http`: starting again later may help |
/// | 78 | a setting, its variable or the file is wrong; the login is refused or lacks a right, the server too old; no job, two of one name, a missing state; `configure` failed: starting again does not help |
/// | 130 | a third signal ended it at once |
///
/// A Redis that goes away later is waited for.
#[must_use]
pub fn main() -> ExitCode {
    main_with(async |worker| Ok(worker))
}

/// [`main()`](main) for jobs that need state: `configure` gets the builder, connected and set by
/// flags, environment and file. If it fails the process exits with 78, for a wrong configuration.
/// `--check` calls it too, `--list-jobs` does not.
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
    let flags = match Flags::read() {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    if flags.list_jobs {
        return list::jobs();
    }
    let check = flags.check;
    match start(flags).and_then(|given| serve(&given, check, configure)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

/// Reads the configuration file, if there is one, and starts logging.
fn start(flags: Flags) -> Result<Given, Failure> {
    let read = flags
        .config
        .map_or(Ok(Given::default()), |path| file::read(&path));
    let (given, mistakes) = match read {
        Ok(file) => (flags.given.over(file), Vec::new()),
        Err(mistakes) => (flags.given, mistakes),
    };
    log::install(given.log.clone(), given.log_format);
    match mistakes.is_empty() {
        true => Ok(given),
        false => Err(Failure::file(mistakes)),
    }
}

/// Runs a worker, or checks what it would run with, on a runtime of its own.
fn serve<F>(given: &Given, check: bool, configure: F) -> Result<(), Failure>
where
    F: AsyncFnOnce(WorkerBuilder) -> Result<WorkerBuilder, BoxError>,
{
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|error| Failure::runtime(&error))?;
    // Before anything is connected to: that may fail for it.
    for doubt in &given.doubts {
        match check {
            true => check::say("warning", doubt),
            false => tracing::warn!("{doubt}"),
        }
    }
    let ended = runtime.block_on(async {
        if check {
            return check::check(&set_up(given, configure).await?).await;
        }
        // From the start: the first process of a container ignores signals that it does not handle.
        let shutdown = Shutdown::new();
        let listener = signals::listen(shutdown.clone());
        let _listener = listener.map_err(|error| Failure::run(&error))?;
        let worker = tokio::select! {
            biased;
            () = shutdown.reached(Phase::Draining) => return Ok(()),
            worker = ready(given, configure) => worker?,
        };
        let ended = worker.run_until(shutdown, Leftovers::GiveBack).await;
        ended.map(drop).map_err(|error| Failure::run(&error))
    });
    // Blocking jobs that run on were given back: nobody waits for them.
    runtime.shutdown_background();
    ended
}

/// A worker that may do what it has to.
async fn ready<F>(given: &Given, configure: F) -> Result<Worker, Failure>
where
    F: AsyncFnOnce(WorkerBuilder) -> Result<WorkerBuilder, BoxError>,
{
    let worker = set_up(given, configure).await?;
    check::rights(&worker).await?;
    Ok(worker)
}

/// Connects and builds. What is set is checked first: it needs no broker.
async fn set_up<F>(given: &Given, configure: F) -> Result<Worker, Failure>
where
    F: AsyncFnOnce(WorkerBuilder) -> Result<WorkerBuilder, BoxError>,
{
    let settings = given.settings();
    let settings = settings.map_err(|error| Failure::setting(&error, &given.origins))?;
    let client = connect(given).await?;
    let mut builder = Worker::builder(client);
    builder.settings = settings;
    let builder = configure(builder)
        .await
        .map_err(|error| Failure::set_up(&error))?;
    builder.build().map_err(|error| Failure::build(&error))
}

async fn connect(given: &Given) -> Result<Client, Failure> {
    // What cannot be read the client tells.
    if let Ok(config) = RedisConfig::parse(given.url(), given.namespace.as_deref()) {
        tracing::info!("connecting to {}", config.describe());
    } else if given.url().starts_with("memory://") {
        tracing::warn!("memory:// is a broker inside this process: no other can enqueue to it");
    }
    let client = given.client().connect().await;
    client.map_err(|error| Failure::connect(&error, &given.origins))
}
