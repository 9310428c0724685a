//! Neither a handler that blocks the threads of the runtime nor a connection that is silent can let
//! the lease lapse.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jobq::{BrokerError, BrokerErrorKind, QueueName, State, job};
use jobq_proxy::Proxy;
use support::Record;
use support::hooked::{Answer, Call, Hook, Step};
use support::jobs::{QUEUE, hog, note};
use tokio::time::Instant;

use crate::fixture::{Fixture, Ledger};
use crate::program::{Program, command};

/// Longer than elsewhere: nothing may be adopted here, however loaded the machine is. With 3 s, a
/// worker that had to open a new connection was adopted once where ten processes shared two cores.
const LEASE: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_every_thread_keeps_its_lease() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut command = command();
    command.env("TOKIO_WORKER_THREADS", "2");
    command.args(["--url", &fixture.url, "--queues", QUEUE]);
    let mut program = Program::launch(command.args(["--lease", "6s", "--renew-every", "300ms"]));
    program.wait_for_log("worker started").await;
    let hogs = (0..2).map(|n| hog::new(record.path(), format!("hog {n}"), 2 * LEASE));
    fixture.client.enqueue_all(hogs).await.unwrap();
    record.wait_for("begin hog", 2).await;
    let watcher = fixture
        .worker()
        .queues([QUEUE])
        .lease(LEASE)
        .build()
        .unwrap()
        .spawn();
    program.wait_for_log("the runtime is stalled").await;
    record.wait_for("end hog", 2).await;
    note::enqueue(&fixture.client, record.path(), "new")
        .await
        .unwrap();
    record.wait_for("end new", 1).await;
    watcher.shutdown().await;
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));
    assert_eq!(record.after("begin hog").len(), 2);
    assert!(!program.log().contains("lease lost"), "{}", program.log());
}

#[job(name = "heartbeat.long", queue = "heartbeat.long")]
async fn long(ledger: State<Ledger>) {
    ledger.write("begins");
    ledger.wait_for("may end", 1).await;
}

/// As where a firewall has lost them: no byte passes, and no end. New connections work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_connections_are_all_forgotten_keeps_its_lease() {
    let near = Fixture::redis().await;
    let proxy = Proxy::start(support::shared().address()).await.unwrap();
    let far = near.by_port(proxy.port()).await;
    let with_lease = |fixture: &Fixture| {
        let worker = fixture.worker().queues(["heartbeat.long"]).concurrency(1);
        worker.lease(LEASE).build().unwrap().spawn()
    };
    let busy = with_lease(&far);
    long::enqueue(&near.client).await.unwrap();
    near.ledger.wait_for("begins", 1).await;
    let watcher = with_lease(&near);
    let (queue, broker) = (
        QueueName::new("heartbeat.long").unwrap(),
        near.runner.broker(),
    );
    let counters = async || {
        let mut members = broker.members(&queue).await.unwrap();
        members.sort();
        members
    };
    let before = support::eventually("two members", async || {
        Some(counters().await).filter(|members| members.len() == 2)
    });
    let before = before.await;
    proxy.forget(1..=proxy.carried().connections);
    // Every 300 ms: this takes longer than a lease.
    support::eventually("renews", async || {
        let members = counters().await;
        assert_eq!(
            members.len(),
            2,
            "nobody is adopted: {members:?}, {before:?}"
        );
        let renewed = before.iter().zip(&members);
        renewed
            .map(|(before, now)| now.1 - before.1)
            .all(|times| times >= 25)
            .then_some(())
    })
    .await;
    near.ledger.write("may end");
    assert_eq!((busy.stats().stale, watcher.stats().adopted), (0, 0));
    tokio::join!(busy.shutdown(), watcher.shutdown());
    assert_eq!(near.ledger.count("begins"), 1);
}

/// From a moment on the open connection says nothing to renewals, and new ones refuse those of one
/// queue.
#[derive(Default)]
struct Trouble {
    began: AtomicBool,
    connections: AtomicU64,
    renewed: AtomicU64,
}

#[async_trait]
impl Hook for Trouble {
    async fn around(&self, call: Call) -> Answer {
        if self.began.load(Ordering::Relaxed) {
            let new = self.connections.load(Ordering::Relaxed) > 0;
            match call.step() {
                Step::Fork => drop(self.connections.fetch_add(1, Ordering::Relaxed)),
                Step::Renew(_) if !new => pending().await,
                Step::Renew(member) if member.queue.as_str() == "heartbeat.damaged" => {
                    return call.fail(|| BrokerError::new(BrokerErrorKind::Refused, "damaged"));
                }
                Step::Renew(_) => drop(self.renewed.fetch_add(1, Ordering::Relaxed)),
                _ => {}
            }
        }
        call.run().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_queue_keeps_no_other_from_being_renewed_over_a_new_connection() {
    let mut fixture = Fixture::memory().await;
    let trouble = Arc::new(Trouble::default());
    fixture.hook(&trouble);
    let worker = fixture
        .worker()
        .queues(["heartbeat.damaged", "heartbeat.sound"]);
    let handle = worker.build().unwrap().spawn();
    tokio::time::sleep(Duration::from_secs(5)).await;
    trouble.began.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(30)).await;
    // Every 300 ms.
    let renewed = trouble.renewed.load(Ordering::Relaxed);
    assert!(renewed >= 90, "{renewed}");
    assert_eq!(trouble.connections.load(Ordering::Relaxed), 1);
    handle.shutdown().await;
}

/// Once, the clock jumps while the answer to a renewal lies there unread, as where the process was
/// stopped meanwhile.
#[derive(Default)]
struct Stopped {
    stop: AtomicBool,
    renewals: Mutex<Vec<Instant>>,
}

/// Two leases.
const STOPPED_FOR: Duration = Duration::from_secs(14);

#[async_trait]
impl Hook for Stopped {
    async fn around(&self, call: Call) -> Answer {
        let is_renewal = matches!(call.step(), Step::Renew(_));
        if is_renewal {
            self.renewals.lock().unwrap().push(Instant::now());
        }
        let answer = call.run().await;
        if is_renewal && self.stop.swap(false, Ordering::Relaxed) {
            tokio::time::advance(STOPPED_FOR).await;
        }
        answer
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_is_old_is_followed_by_another_at_once() {
    let mut fixture = Fixture::memory().await;
    let stopped = Arc::new(Stopped::default());
    fixture.hook(&stopped);
    let worker = fixture.calm_worker().queues(["heartbeat.stopped"]);
    let handle = worker.build().unwrap().spawn();
    tokio::time::sleep(Duration::from_secs(9)).await;
    stopped.stop.store(true, Ordering::Relaxed);
    tokio::time::sleep(2 * STOPPED_FOR).await;
    handle.shutdown().await;
    let renewals = stopped.renewals.lock().unwrap();
    let between: Vec<_> = renewals
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis())
        .collect();
    // Every 2 s, but for the one that was stopped: 14 s, and not 16.
    assert_eq!(between.iter().max(), Some(&14_000), "{between:?}");
}
