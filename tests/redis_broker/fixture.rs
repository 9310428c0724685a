//! A queue, a worker, and what they say to a broker on a server of one test's own.

pub(crate) use std::time::Duration;

pub(crate) use bytes::Bytes;
pub(crate) use jobq::broker::redis::{RedisBroker, RedisConfig};
pub(crate) use jobq::broker::{
    Action, Adoption, Broker, Claim, Claimed, DeadCaps, Due, Entry, Examine, Grant, Inspect,
    JobState, Member, Operate, Order, ReleaseTo, Renewed, Report, Requeue, Settle, Settlement,
    TakeDead, Wake,
};
pub(crate) use jobq::{
    BrokerErrorKind, ConnectError, JobId, QueueName, Tally, Token, Totals, WorkerId,
};
use jobq_proxy::Proxy;
pub(crate) use redis::Value;
pub(crate) use support::{DEADLINE, RedisServer, eventually, within};

/// A server that keeps what it has acknowledged.
pub(crate) fn durable() -> RedisServer {
    RedisServer::start_with(&[("appendonly", "yes"), ("appendfsync", "always")])
}

pub(crate) async fn broker_on(server: &RedisServer) -> RedisBroker {
    broker_within(server, Duration::from_secs(5)).await
}

pub(crate) async fn broker_within(server: &RedisServer, timeout: Duration) -> RedisBroker {
    broker_at(&server.url(), timeout).await
}

/// However short the timeout is that the test asks for: a busy machine may take longer to connect.
async fn broker_at(url: &str, timeout: Duration) -> RedisBroker {
    let config = RedisConfig::parse(url, None).unwrap();
    let connect = async || RedisBroker::connect(config.clone(), timeout).await.ok();
    eventually("the broker to connect", connect).await
}

/// A way to the server, and a broker that goes by it.
pub(crate) async fn broker_by_way(server: &RedisServer, timeout: Duration) -> (Proxy, RedisBroker) {
    let proxy = Proxy::start(server.address()).await.unwrap();
    let url = format!("redis://{}", proxy.address());
    let broker = broker_at(&url, timeout).await;
    (proxy, broker)
}

/// A command on a connection of its own, beside every broker.
pub(crate) async fn ask(server: &RedisServer, words: &[&str]) -> Value {
    ask_at(&server.url(), words).await
}

/// The same with a URL, for a server that wants a password.
pub(crate) async fn ask_at(url: &str, words: &[&str]) -> Value {
    let mut connection = support::beside(url).await.unwrap();
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connection).await.unwrap()
}

/// How often the server has run a command since it was last asked, scripts included.
pub(crate) async fn calls(server: &RedisServer, command: &str) -> u64 {
    let info = ask(server, &["INFO", "commandstats"]).await;
    ask(server, &["CONFIG", "RESETSTAT"]).await;
    let Value::BulkString(info) = info else {
        panic!("{info:?}");
    };
    let info = String::from_utf8(info).unwrap();
    let begin = format!("cmdstat_{command}:calls=");
    let line = info.lines().find_map(|line| line.strip_prefix(&begin));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// Waits until someone blocks on the server.
pub(crate) async fn someone_waits(server: &RedisServer) {
    eventually("a blocked client", async || {
        let clients = ask(server, &["CLIENT", "LIST"]).await;
        is_blocked(&clients).then_some(())
    })
    .await;
}

fn is_blocked(clients: &Value) -> bool {
    match clients {
        Value::BulkString(text) => String::from_utf8_lossy(text).contains("cmd=blmove"),
        _ => false,
    }
}

/// The broker as the trait's own methods want it.
pub(crate) fn as_dyn(broker: &RedisBroker) -> &dyn Broker {
    broker
}

pub(crate) fn queue() -> QueueName {
    QueueName::new("mail").unwrap()
}

pub(crate) fn worker() -> WorkerId {
    WorkerId::from_stored("w1")
}

pub(crate) fn now(text: &str) -> Entry {
    Entry {
        envelope: Bytes::copy_from_slice(text.as_bytes()),
        due: Due::Now,
    }
}

pub(crate) fn later(text: &str) -> Entry {
    Entry {
        due: Due::After(Duration::from_secs(3600)),
        ..now(text)
    }
}

pub(crate) fn claim(known: u64, max: u32) -> Claim {
    Claim {
        member: Member {
            queue: queue(),
            worker: worker(),
            known,
        },
        max,
        suspect: false,
    }
}

pub(crate) fn acks(claim: u64, indices: impl IntoIterator<Item = u32>) -> Settle {
    let acks = indices.into_iter().map(|index| Settlement {
        token: Token { claim, index },
        action: Action::Ack,
    });
    Settle {
        queue: queue(),
        worker: worker(),
        resent: false,
        caps: DeadCaps::default(),
        settlements: acks.collect(),
    }
}

pub(crate) async fn granted(broker: &RedisBroker, request: &Claim) -> Grant {
    match as_dyn(broker).claim(request).await.unwrap() {
        Claimed::Granted(grant) => grant,
        Claimed::Reaped => panic!("reaped"),
    }
}

pub(crate) fn bulk(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}
