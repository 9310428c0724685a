//! Keys that somebody made something else of: whoever intervenes is told, and nothing moves.

use super::fixture::*;

/// What lies where: two ready, one a suspect, one delayed, two dead.
async fn filled(server: &RedisServer) -> RedisBroker {
    let broker = broker_on(server).await;
    for words in [
        &["LPUSH", "jobq:{mail}:ready", "a", "b"][..],
        &["LPUSH", "jobq:{mail}:suspects", "s"],
        &["ZADD", "jobq:{mail}:delayed", "4000000000000", "z"],
        &["LPUSH", "jobq:{mail}:dead", "x", "y"],
        &["HSET", "jobq:{mail}:meta", "dead_bytes", "2"],
        &[
            "ZADD",
            "jobq:{mail}:cancelled",
            "4000000000000",
            "7777777777777777",
        ],
    ] {
        ask(server, words).await;
    }
    broker
}

/// All keys and their bytes.
async fn contents(server: &RedisServer) -> Vec<Value> {
    let mut contents = Vec::new();
    for name in ["ready", "suspects", "delayed", "dead", "meta", "cancelled"] {
        contents.push(ask(server, &["DUMP", &format!("jobq:{{mail}}:{name}")]).await);
    }
    contents
}

fn again(envelope: &'static str) -> Requeue {
    Requeue {
        id: JobId::from_bytes([b'7'; 16]),
        envelope: Bytes::from_static(envelope.as_bytes()),
    }
}

async fn intervene(broker: &RedisBroker, how: &str) -> Result<(), jobq::BrokerError> {
    let queue = queue();
    let take = |record: &'static str, requeue| TakeDead {
        record: Bytes::from_static(record.as_bytes()),
        requeue,
    };
    match how {
        "take" => {
            let takes = [take("x", Some(again("x"))), take("y", None)];
            broker.take_dead(&queue, &takes, 0).await.map(drop)
        }
        "run now" => {
            let delayed = Bytes::from_static(b"z");
            broker
                .run_now(&queue, &delayed, &again("z"))
                .await
                .map(drop)
        }
        "withdraw ready" => {
            let ready = Bytes::from_static(b"x");
            let taken = broker.withdraw(&queue, JobState::Ready, &ready, 0).await;
            taken.map(drop)
        }
        "withdraw delayed" => {
            let delayed = Bytes::from_static(b"z");
            let taken = broker.withdraw(&queue, JobState::Delayed, &delayed, 0);
            taken.await.map(drop)
        }
        "find" => broker.find_delayed(&queue, again("").id).await.map(drop),
        "oldest" => broker.oldest_dead(&queue, 0, 9).await.map(drop),
        "purge ready" => broker.purge(&queue, JobState::Ready).await.map(drop),
        "purge delayed" => broker.purge(&queue, JobState::Delayed).await.map(drop),
        "purge dead" => broker.purge(&queue, JobState::Dead).await.map(drop),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_key_of_another_type_fails_each_intervention_with_nothing_moved() {
    let server = RedisServer::start();
    for (key, fails) in [
        (
            "ready",
            &["take", "run now", "withdraw ready", "purge ready"][..],
        ),
        ("suspects", &["purge ready"]),
        (
            "delayed",
            &["run now", "withdraw delayed", "find", "purge delayed"],
        ),
        ("dead", &["take", "oldest", "purge dead"]),
        ("meta", &["take", "purge dead"]),
        ("cancelled", &["take", "run now"]),
    ] {
        for how in fails {
            ask(&server, &["FLUSHALL"]).await;
            let broker = filled(&server).await;
            ask(&server, &["SET", &format!("jobq:{{mail}}:{key}"), "odd"]).await;
            let before = contents(&server).await;
            let error = intervene(&broker, how).await.unwrap_err();
            assert_eq!(
                error.kind(),
                BrokerErrorKind::Corrupt,
                "{key}, {how}: {error}"
            );
            assert_eq!(contents(&server).await, before, "{key}, {how}");
        }
    }
}

#[tokio::test]
async fn keys_that_are_sound_let_each_intervention_through() {
    let server = RedisServer::start();
    for how in [
        "take",
        "run now",
        "find",
        "oldest",
        "purge ready",
        "purge delayed",
        "purge dead",
    ] {
        ask(&server, &["FLUSHALL"]).await;
        let broker = filled(&server).await;
        intervene(&broker, how).await.unwrap();
    }
}

/// Counters to which one more adds nothing, or soon will not, and those that are no numbers.
const NO_COUNTERS: [&str; 6] = [
    "inf",
    "4503599627370496",
    "nan",
    "9007199254740992",
    "1e300",
    "18446744073709551615",
];

#[tokio::test]
async fn a_member_with_a_damaged_counter_is_reaped_before_it_is_given_a_token_twice() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    for counter in NO_COUNTERS {
        ask(&server, &["HSET", "jobq:{mail}:workers", "w1", counter]).await;
        let claimed = as_dyn(&broker).claim(&claim(3, 1)).await.unwrap();
        assert_eq!(claimed, Claimed::Reaped, "{counter}");
        let renewed = broker.renew(&claim(3, 0).member).await.unwrap();
        assert_eq!(renewed, Renewed::Reaped, "{counter}");
        let adoption = Adoption {
            member: claim(3, 0).member,
            target: WorkerId::from_stored("w2"),
            seen: None,
            max: 10,
        };
        let adopted = broker.adopt(&adoption).await.unwrap();
        assert_eq!(adopted, jobq::broker::Adopted::Reaped, "{counter}");
    }
    assert_eq!(broker.stats(&queue()).await.unwrap().ready, 1);
}

