//! The set of cancelled ids as Redis keeps it: its times, its end, and what others write there.

use jobq::At;

use super::fixture::*;

const KEY: &str = "jobq:{mail}:cancelled";
const DELAYED: &str = "jobq:{mail}:delayed";
const WEEK: i64 = 7 * 24 * 3600 * 1000;

async fn number(server: &RedisServer, words: &[&str]) -> i64 {
    match ask(server, words).await {
        Value::Int(number) => number,
        other => panic!("{other:?}"),
    }
}

/// An id whose bytes are text.
fn id(text: &str) -> JobId {
    JobId::from_bytes(text.as_bytes().try_into().unwrap())
}

const OLD: &str = "old old old old ";
const YOUNG: &str = "young young youn";
const NEW: &str = "new new new new ";

const DAY: i64 = WEEK / 7;
const MINUTE: i64 = 60_000;

/// Lets time pass for a queue: what the server keeps of it moves into the past.
async fn pass(server: &RedisServer, ms: i64) {
    let script = "
        for _, key in ipairs(KEYS) do
          local ends = redis.call('PEXPIRETIME', key)
          local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
          for i = 1, #all, 2 do
            redis.call('ZADD', key, string.format('%.0f', all[i + 1] - ARGV[1]), all[i])
          end
          if ends > 0 then
            redis.call('PEXPIREAT', key, string.format('%.0f', ends - ARGV[1]))
          end
        end";
    let words = ["EVAL", script, "2", KEY, DELAYED, &ms.to_string()];
    ask(server, &words).await;
}

async fn delayed(broker: &RedisBroker, text: &str, due: Due) {
    let entry = Entry { due, ..now(text) };
    broker.enqueue(&queue(), &[entry]).await.unwrap();
}

fn days(days: u64) -> Due {
    Due::After(Duration::from_secs(days * 24 * 3600))
}

async fn purge_delayed(broker: &RedisBroker) {
    let purged = broker.purge(&queue(), JobState::Delayed).await;
    assert_eq!(purged.unwrap(), 1);
}

async fn counts(broker: &RedisBroker, text: &str) -> bool {
    broker.cancelled(&queue(), &[id(text)]).await.unwrap()[0]
}

#[tokio::test]
async fn an_id_counts_until_its_time_and_is_dropped_by_the_next() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let now = broker.now().as_ms() as i64;
    for (text, until) in [(OLD, now - 1000), (YOUNG, now + MINUTE)] {
        ask(&server, &["ZADD", KEY, &until.to_string(), text]).await;
    }
    let ids = [OLD, YOUNG, NEW].map(id);
    let cancelled = broker.cancelled(&queue(), &ids).await.unwrap();
    assert_eq!(cancelled, [false, true, false]);
    broker.cancel(&queue(), id(NEW)).await.unwrap();
    assert_eq!(number(&server, &["ZCARD", KEY]).await, 2);
    let cancelled = broker.cancelled(&queue(), &ids).await.unwrap();
    assert_eq!(cancelled, [false, true, true]);
}

#[tokio::test]
async fn an_id_counts_for_seven_days_after_all_that_is_delayed_is_due() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    delayed(&broker, "a", days(3)).await;
    delayed(&broker, "b", days(30)).await;
    broker.cancel(&queue(), id(NEW)).await.unwrap();
    pass(&server, 37 * DAY - MINUTE).await;
    assert!(counts(&broker, NEW).await);
    assert!(granted(&broker, &claim(0, 1)).await.cancelled);
    pass(&server, MINUTE).await;
    assert!(!counts(&broker, NEW).await);
    assert!(!granted(&broker, &claim(1, 1)).await.cancelled);
}

#[tokio::test]
async fn where_nothing_is_delayed_an_id_counts_for_seven_days_from_now() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let clock = "local now = redis.call('TIME')
        return now[1] * 1000 + math.floor(now[2] / 1000)";
    let until = "return tonumber(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2])";
    for _ in 0..3 {
        ask(&server, &["FLUSHALL"]).await;
        let before = number(&server, &["EVAL", clock, "0"]).await;
        broker.cancel(&queue(), id(NEW)).await.unwrap();
        let after = number(&server, &["EVAL", clock, "0"]).await;
        let from = number(&server, &["EVAL", until, "1", KEY]).await - WEEK;
        assert!((before..=after).contains(&from), "{before} {from} {after}");
    }
}

