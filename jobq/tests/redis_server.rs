//! What only the broker on a Redis server has: scripts that are forgotten, connections that are
//! lost, servers that refuse. What every broker must do is in the conformance suite.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[path = "redis_server/server.rs"]
mod server;

use std::time::Duration;

use bytes::Bytes;
use jobq::broker::redis::{RedisBroker, RedisConfig};
use jobq::broker::{
    Action, Broker, Claim, Claimed, DeadCaps, Due, Entry, Grant, Inspect, Member, Renewed, Settle,
    Settlement, Wake,
};
use jobq::{BrokerErrorKind, ConnectError, QueueName, Token, WorkerId};
use redis::Value;

use server::{DEADLINE, Server, dynamic};

fn queue() -> QueueName {
    QueueName::new("mail").unwrap()
}

fn worker() -> WorkerId {
    WorkerId::from_stored("w1")
}

fn now(text: &str) -> Entry {
    Entry {
        envelope: Bytes::copy_from_slice(text.as_bytes()),
        due: Due::Now,
    }
}

fn later(text: &str) -> Entry {
    Entry {
        due: Due::After(Duration::from_secs(3600)),
        ..now(text)
    }
}

fn claim(known: u64, max: u32) -> Claim {
    Claim {
        member: Member {
            queue: queue(),
            worker: worker(),
            known,
        },
        max,
        suspect: false,
    }
}

fn acks(claim: u64, indices: impl IntoIterator<Item = u32>) -> Settle {
    let acks = indices.into_iter().map(|index| Settlement {
        token: Token { claim, index },
        action: Action::Ack,
    });
    Settle {
        queue: queue(),
        worker: worker(),
        resent: false,
        caps: DeadCaps::default(),
        settlements: acks.collect(),
    }
}

async fn granted(broker: &RedisBroker, request: &Claim) -> Grant {
    match dynamic(broker).claim(request).await.unwrap() {
        Claimed::Granted(grant) => grant,
        Claimed::Reaped => panic!("reaped"),
    }
}

fn bulk(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again_within_a_pipeline() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    let jobs: Vec<Entry> = (0..40).map(|i| now(&format!("job {i}"))).collect();
    broker.enqueue(&queue(), &jobs).await.unwrap();
    let mut known = 0;
    for _ in 0..10 {
        let grant = granted(&broker, &claim(known, 2)).await;
        assert_eq!(grant.envelopes.len(), 2);
        // Only settle is known, then only claim, then neither.
        server.ask(&["SCRIPT", "FLUSH"]).await;
        if grant.counter % 3 == 0 {
            dynamic(&broker).settle(acks(99, [1])).await.unwrap();
        }
        if grant.counter % 3 == 1 {
            broker.renew(&claim(grant.counter, 0).member).await.unwrap();
        }
        let settle = [acks(grant.counter, [1]), acks(grant.counter, [2, 3])];
        let answer = broker.round(&settle, Some(&claim(grant.counter, 2))).await;
        let accepted: Vec<_> = answer
            .settles
            .into_iter()
            .map(|s| s.unwrap().accepted)
            .collect();
        assert_eq!(accepted, [vec![true], vec![true, false]]);
        let Some(Ok(Claimed::Granted(next))) = answer.claim else {
            panic!("{:?}", answer.claim);
        };
        assert_eq!(next.envelopes.len(), 2);
        known = next.counter;
        dynamic(&broker).settle(acks(known, [1, 2])).await.unwrap();
    }
    let counts = broker.stats(&queue()).await.unwrap();
    assert_eq!((counts.ready, counts.in_flight), (0, 0));
}

