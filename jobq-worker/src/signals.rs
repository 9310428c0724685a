//! SIGTERM and Ctrl-C: the first drains, the second gives running jobs back at once, the third
//! ends the process.

use tokio::task::JoinHandle;

use crate::error::RunError;
use crate::shutdown::{Phase, Shutdown};

/// The exit code of a process that a third signal ended: as a shell reports SIGINT.
const EXIT_INTERRUPTED: i32 = 130;

/// Ends at the first SIGTERM or Ctrl-C: for what is to stop together with a [`Worker::spawn`]ed
/// worker, such as a server.
///
/// It listens from the call on, not only once it is awaited. From then on these signals no longer
/// end the process by themselves, also after this future has ended or was dropped.
///
/// ```no_run
/// # async fn serve_until(stop: impl Future<Output = ()>) {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let client = jobq::connect("memory://").await?;
/// let stop = jobq_worker::shutdown_signal()?;
/// let worker = jobq_worker::Worker::builder(client).build()?.spawn();
///
/// serve_until(stop).await; // axum: serve(listener, app).with_graceful_shutdown(stop)
/// worker.shutdown().await; // last, for requests may still enqueue
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`RunError::System`] when the operating system refuses a signal handler.
///
/// # Panics
///
/// Outside a tokio runtime.
///
/// [`Worker::spawn`]: crate::Worker::spawn
pub fn shutdown_signal() -> Result<impl Future<Output = ()> + Send + 'static, RunError> {
    let mut signals = Signals::new()?;
    Ok(async move { signals.next().await })
}

/// Who listens; no longer once this is dropped.
#[derive(Debug)]
pub(crate) struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Listens until what it answers is dropped.
pub(crate) fn listen(shutdown: Shutdown) -> Result<Listener, RunError> {
    let mut signals = Signals::new()?;
    let listening = tokio::spawn(async move {
        signals.next().await;
        tracing::info!("shutting down: running jobs may end; another signal gives them back");
        shutdown.advance(Phase::Draining);
        signals.next().await;
        tracing::warn!("giving running jobs back; another signal exits at once");
        shutdown.advance(Phase::Aborting);
        signals.next().await;
        std::process::exit(EXIT_INTERRUPTED);
    });
    Ok(Listener(listening))
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, RunError> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind, what| signal(kind).map_err(|source| RunError::System { what, source });
        Ok(Self {
            terminate: listen(SignalKind::terminate(), "a handler for SIGTERM")?,
            interrupt: listen(SignalKind::interrupt(), "a handler for SIGINT")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, RunError> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
