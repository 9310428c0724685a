//! Bounds and guards of the scripts that no answer shows: how much a step moves at once, what it
//! makes of what others wrote, and where it stops before it has moved anything.

use super::fixture::*;

const READY: &str = "jobq:{mail}:ready";
const HANDOFF: &str = "jobq:{mail}:handoff:w1";
const META: &str = "jobq:{mail}:meta";

async fn number(server: &RedisServer, words: &[&str]) -> i64 {
    match ask(server, words).await {
        Value::Int(number) => number,
        other => panic!("{other:?}"),
    }
}

/// Jobs of these sizes, the first in front.
async fn ready(server: &RedisServer, sizes: &[usize]) {
    let fill = "for _, size in ipairs(ARGV) do
          redis.call('LPUSH', KEYS[1], string.rep('x', size))
        end";
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    for part in sizes.chunks(20) {
        let mut words = vec!["EVAL", fill, "1", READY];
        words.extend(part.iter().map(String::as_str));
        ask(server, &words).await;
    }
}

/// 16 at first, then as many as fit by the largest so far, at least one and at most a hundred.
#[tokio::test]
async fn a_claim_takes_jobs_in_chunks_by_the_largest_so_far() {
    const K: usize = 1 << 10;
    const M: usize = 1 << 20;
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let mixed = [[M].as_slice(), &[10; 40]].concat();
    let two_sizes = [[400 * K; 16].as_slice(), &[100 * K; 20]].concat();
    for (sizes, taken, chunks) in [
        (vec![10; 1000], 1000, 11),
        (vec![100 * K; 90], 81, 3),
        (vec![500 * K; 18], 16, 2),
        (mixed, 41, 7),
        (two_sizes, 33, 12),
    ] {
        ask(&server, &["FLUSHALL"]).await;
        ready(&server, &sizes).await;
        calls(&server, "rpop").await;
        let grant = granted(&broker, &claim(0, 1000)).await;
        assert_eq!(grant.envelopes.len(), taken, "of {}", sizes.len());
        let popped = calls(&server, "rpop").await;
        assert_eq!(popped, chunks, "{taken} of {}", sizes.len());
        let left = number(&server, &["LLEN", READY]).await;
        assert_eq!(left as usize, sizes.len() - taken);
    }
}

#[tokio::test]
async fn a_claim_gives_back_a_thousand_of_its_handoff_at_a_time() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let fill = "for i = 1, 1500 do redis.call('LPUSH', KEYS[1], i) end";
    ask(&server, &["EVAL", fill, "1", HANDOFF]).await;
    for (known, left, moved) in [(0, 500, 1000), (1, 0, 500), (2, 0, 0)] {
        calls(&server, "lmove").await;
        granted(&broker, &claim(known, 0)).await;
        assert_eq!(number(&server, &["LLEN", HANDOFF]).await, left);
        assert_eq!(calls(&server, "lmove").await, moved);
    }
    assert_eq!(number(&server, &["LLEN", READY]).await, 1500);
}

#[tokio::test]
async fn many_acks_are_removed_by_the_batch() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let jobs: Vec<Entry> = (0..200).map(|i| now(&i.to_string())).collect();
    broker.enqueue(&queue(), &jobs).await.unwrap();
    let mut known = 0;
    for (acked, removals) in [(100, 4), (9, 1), (8, 8)] {
        let grant = granted(&broker, &claim(known, acked)).await;
        known = grant.counter;
        calls(&server, "hdel").await;
        as_dyn(&broker)
            .settle(acks(known, 1..=acked))
            .await
            .unwrap();
        assert_eq!(calls(&server, "hdel").await, removals, "{acked}");
    }
}

/// Whose keys are damaged shall learn of it while nothing has moved.
#[tokio::test]
async fn a_key_of_another_type_fails_each_step_with_nothing_moved() {
    let server = RedisServer::start();
    for (step, keys) in [
        (
            "claim",
            &[
                "ready",
                "delayed",
                "inflight:w1",
                "handoff:w1",
                "suspects",
                "meta",
                "cancelled",
            ][..],
        ),
        (
            "settle",
            &[
                "ready",
                "delayed",
                "inflight:w1",
                "suspects",
                "dead",
                "meta",
                "workers",
            ],
        ),
        (
            "adopt",
            &[
                "inflight:w1",
                "inflight:w2",
                "handoff:w2",
                "ready",
                "meta",
                "workers",
            ],
        ),
        ("promote", &["ready", "delayed"]),
        ("leave", &["inflight:w2", "handoff:w2", "meta", "workers"]),
    ] {
        for key in keys {
            ask(&server, &["FLUSHALL"]).await;
            let broker = broker_on(&server).await;
            plant(&server).await;
            if step == "adopt" {
                ask(&server, &["LPUSH", "jobq:{mail}:handoff:w2", "h2"]).await;
            }
            let key = format!("jobq:{{mail}}:{key}");
            ask(&server, &["SET", &key, "odd"]).await;
            let before = ask(&server, &["DEBUG", "DIGEST"]).await;
            let error = take(&broker, step).await.expect_err(step);
            assert_eq!(
                error.kind(),
                BrokerErrorKind::Corrupt,
                "{step}, {key}: {error}"
            );
            let after = ask(&server, &["DEBUG", "DIGEST"]).await;
            assert_eq!(after, before, "{step}, {key}");
        }
    }
}

