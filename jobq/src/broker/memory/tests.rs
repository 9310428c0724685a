//! What only this broker has: its clock and its life in one process. The steps themselves are
//! held to the contract by the conformance suite of the workspace's `tests` package.

use std::time::Duration;

use super::*;
use crate::broker::{Due, Wake};

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
}
