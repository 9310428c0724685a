//! When listeners are told that the first of delayed has changed.

use jobq::At;

use super::fixture::*;

fn due(envelope: &str, ms: u64) -> Entry {
    Entry {
        due: Due::At(At::from_ms(4_000_000_000_000 + ms)),
        ..now(envelope)
    }
}

#[tokio::test]
async fn a_batch_signals_when_any_of_it_becomes_the_first_of_delayed() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    calls(&server, "publish").await;
    for (of, (batch, signals)) in [
        ([300, 400], 1),
        ([500, 350], 0),
        ([200, 600], 1),
        ([700, 100], 1),
        ([100, 800], 0),
        ([50, 60], 1),
    ]
    .into_iter()
    .enumerate()
    {
        let jobs = batch.map(|ms| due(&format!("{of} {ms}"), ms));
        broker.enqueue(&queue(), &jobs).await.unwrap();
        assert_eq!(calls(&server, "publish").await, signals, "{batch:?}");
    }
}

#[tokio::test]
async fn a_user_that_may_not_publish_loses_the_signal_alone() {
    let server = RedisServer::start();
    let user = "ACL SETUSER mute on >secret ~* +@all resetchannels";
    ask(&server, &user.split(' ').collect::<Vec<_>>()).await;
    let url = server.url().replace("redis://", "redis://mute:secret@");
    let config = RedisConfig::parse(&url, None).unwrap();
    let broker = RedisBroker::connect(config, DEADLINE).await.unwrap();
    broker.enqueue(&queue(), &[due("a", 1)]).await.unwrap();
    assert_eq!(broker.stats(&queue()).await.unwrap().delayed, 1);
}
