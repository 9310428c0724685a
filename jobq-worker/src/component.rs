//! The one loop that drives every component: interval, backoff after errors, shutdown, span.
//! A component itself is a `tick`: one round, without sleeping.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jobq::BrokerError;
use tracing::Instrument as _;

use crate::shutdown::{Phase, Shutdown};

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

/// The first wait after an error; it doubles up to [`MAX_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(100);

/// The longest wait after an error.
pub(crate) const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Runs a component until the worker has stopped.
pub(crate) async fn run<C: Component>(mut component: C, shutdown: Shutdown) {
    let span = tracing::debug_span!("component", name = C::NAME);
    async {
        let mut backoff = Backoff::default();
        loop {
            let wait = tokio::select! {
                () = shutdown.reached(Phase::Stopped) => return,
                report = component.tick() => match report {
                    Ok(wait) => {
                        backoff.succeeded(C::NAME);
                        wait
                    }
                    Err(error) => backoff.failed(C::NAME, &error),
                },
            };
            tokio::select! {
                () = shutdown.reached(Phase::Stopped) => return,
                () = tokio::time::sleep(wait) => {}
                // After an error the time is the point: nothing may cut it short.
                () = component.wake(), if !backoff.is_failing() => {}
            }
        }
    }
    .instrument(span)
    .await;
}

/// Growing, jittered waits after errors.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(crate) fn succeeded(&mut self, what: &'static str) {
        if self.failures > 0 {
            tracing::info!(
                component = what,
                failures = self.failures,
                "the broker answers again"
            );
            *self = Self::default();
        }
    }

    /// Notes an error; answers how long to wait.
    pub(crate) fn failed(&mut self, what: &'static str, error: &BrokerError) -> Duration {
        complain(what, error);
        self.failures = self.failures.saturating_add(1);
        let policy = jobq::Backoff::exponential(FIRST_BACKOFF).max_delay(MAX_BACKOFF);
        policy
            .jitter(jobq::Jitter::Equal)
            .delay(self.failures, crate::executor::draw())
    }
}

/// Logs that the broker failed: at most a line a second, however many components it fails.
pub(crate) fn complain(what: &'static str, error: &BrokerError) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() >= Duration::from_secs(1)) {
        *last = Some(Instant::now());
        let error = crate::telemetry::chain(error);
        tracing::warn!(component = what, error, "the broker failed; trying again");
    }
}
