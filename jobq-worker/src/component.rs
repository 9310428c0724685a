//! The one loop that drives every component: interval, backoff after errors, shutdown, span.
//! A component itself is a `tick`: one round, without sleeping.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jobq::BrokerError;
use jobq::broker::Broker;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::outage::Outage;
use crate::shared::Shared;
use crate::shutdown::Phase;

/// A background loop of a worker.
pub(crate) trait Component: Send {
    /// Its name in logs.
    const NAME: &'static str;

    /// One round. Answers how long to wait before the next at the most.
    fn tick(&mut self) -> impl Future<Output = Result<Duration, BrokerError>> + Send;

    /// Waits for what calls for a round before the time is over. Never, unless overridden.
    ///
    /// # Cancel safety
    ///
    /// Must be safe to drop.
    fn wake(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// The first wait after an error; it doubles up to [`MAX_BACKOFF`]. Short, for a connection that was
/// cut can be opened again at once.
const FIRST_BACKOFF: Duration = Duration::from_millis(10);

/// The longest wait after an error.
pub(crate) const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Runs a component until the worker has stopped.
pub(crate) async fn run<C: Component>(mut component: C, shared: Arc<Shared>) {
    let shutdown = &shared.shutdown;
    let span = tracing::debug_span!("component", component = C::NAME);
    let _told = TellsPanic(&shared);
    async {
        let mut backoff = ErrorBackoff::default();
        loop {
            let began = Instant::now();
            let wait = tokio::select! {
                biased;
                () = shutdown.reached(Phase::Stopped) => return,
                report = component.tick() => match report {
                    Ok(wait) => {
                        backoff.succeeded();
                        wait
                    }
                    Err(error) => backoff.failed(&shared.outage, C::NAME, &error, began),
                },
            };
            tokio::select! {
                biased;
                () = shutdown.reached(Phase::Stopped) => return,
                // After an error the time is the point: nothing may cut it short.
                () = component.wake(), if !backoff.is_failing() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
    .instrument(span)
    .await;
}

/// Notes that a component has panicked: nothing starts it again.
struct TellsPanic<'a>(&'a Shared);

impl Drop for TellsPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
    }
}

/// A connection of its own for `what`, as soon as there is one; `None` if the worker stops before.
pub(crate) async fn connect(shared: &Shared, what: &'static str) -> Option<Arc<dyn Broker>> {
    let connected = async {
        let mut backoff = ErrorBackoff::default();
        loop {
            let began = Instant::now();
            match shared.broker().fork().await {
                Ok(broker) => return broker,
                Err(error) => {
                    tokio::time::sleep(backoff.failed(&shared.outage, what, &error, began)).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shared.shutdown.reached(Phase::Stopped) => None,
        broker = connected => Some(broker),
    }
}

/// Growing, jittered waits after errors.
#[derive(Debug, Default)]
pub(crate) struct ErrorBackoff {
    failures: u32,
}

impl ErrorBackoff {
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Notes an error of what began then; answers how long to wait.
    pub(crate) fn failed(
        &mut self,
        outage: &Outage,
        what: &'static str,
        error: &BrokerError,
        began: Instant,
    ) -> Duration {
        outage.failed(what, error, began);
        self.failures = self.failures.saturating_add(1);
        let policy = jobq::Backoff::exponential(FIRST_BACKOFF).max_delay(MAX_BACKOFF);
        policy
            .jitter(jobq::Jitter::Equal)
            .delay(self.failures, crate::chance::draw())
    }
}
