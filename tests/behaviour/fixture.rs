//! A client, a ledger in which handlers write down what happens, and workers that are quick to
//! notice a death.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobq::{Client, Queue};
use jobq_worker::{Worker, WorkerBuilder};
use tokio::sync::Notify;

/// A lease as short as a loaded machine allows, for tests in which a worker dies.
pub(crate) const LEASE: Duration = Duration::from_millis(1500);

/// What goes with [`LEASE`].
pub(crate) const RENEW_EVERY: Duration = Duration::from_millis(300);

/// A broker that nobody else uses, and a ledger.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) client: Client,
    pub(crate) ledger: Ledger,
    /// How another process finds the broker.
    pub(crate) url: String,
}

impl Fixture {
    pub(crate) async fn memory() -> Self {
        Self::connect("memory://".to_owned()).await
    }

    pub(crate) async fn redis() -> Self {
        let (url, namespace) = (support::shared().url(), support::namespace());
        Self::connect(format!("{url}?namespace={namespace}")).await
    }

    pub(crate) async fn connect(url: String) -> Self {
        let client = jobq::connect(&url).await.expect("the broker answers");
        Self {
            client,
            ledger: Ledger::default(),
            url,
        }
    }

    /// A worker with whatever the jobs of this binary need.
    pub(crate) fn worker(&self) -> WorkerBuilder {
        Worker::builder(self.client.clone())
            .state(self.ledger.clone())
            .lease(LEASE)
            .renew_every(RENEW_EVERY)
    }

    pub(crate) fn queue(&self, name: &str) -> Queue {
        self.client.queue(name).expect("the name is legal")
    }

    /// Runs until nothing is left.
    pub(crate) async fn run_until_idle(&self) -> jobq_worker::WorkerStats {
        let worker = self.worker().build().expect("the worker is sound");
        let idle = worker.run_until_idle();
        support::within("the queue to be empty", async { idle.await })
            .await
            .expect("it runs")
    }
}

/// What handlers wrote down, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    lines: Mutex<Vec<String>>,
    written: Notify,
}

impl Ledger {
    pub(crate) fn write(&self, line: impl Into<String>) {
        self.0
            .lines
            .lock()
            .expect("no writer panics")
            .push(line.into());
        self.0.written.notify_waiters();
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lines.lock().expect("no writer panics").clone()
    }

    /// How often a line was written.
    pub(crate) fn count(&self, line: &str) -> usize {
        let lines = self.0.lines.lock().expect("no writer panics");
        lines.iter().filter(|written| *written == line).count()
    }

    /// Waits until a line was written so many times.
    pub(crate) async fn wait_for(&self, line: &str, times: usize) {
        let what = format!("{times} × {line:?} in the ledger");
        support::within(&what, async {
            loop {
                let written = self.0.written.notified();
                if self.count(line) >= times {
                    return;
                }
                written.await;
            }
        })
        .await;
    }
}
