//! The set of cancelled ids as Redis keeps it: its times, its end, and what others write there.

use super::fixture::*;

const KEY: &str = "jobq:{mail}:cancelled";
const WEEK: i64 = 7 * 24 * 3600 * 1000;

async fn number(server: &RedisServer, words: &[&str]) -> i64 {
    match ask(server, words).await {
        Value::Int(number) => number,
        other => panic!("{other:?}"),
    }
}

/// An id whose bytes are text.
fn id(text: &str) -> JobId {
    JobId::from_bytes(text.as_bytes().try_into().unwrap())
}

const OLD: &str = "old old old old ";
const YOUNG: &str = "young young youn";
const NEW: &str = "new new new new ";

#[tokio::test]
async fn an_id_counts_for_seven_days_and_is_dropped_by_the_next() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let now = broker.now().as_ms() as i64;
    for (text, when) in [(OLD, now - WEEK - 1000), (YOUNG, now - WEEK + 60_000)] {
        ask(&server, &["ZADD", KEY, &when.to_string(), text]).await;
    }
    let ids = [OLD, YOUNG, NEW].map(id);
    let cancelled = broker.cancelled(&queue(), &ids).await.unwrap();
    assert_eq!(cancelled, [false, true, false]);
    broker.cancel(&queue(), id(NEW)).await.unwrap();
    assert_eq!(number(&server, &["ZCARD", KEY]).await, 2);
    let cancelled = broker.cancelled(&queue(), &ids).await.unwrap();
    assert_eq!(cancelled, [false, true, true]);
}

#[tokio::test]
async fn a_set_that_is_not_used_goes_away() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let week = WEEK - 60_000..=WEEK;
    for _ in 0..2 {
        broker.cancel(&queue(), id(NEW)).await.unwrap();
        assert!(week.contains(&number(&server, &["PTTL", KEY]).await));
        ask(&server, &["PEXPIRE", KEY, "60000"]).await;
    }
    ask(&server, &["PEXPIRE", KEY, "1"]).await;
    eventually("the set to be gone", async || {
        let grant = granted(&broker, &claim(0, 1)).await;
        (!grant.cancelled).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_too_much_is_dropped_a_thousand_at_a_time() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let fill = "for i = 1, 12500 do redis.call('ZADD', KEYS[1], i, i) end";
    ask(&server, &["EVAL", fill, "1", KEY]).await;
    for left in [11_501, 10_502, 9_503] {
        broker.cancel(&queue(), JobId::new()).await.unwrap();
        assert_eq!(number(&server, &["ZCARD", KEY]).await, left);
    }
}

#[tokio::test]
async fn a_key_of_another_type_stops_the_claim_with_nothing_moved() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    ask(&server, &["SET", KEY, "damaged"]).await;
    let refused = as_dyn(&broker).claim(&claim(0, 1)).await.unwrap_err();
    assert!(!refused.is_retryable(), "{refused}");
    assert!(broker.cancel(&queue(), id(NEW)).await.is_err());
    assert!(broker.cancelled(&queue(), &[id(NEW)]).await.is_err());
    ask(&server, &["DEL", KEY]).await;
    let grant = granted(&broker, &claim(0, 1)).await;
    assert_eq!(
        (grant.counter, grant.envelopes),
        (1, vec![Bytes::from("a")])
    );
}
