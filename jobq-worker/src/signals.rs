//! SIGTERM and Ctrl-C: the first drains, the second gives running jobs back at once, the third
//! ends the process.

use tokio::task::JoinHandle;

use crate::error::RunError;
use crate::shutdown::{Phase, Shutdown};

/// The exit code of a process that a third signal ended: as a shell reports SIGINT.
const EXIT_INTERRUPTED: i32 = 130;

/// Listens until aborted.
pub(crate) fn listen(shutdown: Shutdown) -> Result<JoinHandle<()>, RunError> {
    let mut signals = Signals::new()?;
    Ok(tokio::spawn(async move {
        signals.next().await;
        tracing::info!("shutting down: running jobs may end; another signal gives them back");
        shutdown.advance(Phase::Draining);
        signals.next().await;
        tracing::warn!("giving running jobs back; another signal exits at once");
        shutdown.advance(Phase::Aborting);
        signals.next().await;
        std::process::exit(EXIT_INTERRUPTED);
    }))
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
