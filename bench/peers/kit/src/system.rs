//! What a job system has to do in order to be measured.

use std::time::SystemTime;

use crate::enqueue::enqueue_in_batches;
use crate::{Args, Error};

/// How large a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Jobs that run at the same time.
    pub concurrency: u32,
    /// Connections for commands, where the system lets one choose.
    pub connections: u32,
}

/// A job system: a connected producer, and how its worker is run. Clones share what they can.
pub trait System: Clone + Send + Sync + 'static {
    /// Connects a producer, of which at most `width` calls run at the same time.
    fn connect(url: &str, width: u32) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Enqueues one job.
    fn enqueue(&mut self, args: Args) -> impl Future<Output = Result<(), Error>> + Send;

    /// Enqueues one job that is not to start before `due`.
    fn enqueue_at(
        &mut self,
        due: SystemTime,
        args: Args,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Enqueues many jobs by one call; an error where the system has no such call.
    fn enqueue_all(&mut self, jobs: Vec<Args>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Enqueues `count` jobs for a drain, the quickest way that works.
    fn fill(&mut self, count: u64) -> impl Future<Output = Result<(), Error>> + Send {
        enqueue_in_batches(self, 0..count, 1000)
    }

    /// Runs a worker whose handler calls [`handle`](crate::handle) and nothing else, until the process ends.
    fn work(url: &str, pool: Pool) -> impl Future<Output = Result<(), Error>> + Send;
}
