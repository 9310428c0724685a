//! Waiters and due signals.

use super::fixture::*;

#[tokio::test]
async fn a_plain_lpush_wakes_a_waiter_and_is_claimed_from_the_handoff() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let waiter = broker.waiter(&queue(), &worker());
    let waiting = tokio::spawn(async move { waiter.wait(DEADLINE).await });
    someone_waits(&server).await;
    ask(&server, &["LPUSH", "jobq:{mail}:ready", "foreign"]).await;
    assert_eq!(waiting.await.unwrap().unwrap(), Wake::Handed);
    assert_eq!(granted(&broker, &claim(0, 5)).await.envelopes, ["foreign"]);
}

#[tokio::test]
async fn an_interrupt_ends_a_wait_under_way_and_one_about_to_begin() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let waiter = broker.waiter(&queue(), &worker());
    let waiting = tokio::spawn({
        let waiter = waiter.clone();
        async move { waiter.wait(Duration::from_secs(3600)).await }
    });
    someone_waits(&server).await;
    waiter.interrupt().await.unwrap();
    let ended = within("the end of the wait", waiting).await;
    assert_eq!(ended.unwrap().unwrap(), Wake::TimedOut);

    waiter.interrupt().await.unwrap();
    let wait = waiter.wait(Duration::from_secs(3600));
    let ended = within("the end of the wait", wait).await;
    assert_eq!(ended.unwrap(), Wake::TimedOut);

    // And it waits again.
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Handed);
}

#[tokio::test]
async fn waiting_ends_at_its_time() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let waiter = broker.waiter(&queue(), &worker());
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        assert_eq!(waiter.wait(timeout).await.unwrap(), Wake::TimedOut);
    }
}

#[tokio::test]
async fn a_new_first_of_delayed_is_told() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let signal = broker.due_signal(&queue());
    within("the signal that it listens", signal.notified()).await;
    broker.enqueue(&queue(), &[later("a")]).await.unwrap();
    tokio::time::timeout(DEADLINE, signal.notified())
        .await
        .unwrap();
}

/// As no test takes: neither the end of a call nor that of a wait comes to help.
const LONG: Duration = DEADLINE.saturating_mul(10);

/// As that of a worker which was busy for a while, and which a firewall has forgotten meanwhile.
#[tokio::test]
async fn a_wait_is_not_trusted_to_a_connection_that_was_silent_and_does_not_answer() {
    let server = RedisServer::start();
    let (proxy, far) = broker_by_way(&server, LONG).await;
    let waiter = far.waiter(&queue(), &worker());
    assert_eq!(waiter.wait(Duration::ZERO).await.unwrap(), Wake::TimedOut);
    // The silence itself.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    proxy.forget(1..=proxy.carried().connections);
    let waiting = tokio::spawn(async move { waiter.wait(LONG).await });
    let near = broker_on(&server).await;
    near.enqueue(&queue(), &[now("a")]).await.unwrap();
    let woken = within("the job", waiting).await;
    assert_eq!(woken.unwrap().unwrap(), Wake::Handed);
}

#[tokio::test]
async fn a_wait_that_is_over_and_not_answered_is_given_up_long_before_a_call() {
    let server = RedisServer::start();
    let (proxy, far) = broker_by_way(&server, LONG).await;
    let waiter = far.waiter(&queue(), &worker());
    let waiting = tokio::spawn(async move { waiter.wait(Duration::from_millis(500)).await });
    someone_waits(&server).await;
    proxy.forget(1..=proxy.carried().connections);
    let ended = within("the end of the wait", waiting).await;
    let error = ended.unwrap().unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Timeout);
}
