//! What only this broker has: its clock and its life in one process. The steps themselves are
//! held to the contract by the conformance suite of the workspace's `tests` package.

use std::time::Duration;

use futures_util::FutureExt;

use super::*;
use crate::broker::{Due, TIMEKEEPER_TTL, Wake};

fn queue() -> QueueName {
    QueueName::new("q").unwrap()
}

#[test]
fn a_broker_needs_no_runtime_to_tell_the_time() {
    let broker = MemoryBroker::new();
    let wall = At::from(SystemTime::now());
    let minute = Duration::from_secs(60);
    assert!(broker.now().since(wall) < minute && wall.since(broker.now()) < minute);
}

#[tokio::test(start_paused = true)]
async fn paused_time_moves_its_clock() {
    let broker = MemoryBroker::new();
    let before = broker.now();
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(broker.now().since(before), Duration::from_secs(3600));
}

#[tokio::test(start_paused = true)]
async fn a_delay_of_hours_ends_in_virtual_time() {
    let broker = MemoryBroker::new();
    let entry = Entry {
        envelope: Bytes::from_static(b"a"),
        due: Due::After(Duration::from_secs(7200)),
    };
    broker.enqueue(&queue(), &[entry]).await.unwrap();
    let worker = WorkerId::random();
    assert_eq!(broker.promote(&queue(), &worker).await.unwrap().moved, 0);
    tokio::time::sleep(Duration::from_secs(7200)).await;
    assert_eq!(broker.promote(&queue(), &worker).await.unwrap().moved, 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_times_out_in_virtual_time() {
    let broker = MemoryBroker::new();
    let waiter = broker.waiter(&queue(), &WorkerId::random());
    let hour = Duration::from_secs(3600);
    assert_eq!(waiter.wait(hour).await.unwrap(), Wake::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_takes_no_job() {
    let broker = MemoryBroker::new();
    let waiter = broker.waiter(&queue(), &WorkerId::random());
    let short = Duration::from_millis(1);
    let wait = waiter.wait(Duration::from_secs(3600));
    assert!(tokio::time::timeout(short, wait).await.is_err());
    let entry = Entry {
        envelope: Bytes::from_static(b"a"),
        due: Due::Now,
    };
    broker.enqueue(&queue(), &[entry]).await.unwrap();
    assert_eq!(broker.stats(&queue()).await.unwrap().ready, 1);
}

#[tokio::test(start_paused = true)]
async fn the_due_signal_tells_of_an_earlier_first_and_of_nothing_else() {
    let broker = MemoryBroker::new();
    let signal = broker.due_signal(&queue());
    let heard = || signal.notified().now_or_never().is_some();
    for (name, hours, earlier) in [
        ("b", 5, true),
        ("c", 6, false),
        ("d", 5, false),
        ("a", 4, true),
    ] {
        let entry = Entry {
            envelope: Bytes::from_static(name.as_bytes()),
            due: Due::After(Duration::from_secs(hours * 3600)),
        };
        broker.enqueue(&queue(), &[entry]).await.unwrap();
        assert_eq!(heard(), earlier, "{name}");
    }
    tokio::time::advance(Duration::from_secs(4 * 3600)).await;
    let worker = WorkerId::random();
    assert_eq!(broker.promote(&queue(), &worker).await.unwrap().moved, 1);
    assert!(!heard(), "the next is due later");
}

#[tokio::test(start_paused = true)]
async fn an_office_ends_when_its_time_is_over() {
    let broker = MemoryBroker::new();
    let [first, second] = [WorkerId::random(), WorkerId::random()];
    let in_office = async |worker| broker.promote(&queue(), worker).await.unwrap().timekeeper;
    assert!(in_office(&first).await);
    let almost = TIMEKEEPER_TTL - Duration::from_millis(1);
    tokio::time::advance(almost).await;
    assert!(!in_office(&second).await);
    tokio::time::advance(TIMEKEEPER_TTL - almost).await;
    assert!(in_office(&second).await);
}

#[tokio::test]
async fn a_fork_is_the_same_store() {
    let broker = MemoryBroker::new();
    let fork = broker.fork().await.unwrap();
    fork.pause(&queue()).await.unwrap();
    assert!(broker.stats(&queue()).await.unwrap().paused);
}

#[tokio::test]
async fn it_says_what_it_is() {
    let broker = MemoryBroker::new();
    assert_eq!(broker.describe(), "memory://");
    assert!(broker.is_in_process());
    assert!(broker.warnings().await.unwrap().is_empty());
    assert_eq!(format!("{broker:?}"), "MemoryBroker { .. }");
}

#[tokio::test]
async fn a_snapshot_shows_of_each_worker_what_it_owns() {
    let broker = MemoryBroker::new();
    let [waits, claims] = [WorkerId::random(), WorkerId::random()];
    let [handed, claimed] = [&b"a"[..], b"b"].map(Bytes::from_static);
    let entries = [&handed, &claimed].map(|envelope| Entry {
        envelope: envelope.clone(),
        due: Due::Now,
    });
    broker.enqueue(&queue(), &entries).await.unwrap();
    let waiter = broker.waiter(&queue(), &waits);
    assert_eq!(waiter.wait(Duration::ZERO).await.unwrap(), Wake::Handed);
    let claim = Claim {
        member: Member {
            queue: queue(),
            worker: claims.clone(),
            known: 0,
        },
        max: 1,
        suspect: false,
    };
    broker.round(&[], Some(&claim)).await;
    let token = Token { claim: 1, index: 1 };
    let expected = Snapshot {
        handoffs: [(waits, vec![handed])].into(),
        in_flight: [(claims.clone(), [(token, claimed)].into())].into(),
        members: [(claims, 1)].into(),
        ..Snapshot::default()
    };
    assert_eq!(broker.snapshot(&queue()), expected);
}
