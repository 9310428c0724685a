//! A job that is taken out of the depth of a long queue, in a time that does not depend on its length.

use super::fixture::*;

/// The front is 0.
const LONG: &str = "for i = 0, 120000 do redis.call('LPUSH', KEYS[1], i) end";

async fn withdraw(broker: &RedisBroker, element: &str, place: u64) -> bool {
    let element = Bytes::from(element.to_owned());
    let taken = broker
        .withdraw(&queue(), JobState::Ready, &element, place)
        .await;
    taken.unwrap()
}

#[tokio::test]
async fn in_the_depth_the_last_that_came_takes_the_place() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    ask(&server, &["EVAL", LONG, "1", "jobq:{mail}:ready"]).await;
    assert!(withdraw(&broker, "60000", 60_000).await);
    let there = broker
        .page(&queue(), JobState::Ready, 59_999, 3)
        .await
        .unwrap();
    let there: Vec<_> = there.iter().map(|element| &element.bytes[..]).collect();
    assert_eq!(there, [&b"59999"[..], b"120000", b"60001"]);
    assert_eq!(broker.stats(&queue()).await.unwrap().ready, 120_000);
}

/// Of equal ones that is seen: the first that is met goes.
#[tokio::test]
async fn near_an_end_it_is_looked_for_from_there() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let jobs = ["a", "a", "b", "a", "a"].map(now);
    for (place, left) in [(1, ["a", "b", "a", "a"]), (3, ["a", "a", "b", "a"])] {
        ask(&server, &["DEL", "jobq:{mail}:ready"]).await;
        broker.enqueue(&queue(), &jobs).await.unwrap();
        assert!(withdraw(&broker, "a", place).await);
        let page = broker.page(&queue(), JobState::Ready, 0, 9).await.unwrap();
        let page: Vec<_> = page.iter().map(|element| &element.bytes[..]).collect();
        assert_eq!(page, left.map(str::as_bytes), "{place}");
    }
}
