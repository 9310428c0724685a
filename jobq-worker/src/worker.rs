//! The worker as applications see it, and its ways to run.

use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jobq::Client;
use jobq::runtime::States;
use jobq::runtime::text::chain;
use tokio::task::JoinHandle;

use crate::builder::WorkerBuilder;
use crate::error::RunError;
#[cfg(feature = "prometheus")]
use crate::exposition;
use crate::idle;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::shutdown::{Phase, Shutdown};
use crate::signals;
use crate::supervisor::{self, Leftovers, ShutdownReport};
use crate::telemetry::WorkerStats;

/// A pool that runs jobs. Built by [`Worker::builder`]; runs when told how: [`Worker::run`] until a
/// signal, [`Worker::spawn`] beside an application, [`Worker::run_until_idle`] until all is done.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[jobq::job(name = "worker.example", queue = "mail")]
/// # async fn send_welcome(user_id: u64) {}
/// use jobq_worker::Worker;
///
/// let client = jobq::connect("memory://").await?;
/// let worker = Worker::builder(client).queues(["mail"]).build()?;
/// assert_eq!(worker.queues().collect::<Vec<_>>(), ["mail"]);
///
/// worker.run_until_idle().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a worker does nothing until `.run().await`, `.spawn()` or `.run_until_idle().await`"]
pub struct Worker {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    pub(crate) registry: Arc<Registry>,
    pub(crate) states: States,
}

impl Worker {
    /// Settings of a worker that runs every `#[job]` in this binary.
    pub fn builder(client: Client) -> WorkerBuilder {
        WorkerBuilder::new(client)
    }

    /// The names of the jobs it can run, sorted.
    pub fn jobs(&self) -> impl Iterator<Item = &str> {
        self.registry.names().into_iter()
    }

