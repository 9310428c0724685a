//! A client, a ledger in which handlers write down what happens, and workers that are quick to
//! notice a death.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobq::{Client, DeadJob, Queue};
use jobq_worker::{Worker, WorkerBuilder};
use support::hooked::{Hook, Hooked};
use support::{DEADLINE, RedisServer, Role};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A lease as short as a loaded machine allows, for tests in which a worker dies.
pub(crate) const LEASE: Duration = Duration::from_millis(1500);

/// What goes with [`LEASE`].
pub(crate) const RENEW_EVERY: Duration = Duration::from_millis(300);

/// A broker that nobody else uses, a client for each role that Redis knows, each with the
/// documented rights of its user and no others, and a ledger.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    /// A producer's: it enqueues.
    pub(crate) client: Client,
    /// A worker's: it runs jobs, and enqueues.
    pub(crate) runner: Client,
    /// An operator's: it looks in and intervenes.
    pub(crate) operator: Client,
    pub(crate) ledger: Ledger,
    /// How another worker finds the broker.
    pub(crate) url: String,
}

impl Fixture {
    pub(crate) async fn memory() -> Self {
        let url = "memory://";
        let client = connect(url).await;
        Self {
            runner: client.clone(),
            operator: client.clone(),
            client,
            ledger: Ledger::default(),
            url: url.to_owned(),
        }
    }

    pub(crate) async fn redis() -> Self {
        let (url, namespace) = (support::shared().url(), support::namespace());
        Self::at(&format!("{url}?namespace={namespace}")).await
    }

    /// On a server of the test's own.
    pub(crate) async fn on(server: &RedisServer) -> Self {
        Self::at(&server.url()).await
    }

    /// By the URL, without a user, of a server of tests or of a way to one.
    pub(crate) async fn at(url: &str) -> Self {
        // What the test itself asks may take as long as a busy machine makes it; what workers ask has
        // the time that users give them.
        let patient = async |role: Role| {
            let builder = Client::builder(role.log_in(url)).timeout(DEADLINE);
            builder.connect().await.expect("the broker answers")
        };
        Self {
            client: patient(Role::Producer).await,
            runner: connect(&Role::Worker.log_in(url)).await,
            operator: patient(Role::Operator).await,
            ledger: Ledger::default(),
            url: Role::Worker.log_in(url),
        }
    }

    /// The same place and ledger on the shared server, by way of a port where each connection of a
    /// client is handed to `pass` with one to the server.
    pub(crate) async fn by_way_of<P: Future<Output = ()> + Send + 'static>(
        &self,
        pass: impl Fn(TcpStream, TcpStream) -> P + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (to, at) = (support::shared().port(), listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                tokio::spawn(pass(client, server));
            }
        });
        self.by_port(at.port()).await
    }

    /// The same place and ledger on the shared server, by way of a port of loopback.
    pub(crate) async fn by_port(&self, port: u16) -> Self {
        let url = Role::Worker.log_out(&self.url);
        let url = url.replace(&support::shared().port().to_string(), &port.to_string());
        Self {
            ledger: self.ledger.clone(),
            ..Self::at(&url).await
        }
    }

    /// Has each step of its workers pass this.
    pub(crate) fn hook<H: Hook>(&mut self, hook: &Arc<H>) {
        let broker = Hooked::new(self.runner.broker().clone(), hook.clone());
        self.runner = Client::with_broker(Arc::new(broker));
    }

    /// A worker with whatever the jobs of this binary need.
    pub(crate) fn worker(&self) -> WorkerBuilder {
        Worker::builder(self.runner.clone())
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
        self.operator.queue(name).expect("the name is legal")
    }

    /// Runs until nothing is left, for months if need be: where time is virtual.
    pub(crate) async fn run_for_months(&self) -> jobq_worker::WorkerStats {
        // Its heartbeats would be most of what there is to do.
        let worker = self.worker().lease(Duration::from_secs(3600));
        let worker = worker.renew_every(Duration::from_secs(1500)).build();
        run_for_months(&worker.expect("the worker is sound")).await
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

async fn connect(url: &str) -> Client {
    jobq::connect(url).await.expect("the broker answers")
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
    counts: Mutex<HashMap<String, usize>>,
    written: Notify,
}

impl Ledger {
    pub(crate) fn write(&self, line: impl Into<String>) {
        let line = line.into();
        let mut lines = self.0.lines.lock().expect("no writer panics");
        lines.push(line.clone());
        drop(lines);
        // Last: who has waited for it finds it among the lines.
        let mut counts = self.0.counts.lock().expect("no writer panics");
        *counts.entry(line).or_default() += 1;
        drop(counts);
        self.0.written.notify_waiters();
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lines.lock().expect("no writer panics").clone()
    }

    /// How often a line was written.
    pub(crate) fn count(&self, line: &str) -> usize {
        let counts = self.0.counts.lock().expect("no writer panics");
        counts.get(line).copied().unwrap_or_default()
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
        if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
            panic!(
                "waited in vain for {what} in the ledger: {:?}",
                self.lines()
            );
        }
    }
}
