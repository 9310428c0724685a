//! Waiting for an event, never for a length of time.

use std::future::Future;
use std::time::Duration;

/// How long an event may take before the test fails. It says nothing about speed: a machine under
/// load must stay below it.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks of [`eventually`].
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Awaits `event`.
///
/// # Panics
///
/// When it has not happened within [`DEADLINE`]; `what` says what was waited for.
pub async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, event).await {
        Ok(value) => value,
        Err(_) => panic!("waited {DEADLINE:?} in vain for {what}"),
    }
}

/// Looks again and again until `look` finds something.
///
/// # Panics
///
/// When it has found nothing within [`DEADLINE`]; `what` says what was looked for.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    })
    .await
}