#[tokio::test]
async fn keys_are_named_as_documented() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    let dead = Settlement {
        token: Token { claim: 1, index: 1 },
        action: Action::Bury {
            record: Bytes::from_static(b"dead"),
        },
    };
    let jobs = [now("a"), now("b"), now("c"), later("d")];
    broker.enqueue(&queue(), &jobs).await.unwrap();
    assert_eq!(granted(&broker, &claim(0, 2)).await.envelopes, ["a", "b"]);
    let mut settle = acks(1, []);
    settle.settlements.push(dead);
    dynamic(&broker).settle(settle).await.unwrap();
    broker.promote(&queue(), &worker()).await.unwrap();
    let waiter = broker.waiter(&queue(), &worker());
    assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Handed);
    let Value::Array(found) = server.ask(&["KEYS", "*"]).await else {
        panic!("no list of keys");
    };
    let mut keys: Vec<String> = found
        .iter()
        .map(|key| match key {
            Value::BulkString(key) => String::from_utf8(key.clone()).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    keys.sort();
    let expected = [
        "jobq:queues",
        "jobq:{mail}:dead",
        "jobq:{mail}:delayed",
        "jobq:{mail}:handoff:w1",
        "jobq:{mail}:inflight:w1",
        "jobq:{mail}:meta",
        "jobq:{mail}:timekeeper",
        "jobq:{mail}:workers",
    ];
    assert_eq!(keys, expected);
    let record = server
        .ask(&["HGET", "jobq:{mail}:inflight:w1", "1.2"])
        .await;
    assert_eq!(record, bulk("b"));
    assert_eq!(broker.queues().await.unwrap(), [queue()]);
}

#[tokio::test]
async fn a_plain_lpush_wakes_a_waiter_and_is_claimed_from_the_handoff() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    let waiter = broker.waiter(&queue(), &worker());
    let waiting = tokio::spawn(async move { waiter.wait(DEADLINE).await });
    server.until(&["CLIENT", "LIST"], is_blocked).await;
    server.ask(&["LPUSH", "jobq:{mail}:ready", "foreign"]).await;
    assert_eq!(waiting.await.unwrap().unwrap(), Wake::Handed);
    assert_eq!(granted(&broker, &claim(0, 5)).await.envelopes, ["foreign"]);
}

fn is_blocked(clients: &Value) -> bool {
    match clients {
        Value::VerbatimString { text, .. } => text.contains("cmd=blmove"),
        Value::BulkString(text) => String::from_utf8_lossy(text).contains("cmd=blmove"),
        _ => false,
    }
}

#[tokio::test]
async fn an_interrupt_ends_a_wait_under_way_and_one_about_to_begin() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    let waiter = broker.waiter(&queue(), &worker());
    let waiting = tokio::spawn({
        let waiter = waiter.clone();
        async move { waiter.wait(Duration::from_secs(3600)).await }
    });
    server.until(&["CLIENT", "LIST"], is_blocked).await;
    waiter.interrupt().await.unwrap();
    let ended = tokio::time::timeout(DEADLINE, waiting).await.unwrap();
    assert_eq!(ended.unwrap().unwrap(), Wake::TimedOut);

    waiter.interrupt().await.unwrap();
    let wait = waiter.wait(Duration::from_secs(3600));
    let ended = tokio::time::timeout(DEADLINE, wait).await.unwrap();
    assert_eq!(ended.unwrap(), Wake::TimedOut);

    // And it waits again.
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Handed);
}

#[tokio::test]
async fn waiting_ends_at_its_time() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    let waiter = broker.waiter(&queue(), &worker());
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        assert_eq!(waiter.wait(timeout).await.unwrap(), Wake::TimedOut);
    }
}

#[tokio::test]
async fn a_killed_connection_is_opened_again_with_the_next_call() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    let waiter = broker.waiter(&queue(), &worker());
    let signal = broker.due_signal(&queue());
    signal.notified().await;
    for round in 0..5 {
        server.ask(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        // The kill may arrive while the call is under way; the next one finds a new connection.
        let enqueued = broker.enqueue(&queue(), &[now("a")]).await;
        if let Err(error) = enqueued {
            assert!(error.is_retryable(), "{error}");
            broker.enqueue(&queue(), &[now("a")]).await.unwrap();
        }
        if waiter.wait(DEADLINE).await.is_err() {
            assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Handed);
        }
        assert!(
            !granted(&broker, &claim(round, 10))
                .await
                .envelopes
                .is_empty()
        );
        // It listens again: told once because signals may have been lost.
        signal.notified().await;
    }
    assert!(broker.now().as_ms() > 1_700_000_000_000);
}

