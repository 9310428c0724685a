//! What an adoption makes of a handoff and of records that are many, or that others wrote.

use jobq::broker::Adopted;

use super::fixture::*;

const READY: &str = "jobq:{mail}:ready";
const HANDOFF: &str = "jobq:{mail}:handoff:w2";
const RECORDS: &str = "jobq:{mail}:inflight:w2";

/// A worker that has died, with a counter of 3.
async fn died(server: &RedisServer) -> RedisBroker {
    ask(server, &["HSET", "jobq:{mail}:workers", "w2", "3"]).await;
    broker_on(server).await
}

/// By one that knows this counter: the jobs, and whether there are more.
async fn adopt(broker: &RedisBroker, known: u64, max: u32) -> (Vec<Bytes>, bool) {
    let adoption = Adoption {
        member: claim(known, 0).member,
        target: WorkerId::from_stored("w2"),
        seen: Some(if known == 0 { 3 } else { 0 }),
        max,
    };
    match broker.adopt(&adoption).await.unwrap() {
        Adopted::Taken {
            envelopes, more, ..
        } => (envelopes, more),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn fields_that_are_no_tokens_are_adopted_last() {
    let server = RedisServer::start();
    let broker = died(&server).await;
    let mut words = vec!["HSET", RECORDS];
    words.extend([
        "odd", "x", "2.", "x", "3.1", "c", "2.10", "b", "2.9", "a", ".1", "x",
    ]);
    ask(&server, &words).await;
    let (envelopes, _) = adopt(&broker, 0, 10).await;
    assert_eq!(envelopes, ["a", "b", "c", "x", "x", "x"]);
}

#[tokio::test]
async fn five_thousand_jobs_are_still_adopted_in_their_order() {
    let server = RedisServer::start();
    let broker = died(&server).await;
    let fill = "for i = 1, 5000 do redis.call('HSET', KEYS[1], '3.' .. i, i) end";
    ask(&server, &["EVAL", fill, "1", RECORDS]).await;
    let (envelopes, _) = adopt(&broker, 0, 3).await;
    assert_eq!(envelopes, ["1", "2", "3"]);
}

/// To sort them would hold the server for long: any go first.
#[tokio::test]
async fn of_more_than_five_thousand_jobs_only_as_many_are_looked_at_as_are_adopted() {
    let server = RedisServer::start();
    let broker = died(&server).await;
    let fill = "for i = 1, 5001 do redis.call('HSET', KEYS[1], '3.' .. i, i) end";
    ask(&server, &["EVAL", fill, "1", RECORDS]).await;
    calls(&server, "hkeys").await;
    let (envelopes, _) = adopt(&broker, 0, 3).await;
    assert_eq!((envelopes.len(), calls(&server, "hkeys").await), (3, 0));
}

#[tokio::test]
async fn a_handoff_goes_back_a_thousand_at_a_time_and_no_command_is_for_nothing() {
    let server = RedisServer::start();
    let broker = died(&server).await;
    let fill = "for i = 1, 1500 do redis.call('LPUSH', KEYS[1], i) end";
    ask(&server, &["EVAL", fill, "1", HANDOFF]).await;
    for (known, moved, ready) in [(0, 1000, 1000), (1, 500, 1500)] {
        calls(&server, "lmove").await;
        let adopted = adopt(&broker, known, 10).await;
        assert_eq!(adopted, (vec![], ready < 1500));
        assert_eq!(calls(&server, "lmove").await, moved);
        assert_eq!(ask(&server, &["LLEN", READY]).await, Value::Int(ready));
    }
}

/// Whatever it says that it knows.
#[tokio::test]
async fn one_who_is_being_adopted_cannot_renew_as_if_it_joined() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let member = claim(0, 0).member;
    let worker = member.worker.as_str();
    ask(&server, &["HSET", "jobq:{mail}:workers", worker, "0"]).await;
    assert_eq!(broker.renew(&member).await.unwrap(), Renewed::Reaped);
}
