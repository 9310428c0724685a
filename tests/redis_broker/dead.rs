//! The bytes of the dead list, as Redis counts them.

use super::fixture::*;
use super::guards::bury;

#[tokio::test]
async fn who_takes_the_last_record_leaves_no_bytes() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    for counted in ["1", "99", "text"] {
        ask(&server, &["LPUSH", "jobq:{mail}:dead", "x"]).await;
        ask(
            &server,
            &["HSET", "jobq:{mail}:meta", "dead_bytes", counted],
        )
        .await;
        let take = TakeDead {
            record: Bytes::from_static(b"x"),
            requeue: None,
        };
        assert_eq!(broker.take_dead(&queue(), &[take], 0).await.unwrap(), 1);
        let left = ask(&server, &["KEYS", "jobq:{mail}:*"]).await;
        assert_eq!(left, Value::Array(Vec::new()), "{counted}");
    }
}

/// No value of Redis is longer than half a gibibyte.
#[tokio::test]
async fn more_bytes_than_the_records_can_have_do_not_count() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    for (counted, dropped) in [("536870912", 2), ("536870913", 0)] {
        ask(&server, &["FLUSHALL"]).await;
        ask(&server, &["LPUSH", "jobq:{mail}:dead", "x"]).await;
        ask(
            &server,
            &["HSET", "jobq:{mail}:meta", "dead_bytes", counted],
        )
        .await;
        assert_eq!(
            bury(&broker, DeadCaps::default()).await,
            dropped,
            "{counted}"
        );
    }
}