#[tokio::test]
async fn a_server_that_was_killed_is_found_again() {
    let mut server = Server::start(&[]);
    let broker = server.broker_within(Duration::from_millis(500)).await;
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    server.kill();
    let error = broker.enqueue(&queue(), &[now("b")]).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    // By now it is known that nobody is there: nothing is sent.
    let error = broker.enqueue(&queue(), &[now("b")]).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unavailable);
    assert!(!error.is_outcome_unknown(), "{error}");
    let waiter = broker.waiter(&queue(), &worker());
    assert!(waiter.wait(DEADLINE).await.is_err());
    server.start_again();
    let fresh = server.broker().await;
    assert_eq!(granted(&fresh, &claim(0, 10)).await.envelopes, ["a"]);
    assert_eq!(
        waiter.wait(Duration::from_millis(1)).await.unwrap(),
        Wake::TimedOut
    );
    assert_eq!(broker.queues().await.unwrap(), [queue()]);
}

#[tokio::test]
async fn the_same_broker_goes_on_after_a_restart() {
    let mut server = Server::start(&[]);
    let broker = server.broker().await;
    broker
        .enqueue(&queue(), &[now("a"), now("b")])
        .await
        .unwrap();
    let first = granted(&broker, &claim(0, 1)).await;
    server.kill();
    server.start_again();
    let settle = Settle {
        resent: true,
        ..acks(first.counter, [1])
    };
    // The loss may be noticed only by sending.
    let settled = match dynamic(&broker).settle(settle.clone()).await {
        Err(error) if error.is_outcome_unknown() => dynamic(&broker).settle(settle).await,
        settled => settled,
    };
    assert_eq!(settled.unwrap().accepted, [true]);
    let next = granted(&broker, &claim(first.counter, 10)).await;
    assert_eq!((next.counter, next.envelopes), (2, vec![Bytes::from("b")]));
}

#[tokio::test]
async fn a_silent_server_is_given_up_within_the_timeout_and_served_again() {
    let server = Server::start(&["--enable-debug-command", "local"]);
    let broker = server.broker_within(Duration::from_millis(100)).await;
    let url = server.url();
    let asleep = tokio::spawn(async move {
        let client = redis::Client::open(url).unwrap();
        let settings = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&settings)
            .await
            .unwrap();
        let mut command = redis::cmd("DEBUG");
        command.arg("SLEEP").arg(1.5);
        command.query_async::<()>(&mut connection).await.unwrap();
    });
    // The first calls may be answered before it falls asleep.
    let error = loop {
        if let Err(error) = broker.members(&queue()).await {
            break error;
        }
    };
    assert_eq!(error.kind(), BrokerErrorKind::Timeout);
    assert!(error.is_outcome_unknown());
    asleep.await.unwrap();
    while let Err(error) = broker.members(&queue()).await {
        assert!(error.is_retryable(), "{error}");
    }
}

async fn refused(url: &str) -> ConnectError {
    let config = RedisConfig::parse(url, None).unwrap();
    let connected = RedisBroker::connect(config, Duration::from_millis(500)).await;
    let error = connected.unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let said = format!("{error} {error:?} {source:?}");
    assert!(!said.contains("hunter2"), "{said}");
    error
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_is_said_without_the_password() {
    let server = Server::start(&["--requirepass", "right", "--databases", "2"]);
    let address = server.url().replace("redis://", "").replace('/', "");
    for login in ["", ":hunter2@", "ann:hunter2@"] {
        let error = refused(&format!("redis://{login}{address}")).await;
        assert!(
            matches!(error, ConnectError::Unauthorized { .. }),
            "{error:?}"
        );
    }
    let error = refused(&format!("redis://:right@{address}/7")).await;
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("DB index"), "{error}");
    let config = RedisConfig::parse(&format!("redis://:right@{address}/1"), None).unwrap();
    RedisBroker::connect(config, DEADLINE).await.unwrap();
}

