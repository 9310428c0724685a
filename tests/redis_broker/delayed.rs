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
    settle_one(&broker, retry_after(1)).await;
    assert_eq!(broker.stats(&queue()).await.unwrap().delayed, 2);
}

fn retry_after(seconds: u64) -> Action {
    Action::Retry {
        delay: Duration::from_secs(seconds),
        envelope: Bytes::from(format!("again after {seconds}")),
    }
}

async fn settle_one(broker: &RedisBroker, action: Action) {
    broker.enqueue(&queue(), &[now("b")]).await.unwrap();
    let mut joining = claim(0, 1);
    joining.member.worker = WorkerId::random();
    let grant = granted(broker, &joining).await;
    let mut settle = acks(grant.counter, [1]);
    settle.worker = joining.member.worker;
    settle.settlements[0].action = action;
    let settled = as_dyn(broker).settle(settle).await.unwrap();
    assert_eq!(settled.accepted, [true]);
}

#[tokio::test]
async fn a_settlement_signals_when_it_has_put_something_first_of_delayed() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    calls(&server, "publish").await;
    for (action, signals) in [
        (Action::RELEASE, 0),
        (retry_after(2000), 1),
        (retry_after(3000), 0),
        (retry_after(1000), 1),
    ] {
        settle_one(&broker, action.clone()).await;
        let published = calls(&server, "publish").await;
        assert_eq!(published, signals, "{action:?}");
    }
}
