//! The rights that the documentation says a user needs.

use super::fixture::*;

const DOCUMENTED: &str = include_str!("../../docs/reference/redis-keys.md");

/// A broker whose user has the documented rights and no others.
async fn restricted(server: &RedisServer) -> RedisBroker {
    let line = DOCUMENTED
        .lines()
        .find(|line| line.starts_with("ACL SETUSER"));
    let words: Vec<&str> = line
        .expect("the rights are documented")
        .split(' ')
        .collect();
    ask(server, &words).await;
    let url = server.url().replace("//", "//jobs:password@");
    let config = RedisConfig::parse(&url, None).unwrap();
    RedisBroker::connect(config, DEADLINE).await.unwrap()
}

#[tokio::test]
async fn a_user_with_the_documented_rights_can_do_everything() {
    let server = RedisServer::start();
    let broker = restricted(&server).await;
    assert!(broker.warnings().await.unwrap().is_empty());
    let signal = broker.due_signal(&queue());
    within("the signal that it listens", signal.notified()).await;

    let waiter = broker.waiter(&queue(), &worker());
    let waiting = tokio::spawn({
        let waiter = waiter.clone();
        async move { waiter.wait(DEADLINE).await }
    });
    someone_waits(&server).await;
    waiter.interrupt().await.unwrap();
    let ended = within("the end of the wait", waiting).await;
    assert_eq!(ended.unwrap().unwrap(), Wake::TimedOut);

    let jobs: Vec<Entry> = ["a", "b", "c", "d", "e"].map(now).into();
    broker.enqueue(&queue(), &jobs).await.unwrap();
    broker.enqueue(&queue(), &[later("z")]).await.unwrap();
    within("the signal", signal.notified()).await;
    assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Handed);
    broker.pause(&queue()).await.unwrap();
    assert!(granted(&broker, &claim(0, 5)).await.paused);
    broker.resume(&queue()).await.unwrap();
    let grant = granted(&broker, &claim(1, 5)).await;
    assert_eq!(grant.envelopes, ["a", "b", "c", "d", "e"]);
    settle_in_every_way(&broker, grant.counter).await;
    look_everywhere(&broker).await;

    let adoption = Adoption {
        member: Member {
            worker: WorkerId::from_stored("w2"),
            ..claim(0, 0).member
        },
        target: worker(),
        seen: Some(grant.counter),
        max: 10,
    };
    let adopted = broker.adopt(&adoption).await.unwrap();
    assert!(
        matches!(adopted, Adopted::Taken { more: false, .. }),
        "{adopted:?}"
    );
    assert!(
        broker
            .promote(&queue(), &worker())
            .await
            .unwrap()
            .timekeeper
    );
    assert!(broker.leave(&queue(), &worker()).await.unwrap());
    broker.renew(&claim(0, 0).member).await.unwrap();
}

async fn settle_in_every_way(broker: &RedisBroker, counter: u64) {
    let envelope = Bytes::from("again");
    let actions = [
        Action::Retry {
            delay: Duration::ZERO,
            envelope: envelope.clone(),
        },
        Action::Bury {
            record: Bytes::from("dead"),
        },
        Action::Release {
            to: ReleaseTo::Front,
            envelope: None,
        },
        Action::Release {
            to: ReleaseTo::Suspects,
            envelope: Some(envelope),
        },
    ];
    let mut settle = acks(counter, [1]);
    let others = actions.into_iter().zip(2..);
    settle
        .settlements
        .extend(others.map(|(action, index)| Settlement {
            token: Token {
                claim: counter,
                index,
            },
            action,
        }));
    let settled = as_dyn(broker).settle(settle).await.unwrap();
    assert_eq!(settled.accepted, [true; 5]);
}

async fn look_everywhere(broker: &RedisBroker) {
    for state in [
        JobState::Ready,
        JobState::Delayed,
        JobState::InFlight,
        JobState::Dead,
    ] {
        broker.page(&queue(), state, 0, 10).await.unwrap();
    }
    let counts = broker.stats(&queue()).await.unwrap();
    assert_eq!((counts.dead, counts.suspects), (1, 1));
    assert_eq!(broker.queues().await.unwrap(), [queue()]);
    assert_eq!(broker.members(&queue()).await.unwrap().len(), 1);
    broker.owners(&queue(), 0).await.unwrap();
    broker.held(&queue(), &worker()).await.unwrap();
    intervene(broker).await;
}

async fn intervene(broker: &RedisBroker) {
    assert_eq!(broker.oldest_dead(&queue(), 0, 10).await.unwrap(), ["dead"]);
    let id = JobId::new();
    broker.cancel(&queue(), id).await.unwrap();
    assert_eq!(broker.cancelled(&queue(), &[id]).await.unwrap(), [true]);
    let job = |envelope: &str| Requeue {
        id,
        envelope: Bytes::copy_from_slice(envelope.as_bytes()),
    };
    let take = TakeDead {
        record: Bytes::from("dead"),
        requeue: Some(job("dead")),
    };
    let taken = broker.take_dead(&queue(), &[take], 0).await;
    assert_eq!(taken.unwrap(), 1);
    assert_eq!(broker.cancelled(&queue(), &[id]).await.unwrap(), [false]);
    let nobody = broker.find_delayed(&queue(), JobId::new()).await;
    assert_eq!(nobody.unwrap(), None);
    let delayed = Bytes::from("z");
    assert!(broker.run_now(&queue(), &delayed, &job("z")).await.unwrap());
    for (state, purged) in [
        (JobState::Ready, 4),
        (JobState::Delayed, 1),
        (JobState::Dead, 0),
    ] {
        let answer = broker.purge(&queue(), state).await.unwrap();
        assert_eq!(answer, purged, "{state:?}");
    }
}

#[tokio::test]
async fn a_missing_right_is_refused() {
    let server = RedisServer::start();
    let broker = restricted(&server).await;
    ask(&server, &["ACL", "SETUSER", "jobs", "-lpush"]).await;
    let error = broker.enqueue(&queue(), &[now("a")]).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Refused, "{error}");
    let other = broker.enqueue(&queue(), &[later("a")]).await;
    assert!(other.is_ok(), "{other:?}");
}
