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

/// Nobody knows when it died: it is not dropped for its age, and keeps nobody from being buried.
#[tokio::test]
async fn what_is_no_record_has_no_age() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let no_time = format!("{}x{}", "\0".repeat(19), "\0".repeat(20));
    let mut cut_short = vec![0; 19];
    cut_short.extend_from_slice(b"\xcf\0\0\0");
    for oldest in [no_time.as_bytes(), &cut_short] {
        ask(&server, &["FLUSHALL"]).await;
        let mut connection = support::beside(&server.url()).await.unwrap();
        let mut push = redis::cmd("RPUSH");
        push.arg("jobq:{mail}:dead").arg(oldest);
        push.exec_async(&mut connection).await.unwrap();
        assert_eq!(bury(&broker, DeadCaps::default()).await, 0, "{oldest:?}");
        let kept = ask(&server, &["LLEN", "jobq:{mail}:dead"]).await;
        assert_eq!(kept, Value::Int(2));
    }
}