/// What is done is done: its outcome waits for no other key to be mended.
#[tokio::test]
async fn acks_are_settled_whatever_the_other_keys_hold() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    plant(&server).await;
    for key in ["ready", "delayed", "suspects", "dead", "meta"] {
        let key = format!("jobq:{{mail}}:{key}");
        ask(&server, &["SET", &key, "odd"]).await;
    }
    let settled = as_dyn(&broker).settle(acks(5, [1])).await.unwrap();
    assert_eq!(settled.accepted, [true]);
}

/// A job in every place: w1 lives, w2 does not.
async fn plant(server: &RedisServer) {
    for words in [
        "LPUSH jobq:{mail}:ready r",
        "LPUSH jobq:{mail}:suspects s",
        "LPUSH jobq:{mail}:dead x",
        "ZADD jobq:{mail}:delayed 1 due 4000000000000 z",
        "LPUSH jobq:{mail}:handoff:w1 h",
        "HSET jobq:{mail}:workers w1 5 w2 3",
        "HSET jobq:{mail}:inflight:w1 5.1 a",
    ] {
        ask(server, &words.split(' ').collect::<Vec<_>>()).await;
    }
}

async fn take(broker: &RedisBroker, step: &str) -> Result<(), jobq::BrokerError> {
    let dead = WorkerId::from_stored("w2");
    match step {
        "claim" => as_dyn(broker).claim(&claim(5, 9)).await.map(drop),
        "settle" => {
            let mut settle = acks(5, [1]);
            settle.settlements[0].action = Action::Release {
                to: ReleaseTo::Front,
                envelope: None,
            };
            as_dyn(broker).settle(settle).await.map(drop)
        }
        "adopt" => {
            let adoption = Adoption {
                member: claim(5, 0).member,
                target: dead,
                seen: Some(3),
                max: 9,
            };
            broker.adopt(&adoption).await.map(drop)
        }
        "promote" => broker.promote(&queue(), &worker()).await.map(drop),
        "leave" => broker.leave(&queue(), &dead).await.map(drop),
        other => panic!("{other}"),
    }
}

/// What a full server lets through besides claims, renews and retries.
#[tokio::test]
async fn nothing_that_makes_room_stops_on_a_full_server() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    plant(&server).await;
    ask(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    let again = |envelope: &'static str| Requeue {
        id: JobId::new(),
        envelope: Bytes::from_static(envelope.as_bytes()),
    };
    take(&broker, "adopt").await.unwrap();
    take(&broker, "leave").await.unwrap();
    let delayed = Bytes::from_static(b"z");
    assert!(
        broker
            .run_now(&queue(), &delayed, &again("z"))
            .await
            .unwrap()
    );
    let dead = TakeDead {
        record: Bytes::from_static(b"x"),
        requeue: Some(again("x")),
    };
    assert_eq!(broker.take_dead(&queue(), &[dead], 0).await.unwrap(), 1);
    let (ready, r) = (JobState::Ready, Bytes::from_static(b"r"));
    let front = broker.page(&queue(), ready, 0, 9).await.unwrap();
    let place = front.iter().position(|element| element.bytes == r).unwrap() as u64;
    assert!(broker.withdraw(&queue(), ready, &r, place).await.unwrap());
    assert_eq!(broker.purge(&queue(), ready).await.unwrap(), 3);
}

pub(crate) async fn bury(broker: &RedisBroker, caps: DeadCaps) -> u64 {
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    let mut joining = claim(0, 1);
    joining.member.worker = WorkerId::random();
    let grant = granted(broker, &joining).await;
    let mut settle = acks(grant.counter, [1]);
    settle.worker = joining.member.worker;
    settle.caps = caps;
    settle.settlements[0].action = Action::Bury {
        record: Bytes::from_static(b"new"),
    };
    as_dyn(broker).settle(settle).await.unwrap().dropped
}