#[tokio::test]
async fn nobody_at_the_address_is_said_within_the_timeout() {
    let mut server = Server::start(&[]);
    server.kill();
    let error = refused(&server.url().replace("//", "//:hunter2@")).await;
    assert!(
        matches!(error, ConnectError::Unavailable { .. }),
        "{error:?}"
    );
    let error = refused("redis://:hunter2@no-such-host.invalid").await;
    assert!(
        matches!(error, ConnectError::Unavailable { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_full_server_refuses_enqueues_and_waiters_and_is_worked_off() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    let jobs = [now("a"), now("b"), now("c"), later("d")];
    broker.enqueue(&queue(), &jobs).await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for entries in [vec![now("x")], vec![later("x")], vec![now("x"), later("y")]] {
        let error = broker.enqueue(&queue(), &entries).await.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Refused, "{error}");
        assert!(!error.is_outcome_unknown());
    }
    let waiter = broker.waiter(&queue(), &worker());
    assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Refused);
    let grant = granted(&broker, &claim(0, 2)).await;
    assert_eq!(grant.envelopes, ["a", "b"]);
    broker.pause(&queue()).await.unwrap();
    broker.resume(&queue()).await.unwrap();
    broker.promote(&queue(), &worker()).await.unwrap();
    let mut settle = acks(grant.counter, [1]);
    settle.settlements.push(Settlement {
        token: Token {
            claim: grant.counter,
            index: 2,
        },
        action: Action::Retry {
            delay: Duration::from_secs(3600),
            envelope: Bytes::from("b again"),
        },
    });
    let settled = dynamic(&broker).settle(settle).await.unwrap();
    assert_eq!(settled.accepted, [true, true]);
    let renewed = broker.renew(&claim(grant.counter, 0).member).await.unwrap();
    assert!(
        matches!(renewed, Renewed::Alive { in_flight: 0, .. }),
        "{renewed:?}"
    );
    let counts = broker.stats(&queue()).await.unwrap();
    assert_eq!((counts.ready, counts.delayed, counts.in_flight), (1, 2, 0));
}

#[tokio::test]
async fn keys_of_another_type_are_corrupt_and_move_nothing() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    for damaged in ["delayed", "meta", "suspects", "inflight:w1", "handoff:w1"] {
        let key = format!("jobq:{{mail}}:{damaged}");
        server.ask(&["SET", &key, "text"]).await;
        let error = dynamic(&broker).claim(&claim(0, 1)).await.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Corrupt, "{damaged}: {error}");
        let ready = server.ask(&["LLEN", "jobq:{mail}:ready"]).await;
        assert_eq!(ready, Value::Int(1), "{damaged}");
        server.ask(&["DEL", &key]).await;
    }
    assert_eq!(granted(&broker, &claim(0, 1)).await.envelopes, ["a"]);
}

#[tokio::test]
async fn an_evicting_server_is_warned_about() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]);
    let broker = server.broker().await;
    let warnings = broker.warnings().await.unwrap();
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    assert!(warning.contains("allkeys-lru"), "{warning}");
    server
        .ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
        .await;
    assert!(broker.warnings().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_first_of_delayed_is_told() {
    let server = Server::start(&[]);
    let broker = server.broker().await;
    let signal = broker.due_signal(&queue());
    // Told once when it listens.
    signal.notified().await;
    broker.enqueue(&queue(), &[later("a")]).await.unwrap();
    tokio::time::timeout(DEADLINE, signal.notified())
        .await
        .unwrap();
}

#[test]
fn a_fork_lives_on_the_runtime_that_asked_for_it() {
    let server = Server::start(&[]);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let broker = first.block_on(server.broker());
    let fork = second.block_on(broker.fork()).unwrap();
    drop(first);
    let renewed = second.block_on(fork.renew(&claim(0, 0).member)).unwrap();
    assert!(
        matches!(renewed, Renewed::Alive { counter: 1, .. }),
        "{renewed:?}"
    );
}
