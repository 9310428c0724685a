//! Servers that refuse: to let in, to take more, to be trusted.

use support::strangers::aged;

use super::fixture::*;

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
    let server = RedisServer::start_with(&[("requirepass", "right"), ("databases", "2")]);
    let address = server.url().replace("redis://", "");
    for login in ["", ":hunter2@", "ann:hunter2@"] {
        let error = refused(&format!("redis://{login}{address}")).await;
        assert!(
            matches!(error, ConnectError::Unauthorized { .. }),
            "{error:?}"
        );
    }
    let error = refused(&format!("redis://:right@{address}/7")).await;
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("database 7"), "{error}");
    let config = RedisConfig::parse(&format!("redis://:right@{address}/1"), None).unwrap();
    RedisBroker::connect(config, DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_with_its_version() {
    let server = RedisServer::start_with(&[("requirepass", "hunter2")]);
    let error = refused(&format!("redis://:hunter2@{}", aged(&server))).await;
    let ConnectError::TooOld { found, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(found.starts_with("6."), "{found}");
    let message = error.to_string();
    assert!(
        message.contains(found) && message.contains("7.0"),
        "{message}"
    );
}

#[tokio::test]
async fn nobody_at_the_address_is_said_within_the_timeout() {
    let mut server = RedisServer::start();
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
async fn a_full_server_refuses_enqueues_and_waiters_and_can_be_worked_off() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let jobs = [now("a"), now("b"), now("c"), later("d")];
    broker.enqueue(&queue(), &jobs).await.unwrap();
    ask(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
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
    broker.cancel(&queue(), JobId::new()).await.unwrap();
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
    let settled = as_dyn(&broker).settle(settle).await.unwrap();
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
async fn an_evicting_server_is_warned_about() {
    let server = RedisServer::start_with(&[("maxmemory-policy", "allkeys-lru")]);
    let broker = broker_on(&server).await;
    let warnings = broker.warnings().await.unwrap();
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    assert!(warning.contains("allkeys-lru"), "{warning}");
    ask(
        &server,
        &["CONFIG", "SET", "maxmemory-policy", "noeviction"],
    )
    .await;
    assert!(broker.warnings().await.unwrap().is_empty());
}
