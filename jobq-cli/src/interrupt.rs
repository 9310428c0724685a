//! Ctrl-C and SIGTERM: the first asks the command to end where it can say how far it came, the
//! second ends it.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::failure::EXIT_JOB;

/// Whether the command was asked to end.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    asked: Arc<watch::Sender<bool>>,
}

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn listen() -> io::Result<Self> {
        let interrupt = Self {
            asked: Arc::new(watch::channel(false).0),
        };
        let mut signals = Signals::new()?;
        let asked = Arc::clone(&interrupt.asked);
        tokio::spawn(async move {
            signals.next().await;
            asked.send_replace(true);
            signals.next().await;
            std::process::exit(EXIT_JOB.into());
        });
        Ok(interrupt)
    }

    /// Whether it was asked to end.
    pub(crate) fn is_set(&self) -> bool {
        *self.asked.borrow()
    }

    /// What this comes to, or nothing if the command is asked to end before: then it is dropped where it
    /// is, which does no harm to what only looks.
    pub(crate) async fn before<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.reached() => None,
            done = work => Some(done),
        }
    }

    /// Waits until it is.
    pub(crate) async fn reached(&self) {
        let mut asked = self.asked.subscribe();
        // It cannot be closed: this holds the sender.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
