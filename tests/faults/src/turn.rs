//! Which rows of a test binary may run at the same time.

use std::sync::LazyLock;
use std::thread;

use tokio::sync::{Semaphore, SemaphorePermit};

/// The right to use the machine, until it is dropped.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Turn(#[expect(dead_code, reason = "held")] SemaphorePermit<'static>);

static CORES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(cores() as usize));

fn cores() -> u32 {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

impl Turn {
    /// Beside others, as many as there are cores.
    ///
    /// # Panics
    ///
    /// Never.
    pub async fn shared() -> Self {
        Self::of(1).await
    }

    /// With nobody beside: for a row that judges times or adoptions.
    ///
    /// # Panics
    ///
    /// Never.
    pub async fn alone() -> Self {
        Self::of(cores()).await
    }

    async fn of(cores: u32) -> Self {
        let permit = CORES.acquire_many(cores).await;
        Self(permit.expect("it is never closed"))
    }
}