#[tokio::test]
async fn the_damaged_counter_of_a_dead_member_is_no_counter_of_those_that_join() {
    let server = RedisServer::start();
    for counter in NO_COUNTERS {
        for (key, field) in [("meta", "gone"), ("workers", "w2")] {
            ask(&server, &["FLUSHALL"]).await;
            let broker = broker_on(&server).await;
            let jobs = [now("a"), now("b"), now("c")];
            broker.enqueue(&queue(), &jobs).await.unwrap();
            let key = format!("jobq:{{mail}}:{key}");
            ask(&server, &["HSET", &key, field, counter]).await;
            let adoption = Adoption {
                member: claim(0, 0).member,
                target: WorkerId::from_stored("w2"),
                seen: None,
                max: 10,
            };
            broker.adopt(&adoption).await.unwrap();
            let mut joining = claim(0, 1);
            joining.member.worker = WorkerId::from_stored("w3");
            let first = granted(&broker, &joining).await;
            joining.member.known = first.counter;
            let second = granted(&broker, &joining).await;
            assert!(second.counter > first.counter, "{counter} in {key}");
            let stats = broker.stats(&queue()).await.unwrap();
            assert_eq!(stats.in_flight, 2, "{counter} in {key}");
        }
    }
}

#[tokio::test]
async fn who_leaves_with_a_damaged_counter_leaves_none_and_a_sound_one_replaces_a_damaged() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let left = WorkerId::from_stored("w2");
    for damaged in NO_COUNTERS {
        for (counter, gone, then) in [
            (damaged, "5", bulk("5")),
            (damaged, "0", bulk("0")),
            ("7", damaged, bulk("7")),
        ] {
            ask(&server, &["HSET", "jobq:{mail}:workers", "w2", counter]).await;
            ask(&server, &["HSET", "jobq:{mail}:meta", "gone", gone]).await;
            broker.leave(&queue(), &left).await.unwrap();
            let now = ask(&server, &["HGET", "jobq:{mail}:meta", "gone"]).await;
            assert_eq!(now, then, "{counter} after {gone}");
        }
    }
}

/// `1` is what a pause writes.
#[tokio::test]
async fn whatever_stands_where_a_pause_is_noted_pauses_the_queue() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    ask(&server, &["HSET", "jobq:{mail}:meta", "paused", "yes"]).await;
    let renewed = broker.renew(&claim(0, 0).member).await.unwrap();
    assert!(
        matches!(renewed, Renewed::Alive { paused: true, .. }),
        "{renewed:?}"
    );
    assert!(granted(&broker, &claim(1, 1)).await.paused);
    assert!(broker.stats(&queue()).await.unwrap().paused);
}

/// Read as a number that is less than none, it would have workers ask again at once, for ever.
#[tokio::test]
async fn a_time_that_no_number_can_say_is_far_away() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let years = Duration::from_secs(100 * 365 * 24 * 3600);
    for time in ["1e19", "1e300", "+inf"] {
        ask(&server, &["ZADD", "jobq:{mail}:delayed", time, "z"]).await;
        let claimed = granted(&broker, &claim(0, 1)).await.next_due;
        let promoted = broker.promote(&queue(), &worker()).await.unwrap().next_due;
        for next in [claimed, promoted] {
            assert!(next.is_some_and(|next| next > years), "{time}: {next:?}");
        }
    }
}
