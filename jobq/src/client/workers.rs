//! The workers of a namespace: who they are, and orders to them.

use super::Client;
use crate::broker::Order;
use crate::error::InspectError;
use crate::id::WorkerId;
use crate::inspect::WorkerInfo;

/// The most workers that [`Client::workers`] answers.
const MAX_WORKERS: usize = 10_000;

impl Client {
    /// The workers that were heard of lately, by host, process and start; one that has died stays among
    /// them for a minute or two ([`WorkerInfo::is_lost`]). At most 10,000.
    ///
    /// A worker tells of itself with each heartbeat, every 2 s unless it was set otherwise: what
    /// stands here may be as old as that.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// for worker in client.workers().await? {
    ///     println!("{} on {}: {} jobs run", worker.id, worker.host, worker.slots_used);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn workers(&self) -> Result<Vec<WorkerInfo>, InspectError> {
        let (mut workers, mut cursor) = (Vec::new(), 0);
        loop {
            let (next, found) = self.broker().registered(cursor).await?;
            let now = self.now();
            workers.extend(found.iter().filter_map(|one| WorkerInfo::new(one, now)));
            if next == 0 || workers.len() >= MAX_WORKERS {
                break;
            }
            cursor = next;
        }
        workers.sort_by(|a, b| {
            let key = |worker: &WorkerInfo| (worker.pid, worker.started_at);
            (&a.host, key(a), &a.id).cmp(&(&b.host, key(b), &b.id))
        });
        // A scan may give a worker twice.
        workers.dedup_by(|a, b| a.id == b.id);
        workers.truncate(MAX_WORKERS);
        Ok(workers)
    }

    /// Orders a worker to take no more jobs and to finish those it has. It goes on running until it is
    /// stopped. It sees the order with its next heartbeat. Answers whether there is such a worker.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = jobq::connect("memory://").await?;
    /// for worker in client.workers().await? {
    ///     client.quiet(&worker.id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn quiet(&self, worker: &WorkerId) -> Result<bool, InspectError> {
        Ok(self.broker().order(worker, Order::Quiet).await?)
    }

    /// Orders a worker to shut down as it does on SIGTERM: it takes no more jobs, lets those it has end
    /// within its shutdown timeout, and gives the rest back. A worker process exits then; one that is
    /// embedded ends, and its program goes on. It sees the order with its next heartbeat. Answers
    /// whether there is such a worker.
    ///
    /// # Errors
    ///
    /// [`InspectError::Broker`].
    pub async fn stop(&self, worker: &WorkerId) -> Result<bool, InspectError> {
        Ok(self.broker().order(worker, Order::Stop).await?)
    }
}
