//! Many callers that enqueue at once: their jobs go together, and each is told of its own.

use std::collections::HashSet;

use futures_util::future::join_all;
use jobq::BrokerError;
use tokio::task::{JoinSet, yield_now};

use super::fixture::*;

/// More than go out each by itself.
const MANY: usize = 40;

fn named(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

/// Every element of a list.
async fn ready(server: &RedisServer, queue: &str) -> Vec<String> {
    let key = format!("jobq:{{{queue}}}:ready");
    let list = ask(server, &["LRANGE", &key, "0", "-1"]).await;
    redis::from_redis_value(list).unwrap()
}

/// Enqueues one job for each text, all at once.
async fn at_once(
    broker: &RedisBroker,
    jobs: impl IntoIterator<Item = (QueueName, String)>,
) -> Vec<Result<(), BrokerError>> {
    let calls = jobs.into_iter().map(|(queue, text)| async move {
        let entry = now(&text);
        broker.enqueue(&queue, &[entry]).await
    });
    join_all(calls).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_jobs_of_many_callers_go_together_and_each_is_there_once() {
    let server = RedisServer::start();
    let broker = std::sync::Arc::new(broker_on(&server).await);
    calls(&server, "lpush").await;
    let mut callers = JoinSet::new();
    for caller in 0..MANY {
        let broker = broker.clone();
        callers.spawn(async move {
            let mut last = None;
            for job in 0..50 {
                let text = format!("{caller:02}-{job:02}");
                broker.enqueue(&queue(), &[now(&text)]).await.unwrap();
                assert!(last < Some(text.clone()));
                last = Some(text);
            }
        });
    }
    callers.join_all().await;
    let jobs = ready(&server, "mail").await;
    assert_eq!(jobs.len(), MANY * 50);
    assert_eq!(jobs.iter().collect::<HashSet<_>>().len(), MANY * 50);
    // What one caller enqueues one after the other stands so: the first at the right end.
    for caller in 0..MANY {
        let begin = format!("{caller:02}-");
        let mine = jobs.iter().rev().filter(|job| job.starts_with(&begin));
        assert!(mine.is_sorted(), "{jobs:?}");
    }
    let sent = calls(&server, "lpush").await;
    assert!(sent < (MANY as u64) * 25, "{sent} times");
    assert_eq!(broker.queues().await.unwrap(), [queue()]);
}

#[tokio::test]
async fn what_one_queue_refuses_another_takes() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    ask(&server, &["SET", "jobq:{bad}:ready", "no list"]).await;
    let jobs = (0..MANY).map(|job| {
        let queue = if job % 2 == 0 { "good" } else { "bad" };
        (named(queue), format!("{job}"))
    });
    let answers = at_once(&broker, jobs).await;
    for (job, answer) in answers.into_iter().enumerate() {
        match job % 2 {
            0 => answer.unwrap(),
            _ => {
                let error = answer.unwrap_err();
                assert_eq!(error.kind(), BrokerErrorKind::Corrupt, "{error}");
                assert!(!error.is_outcome_unknown(), "{error}");
            }
        }
    }
    assert_eq!(ready(&server, "good").await.len(), MANY / 2);
    assert!(broker.queues().await.unwrap().contains(&named("good")));
}

#[tokio::test]
async fn a_server_that_is_full_refuses_each_and_takes_none() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    ask(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    let jobs = (0..MANY).map(|job| (queue(), format!("{job}")));
    for answer in at_once(&broker, jobs).await {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Refused, "{error}");
        assert!(!error.is_outcome_unknown(), "{error}");
    }
    assert!(ready(&server, "mail").await.is_empty());
}

#[tokio::test]
async fn where_nobody_is_each_is_told_that_nothing_was_enqueued() {
    let mut server = RedisServer::start();
    let broker = broker_within(&server, Duration::from_millis(300)).await;
    server.kill();
    // By the first it may only be noticed.
    let _ = broker.enqueue(&queue(), &[now("a")]).await;
    let jobs = (0..MANY).map(|job| (queue(), format!("{job}")));
    for answer in at_once(&broker, jobs).await {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Unavailable, "{error}");
        assert!(!error.is_outcome_unknown(), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_leaves_nobody_waiting() {
    let server = RedisServer::start();
    let (proxy, broker) = broker_by_way(&server, Duration::from_millis(300)).await;
    proxy.stall_both();
    let jobs = (0..MANY).map(|job| (queue(), format!("{job}")));
    for answer in within("an answer to each", at_once(&broker, jobs)).await {
        assert!(answer.unwrap_err().is_retryable());
    }
    proxy.heal().await;
    while let Err(error) = broker.enqueue(&queue(), &[now("z")]).await {
        assert!(error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn who_gives_up_while_waiting_enqueues_nothing_and_takes_nobody_along() {
    let server = RedisServer::start();
    let (proxy, broker) = broker_by_way(&server, DEADLINE).await;
    let broker = std::sync::Arc::new(broker);
    proxy.stall_both();
    let mut callers: Vec<_> = (0..MANY)
        .map(|job| {
            let broker = broker.clone();
            tokio::spawn(async move { broker.enqueue(&queue(), &[now(&format!("{job}"))]).await })
        })
        .collect();
    // The callers on their own have sent, and the task that sends has taken the others' jobs.
    for _ in 0..10 {
        yield_now().await;
    }
    let impatient: Vec<_> = (0..MANY)
        .map(|job| {
            let broker = broker.clone();
            tokio::spawn(async move { broker.enqueue(&queue(), &[now(&format!("x{job}"))]).await })
        })
        .collect();
    yield_now().await;
    impatient.iter().for_each(tokio::task::JoinHandle::abort);
    // The caller that came first after those which went alone: it had the sender started.
    callers.remove(8).abort();
    proxy.heal().await;
    for caller in callers {
        within("an answer", caller).await.unwrap().unwrap();
    }
    let jobs = ready(&server, "mail").await;
    assert_eq!(jobs.len(), MANY, "{jobs:?}");
    assert!(!jobs.iter().any(|job| job.starts_with('x')), "{jobs:?}");
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting_and_another_goes_on() {
    let server = RedisServer::start();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let (proxy, broker) = second.block_on(broker_by_way(&server, DEADLINE));
    let broker = std::sync::Arc::new(broker);
    proxy.stall_both();
    let enqueue = |text: String| {
        let broker = broker.clone();
        async move { broker.enqueue(&queue(), &[now(&text)]).await }
    };
    // The sender is started here, and ends with this runtime.
    first.block_on(async {
        for job in 0..MANY {
            tokio::spawn(enqueue(format!("{job}")));
        }
        yield_now().await;
    });
    let waiting: Vec<_> = (0..MANY)
        .map(|job| second.spawn(enqueue(format!("second {job}"))))
        .collect();
    second.block_on(async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    drop(first);
    second.block_on(async {
        proxy.heal().await;
        let mut refused = 0;
        for caller in waiting {
            let answer = within("an answer", caller).await.unwrap();
            refused += usize::from(answer.is_err());
        }
        assert!(refused > 0, "nobody waited for the sender");
        for answer in at_once(&broker, (0..MANY).map(|job| (queue(), format!("{job}")))).await {
            answer.unwrap();
        }
    });
}