    /// The names of the queues it works on, in their order.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        self.settings.queue_names()
    }

    /// Runs until SIGTERM or Ctrl-C, then drains: no further claims, running jobs may end within
    /// `shutdown_timeout`, the rest is aborted and given back. A second signal gives them back at
    /// once, a third ends the process. The process should end once this has: what cannot be aborted,
    /// such as a blocking job, goes on until it does, though it was given back.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::Worker;
    /// # #[jobq::job(name = "run.example")]
    /// # async fn send_welcome(user_id: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// Worker::builder(client).build()?.run().await?; // the last line of a worker's `main`
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RunError::System`] when signals or threads are not to be had, [`RunError::NoRuntime`]
    /// outside of tokio, [`RunError::Http`] when the address of `WorkerBuilder::http` is taken. A Redis
    /// that goes away is no error: it is waited for.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, the worker ends at once, as if it was killed: its jobs are aborted, and
    /// other workers take them over once its lease has run out. The signals no longer end the process by
    /// themselves. To stop in order beside something else, [`Worker::spawn`] it.
    pub async fn run(&self) -> Result<(), RunError> {
        require_runtime()?;
        let shutdown = Shutdown::new();
        let _listener = signals::listen(shutdown.clone())?;
        let report = self.run_until(shutdown, Leftovers::GiveBack).await;
        report.map(drop)
    }

    pub(crate) async fn run_until(
        &self,
        shutdown: Shutdown,
        leftovers: Leftovers,
    ) -> Result<ShutdownReport, RunError> {
        supervisor::supervise(self.share(shutdown), leftovers).await
    }

    /// Starts it in the background of a tokio application. It installs no signal handlers: it stops
    /// when its handle says so, for which [`shutdown_signal`](crate::shutdown_signal) has the moment.
    ///
    /// What is an error of [`Worker::run`], as an address of `WorkerBuilder::http` that is taken, is told
    /// in the log alone: no job runs then, and the handle answers an empty report.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::Worker;
    /// # #[jobq::job(name = "spawn.example")]
    /// # async fn send_welcome(user_id: u64) {}
    /// # async fn serve() {}
    /// # let client = jobq::connect("memory://").await?;
    /// let worker = Worker::builder(client).build()?.spawn();
    /// serve().await; // the application, until it is to end
    /// worker.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    #[must_use = "keep the handle, to shut the worker down"]
    pub fn spawn(self) -> WorkerHandle {
        let shared = self.share(Shutdown::new());
        let running = supervisor::supervise(shared.clone(), Leftovers::Leave);
        let task = tokio::spawn(async move {
            running.await.unwrap_or_else(|error| {
                // Told now: whoever has the handle may await it much later.
                tracing::error!(error = %chain(&error), "the worker failed");
                ShutdownReport::default()
            })
        });
        WorkerHandle { shared, task }
    }

    /// Runs until nothing is ready, delayed or in flight on its queues, retries included; for
    /// tests and one-shot containers. May be called again; what it answers counts from the call.
    ///
    /// Await it, or set [`RunUntilIdle::max_wait`] first: jobs on a paused queue keep it waiting
    /// until someone resumes the queue, and jobs of a name that is not registered here until they
    /// are given up, a day after they were due.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::Worker;
    /// use jobq::job;
    ///
    /// #[job(retries = 1, backoff = "fixed", base_delay = "10ms")]
    /// async fn always_fails() -> Result<(), String> {
    ///     Err("no".to_owned())
    /// }
    ///
    /// # let client = jobq::connect("memory://").await?;
    /// always_fails::enqueue(&client).await?;
    /// let stats = Worker::builder(client).build()?.run_until_idle().await?;
    /// assert_eq!((stats.retried, stats.dead), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "it runs when it is awaited"]
    pub fn run_until_idle(&self) -> RunUntilIdle<'_> {
        RunUntilIdle {
            worker: self,
            max_wait: None,
        }
    }

    fn share(&self, shutdown: Shutdown) -> Arc<Shared> {
        Shared::new(
            shutdown,
            self.client.clone(),
            self.settings.clone(),
            self.registry.clone(),
            self.states.clone(),
        )
    }
}

/// A worker that runs in the background. Dropping the handle leaves it running.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use jobq_worker::Worker;
/// # #[jobq::job(name = "handle.example")]
/// # async fn send_welcome(user_id: u64) {}
/// # let client = jobq::connect("memory://").await?;
/// let worker = Worker::builder(client).build()?.spawn();
/// println!("{} jobs run, {} are done", worker.stats().running, worker.stats().done);
///
/// let report = worker.shutdown().await;
/// assert_eq!(report.abandoned, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WorkerHandle {
    shared: Arc<Shared>,
    task: JoinHandle<ShutdownReport>,
}

impl WorkerHandle {
    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> WorkerStats {
        self.shared.stats()
    }

    /// What it shows to Prometheus, as OpenMetrics text of the type
    /// `application/openmetrics-text; version=1.0.0; charset=utf-8`: for a program that serves HTTP
    /// itself.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::Worker;
    /// # #[jobq::job(name = "prometheus.example")]
    /// # async fn send_welcome(user_id: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// let worker = Worker::builder(client).build()?.spawn();
    /// assert!(worker.prometheus().contains("jobq_slots 64"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "prometheus")]
    #[must_use]
    pub fn prometheus(&self) -> String {
        exposition::text::render(exposition::families(&self.shared))
    }

    /// Stops claiming, lets running jobs end within the `shutdown_timeout`, aborts the rest and
    /// gives it back; answers what could not be aborted.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, the shutdown goes on in the background.
    pub async fn shutdown(self) -> ShutdownReport {
        self.shared.shutdown.advance(Phase::Draining);
        self.task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the worker's task failed");
            ShutdownReport::default()
        })
    }
}

/// [`Worker::run_until_idle`], to be awaited.
#[derive(Debug)]
pub struct RunUntilIdle<'a> {
    worker: &'a Worker,
    max_wait: Option<Duration>,
}

impl RunUntilIdle<'_> {
    /// Gives up after this long, with [`RunError::NotIdle`], which tells what is left: jobs may be
    /// on a paused queue, of a name that nobody here knows, or delayed for days.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use jobq_worker::{RunError, Worker};
    /// # #[jobq::job(name = "max_wait.example")]
    /// # async fn send_reminder(user_id: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// send_reminder::new(7).delay(Duration::from_secs(3600)).enqueue(&client).await?;
    ///
    /// let worker = Worker::builder(client).build()?;
    /// let answer = worker.run_until_idle().max_wait(Duration::from_millis(50)).await;
    /// assert!(matches!(answer, Err(RunError::NotIdle { left, .. }) if left.delayed == 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }
}

impl<'a> IntoFuture for RunUntilIdle<'a> {
    type Output = Result<WorkerStats, RunError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            require_runtime()?;
            let shared = self.worker.share(Shutdown::new());
            let running = tokio::spawn(supervisor::supervise(shared.clone(), Leftovers::Leave));
            // Also when this future is dropped.
            let _stop = StopOnDrop(shared.shutdown.clone());
            let idle = idle::wait(&shared, self.max_wait).await;
            shared.shutdown.advance(Phase::Draining);
            let ended = running.await;
            idle?;
            if let Ok(Err(error)) = ended {
                return Err(error);
            }
            Ok(shared.stats())
        })
    }
}

/// Whoever awaits a worker with another executor is told, instead of a panic.
fn require_runtime() -> Result<(), RunError> {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(RunError::NoRuntime),
    }
}

struct StopOnDrop(Shutdown);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.advance(Phase::Draining);
    }
}
