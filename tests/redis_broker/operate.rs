//! What workers tell and are told, as it lies in Redis: bounded, gone when they have gone, and no harm
//! where somebody made something else of a key.

use super::fixture::*;

const TOTALS: &str = "jobq:{mail}:totals";
const REPORTS: &str = "jobq:{mail}:reports";
const REGISTRY: &str = "jobq:workers";

fn report(worker: &str, number: u64, name: &str) -> Report {
    let mut totals = Totals::default();
    (totals.done, totals.spent) = (2, Duration::from_micros(3999));
    Report {
        queue: queue(),
        worker: WorkerId::from_stored(worker),
        number,
        tallies: vec![Tally::new(name, totals)],
    }
}

async fn count(server: &RedisServer, key: &str) -> Value {
    ask(server, &["HLEN", key]).await
}

#[tokio::test]
async fn figures_lie_as_documented_and_those_of_a_newer_worker_are_kept() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    granted(&broker, &claim(0, 0)).await;
    for (stored, sums) in [
        (None, "2 0 0 0 3"),
        (Some("1 2 3 4 5"), "3 2 3 4 8"),
        (Some("1 2 3 4 5 6 7"), "3 2 3 4 8 6 7"),
        (Some("9007199254740991 0 0 0 0"), "9007199254740992 0 0 0 3"),
        (Some("1"), "3 0 0 0 3"),
        (Some(""), "2 0 0 0 3"),
        (Some("no figures"), "2 0 0 0 3"),
    ] {
        ask(&server, &["DEL", TOTALS, REPORTS]).await;
        if let Some(stored) = stored {
            ask(&server, &["HSET", TOTALS, "a", stored]).await;
        }
        broker.report(&report("w1", 1, "a")).await.unwrap();
        let now = ask(&server, &["HGET", TOTALS, "a"]).await;
        assert_eq!(now, bulk(sums), "{stored:?}");
    }
    assert_eq!(ask(&server, &["HGET", REPORTS, "w1"]).await, bulk("1"));
}

#[tokio::test]
async fn the_number_of_a_report_goes_with_its_worker() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    granted(&broker, &claim(0, 0)).await;
    let other = WorkerId::from_stored("w2");
    let member = Member {
        worker: other.clone(),
        ..claim(0, 0).member
    };
    for leaves in [true, false] {
        broker.renew(&member).await.unwrap();
        broker.report(&report("w2", 1, "a")).await.unwrap();
        assert_eq!(count(&server, REPORTS).await, Value::Int(1));
        if leaves {
            assert!(broker.leave(&queue(), &other).await.unwrap());
        } else {
            let members = broker.members(&queue()).await.unwrap();
            let seen = members.into_iter().find(|(id, _)| *id == other);
            let adoption = Adoption {
                member: claim(1, 0).member,
                target: other.clone(),
                seen: seen.map(|(_, counter)| counter),
                max: 1,
            };
            broker.adopt(&adoption).await.unwrap();
        }
        assert_eq!(count(&server, REPORTS).await, Value::Int(0), "{leaves}");
    }
}

#[tokio::test]
async fn a_damaged_key_of_reports_keeps_nobody_from_leaving_nor_from_being_adopted() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    granted(&broker, &claim(0, 0)).await;
    let other = WorkerId::from_stored("w2");
    let join = Member {
        worker: other.clone(),
        ..claim(0, 0).member
    };
    ask(&server, &["SET", REPORTS, "x"]).await;
    broker.renew(&join).await.unwrap();
    let adoption = Adoption {
        member: claim(1, 0).member,
        target: other,
        seen: Some(1),
        max: 1,
    };
    broker.adopt(&adoption).await.unwrap();
    assert!(broker.leave(&queue(), &worker()).await.unwrap());
    assert!(broker.members(&queue()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_report_to_a_damaged_key_counts_nothing_and_counts_once_it_is_mended() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    granted(&broker, &claim(0, 0)).await;
    for key in [TOTALS, REPORTS] {
        ask(&server, &["SET", key, "x"]).await;
        let error = broker.report(&report("w1", 1, "a")).await.unwrap_err();
        assert!(!error.is_retryable(), "{error}");
        ask(&server, &["DEL", key]).await;
    }
    broker.report(&report("w1", 1, "a")).await.unwrap();
    let totals = broker.totals(&queue()).await.unwrap();
    assert_eq!(totals[0].totals.done, 2);
}

#[tokio::test]
async fn what_silent_workers_told_is_dropped_by_those_who_tell_after_them() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let (record, moment) = (Bytes::from_static(b"\0 1"), Duration::from_millis(1));
    let living: Vec<_> = ["w1", "w2"].map(WorkerId::from_stored).into();
    // As long as one lives, the key does not end by itself.
    let first = broker.register(&living[0], &record, DEADLINE).await;
    first.unwrap();
    for silent in 0..50 {
        let silent = WorkerId::from_stored(&format!("silent {silent}"));
        broker.register(&silent, &record, moment).await.unwrap();
    }
    ask(&server, &["HSET", REGISTRY, "junk", "x"]).await;
    let told = async || {
        for worker in &living {
            broker.register(worker, &record, DEADLINE).await.unwrap();
        }
        (count(&server, REGISTRY).await == Value::Int(2)).then_some(())
    };
    eventually("the end of the silent", told).await;
    let (_, mut told) = broker.registered(0).await.unwrap();
    told.sort_by(|a, b| a.worker.cmp(&b.worker));
    let workers: Vec<_> = told.iter().map(|one| one.worker.clone()).collect();
    assert_eq!(workers, living);
    assert!(told.iter().all(|one| one.record == record));
}