#[tokio::test]
async fn the_bytes_of_a_dead_list_that_was_deleted_by_hand_count_no_more() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    ask(&server, &["HSET", META, "dead_bytes", "99"]).await;
    let caps = DeadCaps {
        bytes: 3,
        ..DeadCaps::default()
    };
    assert_eq!(bury(&broker, caps).await, 0);
    let counted = ask(&server, &["HGET", META, "dead_bytes"]).await;
    assert_eq!(counted, bulk("3"));
}

#[tokio::test]
async fn more_dead_bytes_than_there_can_be_drop_no_record() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    // The largest string that a server takes by default.
    const LARGEST: u64 = 512 << 20;
    let damaged = ["inf", "nan", "1e300"].map(str::to_owned);
    for damaged in damaged.into_iter().chain([(LARGEST + 1).to_string()]) {
        ask(&server, &["DEL", "jobq:{mail}:dead"]).await;
        ask(&server, &["LPUSH", "jobq:{mail}:dead", "x"]).await;
        ask(&server, &["HSET", META, "dead_bytes", &damaged]).await;
        assert_eq!(bury(&broker, DeadCaps::default()).await, 0, "{damaged}");
        let counted = ask(&server, &["HGET", META, "dead_bytes"]).await;
        assert_eq!(counted, bulk("3"), "{damaged}");
    }
    ask(&server, &["DEL", "jobq:{mail}:dead"]).await;
    ask(&server, &["LPUSH", "jobq:{mail}:dead", "x"]).await;
    ask(&server, &["HSET", META, "dead_bytes", &LARGEST.to_string()]).await;
    assert_ne!(bury(&broker, DeadCaps::default()).await, 0, "it could be");
}

#[tokio::test]
async fn fewer_dead_bytes_than_there_are_become_none_and_not_less() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let one = DeadCaps {
        count: 1,
        ..DeadCaps::default()
    };
    ask(
        &server,
        &["LPUSH", "jobq:{mail}:dead", "a long record", "x"],
    )
    .await;
    for damaged in ["1", "text"] {
        ask(&server, &["HSET", META, "dead_bytes", damaged]).await;
        let take = TakeDead {
            record: Bytes::from_static(b"a long record"),
            requeue: None,
        };
        broker.take_dead(&queue(), &[take], 0).await.unwrap();
        let counted = ask(&server, &["HGET", META, "dead_bytes"]).await;
        assert_eq!(counted, bulk("0"), "{damaged}");
        ask(&server, &["LPUSH", "jobq:{mail}:dead", "a long record"]).await;
    }
    ask(&server, &["HSET", META, "dead_bytes", "text"]).await;
    assert_eq!(bury(&broker, one).await, 2);
    let counted = ask(&server, &["HGET", META, "dead_bytes"]).await;
    assert_eq!(counted, bulk("0"));
}

#[tokio::test]
async fn a_dead_list_that_keeps_nothing_leaves_no_bytes() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let none = DeadCaps {
        count: 0,
        ..DeadCaps::default()
    };
    for _ in 0..2 {
        assert_eq!(bury(&broker, none).await, 1);
        assert_eq!(number(&server, &["EXISTS", META]).await, 0);
        // What was counted before is gone too.
        ask(&server, &["HSET", META, "dead_bytes", "7"]).await;
    }
}

#[tokio::test]
async fn a_settle_drops_a_hundred_dead_at_a_time() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let fill = "for i = 1, 250 do redis.call('LPUSH', KEYS[1], i) end";
    ask(&server, &["EVAL", fill, "1", "jobq:{mail}:dead"]).await;
    let one = DeadCaps {
        count: 1,
        ..DeadCaps::default()
    };
    for dropped in [100, 100, 52, 1] {
        assert_eq!(bury(&broker, one).await, dropped);
    }
}

/// Between the two looks of the figures: at the members, and at what they own.
#[tokio::test]
async fn the_figures_count_the_job_of_one_who_joins_meanwhile() {
    let server = RedisServer::start();
    let (looking, working) = (broker_on(&server).await, broker_on(&server).await);
    working.enqueue(&queue(), &[now("a")]).await.unwrap();
    for _ in 0..300 {
        let mut joining = claim(0, 1);
        joining.member.worker = WorkerId::random();
        let member = joining.member.worker.clone();
        let (queue, claimed) = (queue(), granted(&working, &joining));
        let (counts, grant) = tokio::join!(looking.stats(&queue), claimed);
        let counts = counts.unwrap();
        assert_eq!(counts.ready + counts.in_flight, 1, "{counts:?}");
        let mut settle = acks(grant.counter, [1]);
        settle.worker = member.clone();
        settle.settlements[0].action = Action::Release {
            to: ReleaseTo::Front,
            envelope: None,
        };
        as_dyn(&working).settle(settle).await.unwrap();
        working.leave(&queue, &member).await.unwrap();
    }
}
