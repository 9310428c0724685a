//! The keys, and scripts that the server has forgotten.

use super::fixture::*;

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again_within_a_pipeline() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let jobs: Vec<Entry> = (0..40).map(|i| now(&format!("job {i}"))).collect();
    broker.enqueue(&queue(), &jobs).await.unwrap();
    let mut known = 0;
    for _ in 0..10 {
        let grant = granted(&broker, &claim(known, 2)).await;
        assert_eq!(grant.envelopes.len(), 2);
        // Only settle is known, then only claim, then neither.
        ask(&server, &["SCRIPT", "FLUSH"]).await;
        if grant.counter % 3 == 0 {
            as_dyn(&broker).settle(acks(99, [1])).await.unwrap();
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
        as_dyn(&broker).settle(acks(known, [1, 2])).await.unwrap();
    }
    let counts = broker.stats(&queue()).await.unwrap();
    assert_eq!((counts.ready, counts.in_flight), (0, 0));
}

#[tokio::test]
async fn keys_are_named_as_documented() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
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
    as_dyn(&broker).settle(settle).await.unwrap();
    broker.promote(&queue(), &worker()).await.unwrap();
    let waiter = broker.waiter(&queue(), &worker());
    assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Handed);
    let Value::Array(found) = ask(&server, &["KEYS", "*"]).await else {
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
    let record = ask(&server, &["HGET", "jobq:{mail}:inflight:w1", "1.2"]).await;
    assert_eq!(record, bulk("b"));
    assert_eq!(broker.queues().await.unwrap(), [queue()]);
}

#[tokio::test]
async fn keys_of_another_type_are_corrupt_and_move_nothing() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    for damaged in ["delayed", "meta", "suspects", "inflight:w1", "handoff:w1"] {
        let key = format!("jobq:{{mail}}:{damaged}");
        ask(&server, &["SET", &key, "text"]).await;
        let error = as_dyn(&broker).claim(&claim(0, 1)).await.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Corrupt, "{damaged}: {error}");
        let ready = ask(&server, &["LLEN", "jobq:{mail}:ready"]).await;
        assert_eq!(ready, Value::Int(1), "{damaged}");
        ask(&server, &["DEL", &key]).await;
    }
    assert_eq!(granted(&broker, &claim(0, 1)).await.envelopes, ["a"]);
}

#[tokio::test]
async fn a_damaged_office_of_timekeeper_is_vacant() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    broker.enqueue(&queue(), &[later("a")]).await.unwrap();
    ask(&server, &["HSET", "jobq:{mail}:timekeeper", "a", "b"]).await;
    assert!(broker.leave(&queue(), &worker()).await.unwrap());
    let promoted = broker.promote(&queue(), &worker()).await.unwrap();
    assert!(promoted.timekeeper);
    assert!(broker.leave(&queue(), &worker()).await.unwrap());
    let office = ask(&server, &["EXISTS", "jobq:{mail}:timekeeper"]).await;
    assert_eq!(office, Value::Int(0));
}