#[tokio::test]
async fn what_workers_told_goes_with_the_last_of_them() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let (hour, moment) = (Duration::from_secs(3600), Duration::from_millis(20));
    let tell = async |name: &str, kept: Duration| {
        let worker = WorkerId::from_stored(name);
        broker.register(&worker, &Bytes::new(), kept).await.unwrap();
    };
    for (worker, kept, at_least) in [
        ("w1", hour, 3_500_000),
        ("w2", moment, 3_500_000),
        ("w3", 2 * hour, 7_000_000),
        ("w3", hour, 7_000_000),
    ] {
        tell(worker, kept).await;
        let Value::Int(left) = ask(&server, &["PTTL", REGISTRY]).await else {
            panic!("a time is a number");
        };
        let range = at_least..=7_200_000;
        assert!(range.contains(&left), "{worker} {kept:?}: {left}");
    }
    ask(&server, &["DEL", REGISTRY]).await;
    tell("w1", moment).await;
    let gone = async || {
        let exists = ask(&server, &["EXISTS", REGISTRY]).await;
        (exists == Value::Int(0)).then_some(())
    };
    eventually("its end", gone).await;
}

#[tokio::test]
async fn a_worker_without_the_right_to_let_its_key_expire_is_told_of_all_the_same() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    ask(&server, &["ACL", "SETUSER", "default", "-pexpire"]).await;
    let told = broker.register(&worker(), &Bytes::new(), DEADLINE).await;
    assert_eq!(told.unwrap(), None);
    let (_, told) = broker.registered(0).await.unwrap();
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn when_a_worker_told_is_a_time_of_the_server_to_the_millisecond() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let clock = async || {
        let Value::Array(parts) = ask(&server, &["TIME"]).await else {
            panic!("the time is two numbers");
        };
        let [seconds, micros] = parts.try_into().expect("the time is two numbers");
        let number = |part| redis::from_redis_value::<u64>(part).expect("a number");
        number(seconds) * 1000 + number(micros) / 1000
    };
    let before = clock().await;
    let told = broker.register(&worker(), &Bytes::new(), DEADLINE).await;
    told.unwrap();
    let (_, told) = broker.registered(0).await.unwrap();
    let seen = told[0].seen.as_ms();
    assert!((before..=clock().await).contains(&seen), "{before} {seen}");
}

#[tokio::test]
async fn an_order_expires_by_itself() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    broker
        .register(&worker(), &Bytes::new(), DEADLINE)
        .await
        .unwrap();
    assert!(broker.order(&worker(), Order::Quiet).await.unwrap());
    let Value::Int(left) = ask(&server, &["PTTL", "jobq:order:w1"]).await else {
        panic!("a time is a number");
    };
    assert!((1..=3_600_000).contains(&left), "{left}");
    assert_eq!(ask(&server, &["GET", "jobq:order:w1"]).await, bulk("quiet"));
    broker.deregister(&worker()).await.unwrap();
    assert_eq!(
        ask(&server, &["EXISTS", "jobq:order:w1"]).await,
        Value::Int(0)
    );
}

/// Or they would be lost with the worker.
#[tokio::test]
async fn reports_count_on_a_full_server() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    granted(&broker, &claim(0, 0)).await;
    ask(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    broker.report(&report("w1", 1, "a")).await.unwrap();
    let totals = broker.totals(&queue()).await.unwrap();
    assert_eq!(totals[0].totals.done, 2);
}

/// Where an operator wants to stop workers that make it worse.
#[tokio::test]
async fn an_order_reaches_its_worker_on_a_full_server() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    ask(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    let told = async || broker.register(&worker(), &Bytes::new(), DEADLINE).await;
    assert_eq!(told().await.unwrap(), None);
    for order in [Order::Quiet, Order::Stop] {
        assert!(broker.order(&worker(), order).await.unwrap());
        assert_eq!(told().await.unwrap(), Some(order));
    }
}

#[tokio::test]
async fn an_order_waits_for_as_long_from_each_time_it_is_given() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let key = "jobq:order:w1";
    broker
        .register(&worker(), &Bytes::new(), DEADLINE)
        .await
        .unwrap();
    for (order, again) in [
        (Order::Quiet, Order::Quiet),
        (Order::Quiet, Order::Stop),
        (Order::Stop, Order::Stop),
    ] {
        broker.order(&worker(), order).await.unwrap();
        ask(&server, &["PEXPIRE", key, "60000"]).await;
        broker.order(&worker(), again).await.unwrap();
        let Value::Int(left) = ask(&server, &["PTTL", key]).await else {
            panic!("a time is a number");
        };
        assert!(left > 3_000_000, "{order:?}, {again:?}: {left}");
    }
}

#[tokio::test]
async fn an_order_of_a_later_version_is_passed_over() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    ask(&server, &["SET", "jobq:order:w1", "dance"]).await;
    let order = broker.register(&worker(), &Bytes::new(), DEADLINE).await;
    assert_eq!(order.unwrap(), None);
    ask(&server, &["DEL", "jobq:order:w1"]).await;
    ask(&server, &["LPUSH", "jobq:order:w1", "stop"]).await;
    let error = broker.register(&worker(), &Bytes::new(), DEADLINE).await;
    assert!(!error.unwrap_err().is_retryable(), "a damaged key is told");
}
