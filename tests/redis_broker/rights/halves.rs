//! What a role does that lacks one of its rights: no step stops half way and loses a job.

use support::Role;

use super::super::fixture::*;
use super::grant;

/// Jobs in every place that there is, of a worker that lives and of one that is dead.
async fn plant(server: &RedisServer) {
    for words in [
        &["LPUSH", "jobq:{mail}:ready", "r1", "r2"][..],
        &["LPUSH", "jobq:{mail}:suspects", "s"],
        &["LPUSH", "jobq:{mail}:dead", "x"],
        &[
            "ZADD",
            "jobq:{mail}:delayed",
            "1",
            "due",
            "4000000000000",
            "z",
        ],
        &["LPUSH", "jobq:{mail}:handoff:w1", "h1"],
        &["LPUSH", "jobq:{mail}:handoff:gone", "h2"],
        &["HSET", "jobq:{mail}:workers", "w1", "5", "gone", "3"],
        &["HSET", "jobq:{mail}:inflight:gone", "3.1", "g"],
        &[
            "HSET",
            "jobq:{mail}:inflight:w1",
            "5.1",
            "a",
            "5.2",
            "b",
            "5.3",
            "c",
            "5.4",
            "d",
            "5.5",
            "e",
        ],
    ] {
        ask(server, words).await;
    }
}

/// How many jobs there are, wherever.
async fn count(server: &RedisServer) -> i64 {
    let all = "local count = 0
        for _, key in ipairs(redis.call('KEYS', 'jobq:{mail}:*')) do
          local kind, name = redis.call('TYPE', key).ok, string.match(key, '}:(%a+)')
          if kind == 'list' then count = count + redis.call('LLEN', key) end
          if name == 'delayed' then count = count + redis.call('ZCARD', key) end
          if name == 'inflight' then count = count + redis.call('HLEN', key) end
        end
        return count";
    match ask(server, &["EVAL", all, "0"]).await {
        Value::Int(count) => count,
        other => panic!("{other:?}"),
    }
}

fn moves() -> [Action; 5] {
    let envelope = Bytes::from("again");
    let release = |to, envelope| Action::Release { to, envelope };
    [
        Action::Retry {
            delay: Duration::from_secs(3600),
            envelope: envelope.clone(),
        },
        Action::Bury {
            record: Bytes::from("dead"),
        },
        release(ReleaseTo::Front, None),
        release(ReleaseTo::Suspects, None),
        release(ReleaseTo::Front, Some(envelope)),
    ]
}

/// Everything that moves jobs, each by itself: what is refused does not keep the rest.
async fn work(broker: &RedisBroker) {
    for (action, index) in moves().into_iter().zip(1..) {
        let token = Token { claim: 5, index };
        let settle = Settle {
            settlements: vec![Settlement { token, action }],
            ..acks(0, [])
        };
        let _ = as_dyn(broker).settle(settle).await;
    }
    let _ = broker.promote(&queue(), &worker()).await;
    for suspect in [true, false] {
        let claim = Claim {
            suspect,
            ..claim(5, 1)
        };
        let _ = as_dyn(broker).claim(&claim).await;
    }
    let adoption = Adoption {
        member: claim(5, 0).member,
        target: WorkerId::from_stored("gone"),
        seen: Some(3),
        max: 10,
    };
    let _ = broker.adopt(&adoption).await;
}

async fn operate(broker: &RedisBroker) {
    let job = |envelope: &'static str| Requeue {
        id: JobId::new(),
        envelope: Bytes::from_static(envelope.as_bytes()),
    };
    let take = TakeDead {
        record: Bytes::from("x"),
        requeue: Some(job("x")),
    };
    let _ = broker.take_dead(&queue(), &[take], 0).await;
    let _ = broker.run_now(&queue(), &Bytes::from("z"), &job("z")).await;
}

#[tokio::test]
async fn a_right_that_is_missing_loses_no_job() {
    let server = RedisServer::start();
    for role in [Role::Worker, Role::Operator] {
        let rules = role.rules("jobq");
        for missing in rules.iter().filter(|rule| rule.starts_with('+')) {
            let left: Vec<_> = rules
                .iter()
                .filter(|rule| *rule != missing)
                .cloned()
                .collect();
            ask(&server, &["FLUSHALL"]).await;
            plant(&server).await;
            let before = count(&server).await;
            grant(&server, role, &left).await;
            let config = RedisConfig::parse(&role.log_in(&server.url()), None).unwrap();
            let Ok(broker) = RedisBroker::connect(config, DEADLINE).await else {
                // It may not even begin.
                continue;
            };
            match role {
                Role::Worker => work(&broker).await,
                _ => operate(&broker).await,
            }
            assert_eq!(count(&server).await, before, "{role:?} without {missing}");
        }
    }
}

#[tokio::test]
async fn who_may_not_withdraw_a_job_whole_withdraws_none() {
    let server = RedisServer::start();
    let many = "for i = 0, 120000 do redis.call('LPUSH', KEYS[1], i) end";
    ask(&server, &["EVAL", many, "1", "jobq:{mail}:ready"]).await;
    let rules = Role::Operator.rules("jobq");
    // Near an end one is removed, in the depth another takes its place.
    for (missing, place) in [("+lrem", 7), ("+lset", 60_000), ("+lpop", 60_000)] {
        let left: Vec<_> = rules
            .iter()
            .filter(|rule| *rule != missing)
            .cloned()
            .collect();
        grant(&server, Role::Operator, &left).await;
        let url = Role::Operator.log_in(&server.url());
        let config = RedisConfig::parse(&url, None).unwrap();
        let broker = RedisBroker::connect(config, DEADLINE).await.unwrap();
        let element = Bytes::from(place.to_string());
        let refused = broker
            .withdraw(&queue(), JobState::Ready, &element, place)
            .await;
        assert_eq!(
            refused.unwrap_err().kind(),
            BrokerErrorKind::Forbidden,
            "{missing}"
        );
        assert_eq!(count(&server).await, 120_001, "{missing}");
        for (index, there) in [(0, 120_000), (-1 - i64::try_from(place).unwrap(), place)] {
            let found = ask(
                &server,
                &["LINDEX", "jobq:{mail}:ready", &index.to_string()],
            )
            .await;
            assert_eq!(
                found,
                Value::BulkString(there.to_string().into()),
                "{missing}"
            );
        }
    }
}
