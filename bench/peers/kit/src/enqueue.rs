//! Enqueueing against the clock.

use std::fmt;
use std::ops::Range;
use std::time::Instant;

use tokio::task::JoinSet;

use crate::{Args, Error, System};

/// How jobs are enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One after the other.
    Sequential,
    /// So many calls at the same time.
    AtOnce(u32),
    /// So many jobs a call, one call after the other.
    Bulk(u32),
}

impl Way {
    pub(crate) fn calls_at_once(self) -> u32 {
        match self {
            Self::AtOnce(width) => width,
            Self::Sequential | Self::Bulk(_) => 1,
        }
    }
}

/// As the command line has it.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequential => f.write_str("seq"),
            Self::AtOnce(_) => f.write_str("conc"),
            Self::Bulk(_) => f.write_str("bulk"),
        }
    }
}

/// Enqueues `count` jobs and answers how many a second. The first job, which opens connections and loads
/// scripts, is outside the clock.
pub(crate) async fn rate<S: System>(url: &str, way: Way, count: u64) -> Result<f64, Error> {
    let mut system = S::connect(url, way.calls_at_once()).await?;
    system.enqueue(Args::now(0)).await?;
    let ids = 1..count;
    let start = Instant::now();
    match way {
        Way::Sequential => enqueue_each(&mut system, ids, 1).await?,
        Way::AtOnce(width) => enqueue_at_once(&system, ids, width).await?,
        Way::Bulk(width) => enqueue_in_batches(&mut system, ids, width).await?,
    }
    let timed = count.saturating_sub(1);
    Ok(timed as f64 / start.elapsed().as_secs_f64())
}

/// Enqueues jobs with `width` calls at the same time.
///
/// # Errors
///
/// The first that a call meets.
pub async fn enqueue_at_once<S: System>(
    system: &S,
    ids: Range<u64>,
    width: u32,
) -> Result<(), Error> {
    let mut calls = JoinSet::new();
    for first in ids.clone().take(width as usize) {
        let mut system = system.clone();
        let ids = first..ids.end;
        calls.spawn(async move { enqueue_each(&mut system, ids, width as usize).await });
    }
    while let Some(ended) = calls.join_next().await {
        ended??;
    }
    Ok(())
}

/// Enqueues jobs in calls of `size` jobs, one after the other.
///
/// # Errors
///
/// The first that a call meets.
pub async fn enqueue_in_batches<S: System>(
    system: &mut S,
    ids: Range<u64>,
    size: u32,
) -> Result<(), Error> {
    for first in ids.clone().step_by(size as usize) {
        let last = ids.end.min(first + u64::from(size));
        system
            .enqueue_all((first..last).map(Args::now).collect())
            .await?;
    }
    Ok(())
}

async fn enqueue_each<S: System>(
    system: &mut S,
    ids: Range<u64>,
    step: usize,
) -> Result<(), Error> {
    for id in ids.step_by(step) {
        system.enqueue(Args::now(id)).await?;
    }
    Ok(())
}
