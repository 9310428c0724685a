//! A client, a ledger in which handlers write down what happens, and workers that are quick to
//! notice a death.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobq::{Client, DeadJob, Queue};
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

    /// The same with the lease that workers have by default, which no busy machine lets lapse: for
    /// tests in which no worker dies.
    pub(crate) fn calm_worker(&self) -> WorkerBuilder {
        let worker = self.worker().lease(Duration::from_secs(7));
        worker.renew_every(Duration::from_secs(2))
    }

    pub(crate) fn queue(&self, name: &str) -> Queue {
        self.client.queue(name).expect("the name is legal")
    }

    /// Runs until nothing is left, for months if need be: where time is virtual.
    pub(crate) async fn run_for_months(&self) -> jobq_worker::WorkerStats {
        let worker = self.calm_worker().build().expect("the worker is sound");
        run_for_months(&worker).await
    }

    /// The dead jobs of the queue `default`, newest first.
    pub(crate) async fn dead(&self) -> Vec<DeadJob> {
        let dead = self.queue("default").dead();
        dead.list(0, 1000).await.expect("the broker answers")
    }

    /// The dead job, where there must be one.
    pub(crate) async fn only_dead(&self) -> DeadJob {
        let mut dead = self.dead().await;
        assert_eq!(dead.len(), 1, "one job is dead: {dead:?}");
        dead.remove(0)
    }

    /// Runs until nothing is left.
    pub(crate) async fn run_until_idle(&self) -> jobq_worker::WorkerStats {
        let worker = self.calm_worker().build().expect("the worker is sound");
        let idle = worker.run_until_idle();
        support::within("the queue to be empty", async { idle.await })
            .await
            .expect("it runs")
    }
}

/// Runs a worker until nothing is left, for months if need be: where time is virtual.
pub(crate) async fn run_for_months(worker: &Worker) -> jobq_worker::WorkerStats {
    const MONTHS: Duration = Duration::from_secs(100 * 24 * 3600);
    let idle = worker.run_until_idle().max_wait(MONTHS);
    idle.await.expect("nothing is left")
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
        let what = format!("{times} × {line:?}");
        self.wait_until(&what, || self.count(line) >= times).await;
    }

    /// Waits until so many lines were written, whatever they say.
    pub(crate) async fn wait_for_lines(&self, times: usize) {
        self.wait_until(&format!("{times} lines"), || self.lines().len() >= times)
            .await;
    }

    async fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let waiting = async {
            loop {
                let written = self.0.written.notified();
                if done() {
                    return;
                }
                written.await;
            }
        };
        if tokio::time::timeout(support::DEADLINE, waiting)
            .await
            .is_err()
        {
            panic!(
                "waited in vain for {what} in the ledger: {:?}",
                self.lines()
            );
        }
    }
}