#[tokio::test]
async fn a_later_cancellation_shortens_no_earlier_one() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    delayed(&broker, "a", days(30)).await;
    for text in [OLD, YOUNG] {
        broker.cancel(&queue(), id(text)).await.unwrap();
    }
    purge_delayed(&broker).await;
    for text in [NEW, YOUNG] {
        broker.cancel(&queue(), id(text)).await.unwrap();
    }
    pass(&server, 37 * DAY - MINUTE).await;
    for text in [OLD, YOUNG] {
        assert!(counts(&broker, text).await, "{text}");
    }
    assert!(granted(&broker, &claim(0, 1)).await.cancelled);
}

#[tokio::test]
async fn a_job_that_is_never_due_keeps_ids_as_long_as_a_number_can_say() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    for ms in [u64::MAX, (1 << 53) - 1, 1 << 52] {
        delayed(&broker, "a", Due::At(At::from_ms(ms))).await;
        for text in [NEW, YOUNG, OLD, NEW] {
            broker.cancel(&queue(), id(text)).await.unwrap();
        }
        let left = number(&server, &["PTTL", KEY]).await;
        assert!((1 << 51..1 << 53).contains(&left), "{left}");
        let Value::Array(kept) = ask(&server, &["ZRANGE", KEY, "0", "-1"]).await else {
            panic!("a list");
        };
        assert_eq!(kept, [YOUNG, OLD, NEW].map(bulk), "no two have one time");
        purge_delayed(&broker).await;
        ask(&server, &["DEL", KEY]).await;
    }
}

#[tokio::test]
async fn a_time_that_is_none_stops_no_cancellation() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    for time in ["inf", "1e300", "-inf", "-5", "0.5"] {
        ask(&server, &["ZADD", KEY, time, OLD]).await;
        ask(&server, &["ZADD", DELAYED, time, "a"]).await;
        for text in [NEW, YOUNG] {
            broker.cancel(&queue(), id(text)).await.unwrap();
            assert!(counts(&broker, text).await, "{time}");
        }
        assert!(number(&server, &["PTTL", KEY]).await >= WEEK - MINUTE);
        ask(&server, &["DEL", KEY]).await;
    }
}

#[tokio::test]
async fn a_set_that_is_not_used_goes_away() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let week = WEEK - MINUTE..=WEEK + 1;
    for _ in 0..2 {
        broker.cancel(&queue(), id(NEW)).await.unwrap();
        assert!(week.contains(&number(&server, &["PTTL", KEY]).await));
        ask(&server, &["PEXPIRE", KEY, "60000"]).await;
    }
    ask(&server, &["PEXPIRE", KEY, "1"]).await;
    eventually("the set to be gone", async || {
        let grant = granted(&broker, &claim(0, 1)).await;
        (!grant.cancelled).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_too_much_is_dropped_a_thousand_at_a_time() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let fill = "for i = 1, 12500 do redis.call('ZADD', KEYS[1], ARGV[1] + i, i) end";
    // Far enough not to be over while this runs.
    let later = broker.now().as_ms() as i64 + DAY;
    for (from, left) in [
        (0, [11_501, 10_502, 9_503]),
        (later, [11_501, 10_502, 10_000]),
    ] {
        ask(&server, &["EVAL", fill, "1", KEY, &from.to_string()]).await;
        for left in left {
            broker.cancel(&queue(), JobId::new()).await.unwrap();
            assert_eq!(number(&server, &["ZCARD", KEY]).await, left);
        }
        ask(&server, &["DEL", KEY]).await;
    }
}

#[tokio::test]
async fn a_key_of_another_type_stops_the_claim_with_nothing_moved() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    ask(&server, &["SET", KEY, "damaged"]).await;
    let refused = as_dyn(&broker).claim(&claim(0, 1)).await.unwrap_err();
    assert!(!refused.is_retryable(), "{refused}");
    assert!(broker.cancel(&queue(), id(NEW)).await.is_err());
    assert!(broker.cancelled(&queue(), &[id(NEW)]).await.is_err());
    ask(&server, &["DEL", KEY]).await;
    ask(&server, &["SET", DELAYED, "damaged"]).await;
    assert!(broker.cancel(&queue(), id(NEW)).await.is_err());
    assert_eq!(number(&server, &["EXISTS", KEY]).await, 0);
    ask(&server, &["DEL", DELAYED]).await;
    let grant = granted(&broker, &claim(0, 1)).await;
    assert_eq!(
        (grant.counter, grant.envelopes),
        (1, vec![Bytes::from("a")])
    );
}
