//! The bytes of the dead list, as Redis counts them.

use super::fixture::*;

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
