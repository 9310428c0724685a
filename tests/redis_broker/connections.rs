//! Connections that are lost, and servers that go away or fall silent.

use jobq_proxy::{Cut, Direction, Ending, Proxy};

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::fixture::*;

#[tokio::test]
async fn a_killed_connection_is_opened_again_with_the_next_call() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    let waiter = broker.waiter(&queue(), &worker());
    let signal = broker.due_signal(&queue());
    within("the signal that it listens", signal.notified()).await;
    for round in 0..5 {
        ask(&server, &["CLIENT", "KILL", "TYPE", "normal"]).await;
        ask(&server, &["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        // The kill may arrive while the call is under way; the next one finds a new connection.
        let enqueued = broker.enqueue(&queue(), &[now("a")]).await;
        if let Err(error) = enqueued {
            assert!(error.is_retryable(), "{error}");
            broker.enqueue(&queue(), &[now("a")]).await.unwrap();
        }
        if waiter.wait(DEADLINE).await.is_err() {
            assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Handed);
        }
        assert!(
            !granted(&broker, &claim(round, 10))
                .await
                .envelopes
                .is_empty()
        );
        // It listens again: told once because signals may have been lost.
        within("the signal that it listens", signal.notified()).await;
    }
    assert!(broker.now().as_ms() > 1_700_000_000_000);
}

#[tokio::test]
async fn a_server_that_was_killed_is_found_again() {
    let mut server = durable();
    let broker = broker_within(&server, Duration::from_millis(500)).await;
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    server.kill();
    let error = broker.enqueue(&queue(), &[now("b")]).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    // By now it is known that nobody is there: nothing is sent.
    let error = broker.enqueue(&queue(), &[now("b")]).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unavailable);
    assert!(!error.is_outcome_unknown(), "{error}");
    let waiter = broker.waiter(&queue(), &worker());
    assert!(waiter.wait(DEADLINE).await.is_err());
    server.restart();
    let fresh = broker_on(&server).await;
    assert_eq!(granted(&fresh, &claim(0, 10)).await.envelopes, ["a"]);
    assert_eq!(
        waiter.wait(Duration::from_millis(1)).await.unwrap(),
        Wake::TimedOut
    );
    assert_eq!(broker.queues().await.unwrap(), [queue()]);
}

#[tokio::test]
async fn the_same_broker_goes_on_after_a_restart() {
    let mut server = durable();
    let broker = broker_on(&server).await;
    broker
        .enqueue(&queue(), &[now("a"), now("b")])
        .await
        .unwrap();
    let first = granted(&broker, &claim(0, 1)).await;
    server.restart();
    let settle = Settle {
        resent: true,
        ..acks(first.counter, [1])
    };
    // The loss may be noticed only by sending.
    let settled = match as_dyn(&broker).settle(settle.clone()).await {
        Err(error) if error.is_outcome_unknown() => as_dyn(&broker).settle(settle).await,
        settled => settled,
    };
    assert_eq!(settled.unwrap().accepted, [true]);
    let next = granted(&broker, &claim(first.counter, 10)).await;
    assert_eq!((next.counter, next.envelopes), (2, vec![Bytes::from("b")]));
}

/// As where a firewall has forgotten it: the connection never ends.
#[tokio::test]
async fn a_connection_that_left_a_call_without_an_answer_has_to_answer_before_the_next() {
    let server = RedisServer::start();
    // Long beside what it takes to answer.
    let (proxy, broker) = broker_by_way(&server, Duration::from_secs(3)).await;
    proxy.forget(1..=proxy.carried().connections);
    let error = broker.members(&queue()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Timeout);
    assert!(broker.members(&queue()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_silent_server_is_given_up_within_the_timeout_and_served_again() {
    let server = RedisServer::start();
    let broker = broker_within(&server, Duration::from_millis(100)).await;
    let url = server.url();
    let asleep = tokio::spawn(async move {
        let mut connection = support::beside(&url).await.unwrap();
        let mut command = redis::cmd("DEBUG");
        command.arg("SLEEP").arg(1.5);
        command.query_async::<()>(&mut connection).await.unwrap();
    });
    // The first calls may be answered before it falls asleep.
    let error = loop {
        if let Err(error) = broker.members(&queue()).await {
            break error;
        }
    };
    assert_eq!(error.kind(), BrokerErrorKind::Timeout);
    assert!(error.is_outcome_unknown());
    asleep.await.unwrap();
    while let Err(error) = broker.members(&queue()).await {
        assert!(error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn a_connection_in_doubt_is_asked_for_no_longer_than_the_call_may_take() {
    let server = RedisServer::start();
    // Shorter than a connection in doubt may take.
    let timeout = Duration::from_millis(200);
    let broker = broker_within(&server, timeout).await;
    server.signal("STOP");
    // From here on time is what is waited for, however long the machine takes.
    tokio::time::pause();
    for _ in 0..2 {
        let asked = Instant::now();
        let error = broker.members(&queue()).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        let took = asked.elapsed();
        assert!(took <= timeout + Duration::from_millis(10), "{took:?}");
    }
    tokio::time::resume();
    server.signal("CONT");
    while let Err(error) = broker.members(&queue()).await {
        assert!(error.is_retryable(), "{error}");
    }
}

#[test]
fn a_fork_lives_on_the_runtime_that_asked_for_it() {
    let server = RedisServer::start();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let broker = first.block_on(broker_on(&server));
    let fork = second.block_on(broker.fork()).unwrap();
    drop(first);
    let renewed = second.block_on(fork.renew(&claim(0, 0).member)).unwrap();
    assert!(
        matches!(renewed, Renewed::Alive { counter: 1, .. }),
        "{renewed:?}"
    );
}

/// The reply to the handshake ends with any of its bytes, and once with none.
#[tokio::test]
async fn a_connection_that_ends_amid_the_handshake_is_opened_again() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.address()).await.unwrap();
    let url = format!("redis://{}", proxy.address());
    let config = RedisConfig::parse(&url, None).unwrap();
    let connect = async || RedisBroker::connect(config.clone(), Duration::from_secs(5)).await;
    connect().await.unwrap();
    let handshake = proxy.carried().reply;
    for (bytes, ending) in (0..=handshake)
        .step_by(41)
        .zip([Ending::Finish, Ending::Reset].into_iter().cycle())
    {
        proxy.cut(Direction::Reply, Cut::after(bytes, ending));
        let connected = connect().await;
        assert!(connected.is_ok(), "{bytes}, {ending:?}: {connected:?}");
        // The same when one that was open is opened again.
        let broker = connected.unwrap();
        proxy.cut_all(ending);
        proxy.cut(Direction::Reply, Cut::after(bytes, ending));
        while let Err(error) = broker.members(&queue()).await {
            assert!(error.is_retryable(), "{bytes}, {ending:?}: {error:?}");
        }
        proxy.heal().await;
    }
}

/// Enqueues once more; answers the error, and asserts that it came in time.
async fn refused_in_time(broker: &RedisBroker, timeout: Duration) -> jobq::BrokerError {
    let began = Instant::now();
    let error = broker.enqueue(&queue(), &[now("b")]).await.unwrap_err();
    assert!(began.elapsed() < timeout + SLACK, "{:?}", began.elapsed());
    error
}

/// What a busy machine adds to a timeout.
const SLACK: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_call_is_bounded_where_the_server_accepts_and_says_nothing() {
    let timeout = Duration::from_millis(300);
    let mut server = RedisServer::start();
    let broker = broker_within(&server, timeout).await;
    server.kill();
    // It may be noticed only by sending that the connection is lost.
    drop(broker.enqueue(&queue(), &[now("a")]).await);
    let silent = TcpListener::bind(("127.0.0.1", server.port()))
        .await
        .unwrap();
    for _ in 0..3 {
        let error = refused_in_time(&broker, timeout).await;
        assert_eq!(error.kind(), BrokerErrorKind::Unavailable);
        // It stalled before anything but the login was sent.
        assert!(!error.is_outcome_unknown(), "{error}");
    }
    drop(silent);
    server.restart();
    while let Err(error) = broker.enqueue(&queue(), &[now("c")]).await {
        assert!(error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn a_tls_handshake_that_stalls_is_bounded() {
    let timeout = Duration::from_millis(300);
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("rediss://{}", silent.local_addr().unwrap());
    let config = RedisConfig::parse(&url, None).unwrap();
    let began = Instant::now();
    let error = RedisBroker::connect(config, timeout).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unavailable { .. }), "{error}");
    assert!(began.elapsed() < timeout + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_attempt_that_the_deadline_ends_hides_no_reason_of_one_before() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("rediss://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        // The first is hung up on, and the others hear nothing.
        drop(listener.accept().await.unwrap());
        let mut silent = Vec::new();
        loop {
            silent.push(listener.accept().await.unwrap());
        }
    });
    let config = RedisConfig::parse(&url, None).unwrap();
    let connecting = RedisBroker::connect(config, Duration::from_secs(1));
    let error = connecting.await.unwrap_err();
    let said = std::error::Error::source(&error).map(ToString::to_string);
    assert!(
        said.is_some_and(|said| !said.contains("no answer")),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_amid_many_jobs_ends_the_call_and_says_which_are_sure() {
    let server = RedisServer::start();
    let (listener, to) = (
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        server.port(),
    );
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
        let (mut from, mut back) = client.split();
        let (mut answers, mut to) = server.split();
        // Enough for the first thousand and some of the second: then nothing, for ever.
        let mut from = (&mut from).take(SOME);
        let some = tokio::io::copy(&mut from, &mut to);
        let answers = tokio::io::copy(&mut answers, &mut back);
        let stalled = async {
            some.await.unwrap();
            std::future::pending::<()>().await;
        };
        tokio::join!(stalled, async { answers.await.ok() });
    });
    let client = jobq::Client::builder(format!("redis://{at}")).timeout(Duration::from_secs(1));
    let client = client.connect().await.unwrap();
    let ids: Vec<_> = (0..2_500).map(|_| JobId::new()).collect();
    let jobs = ids.iter().map(|id| sized::new("x".repeat(100)).id(*id));
    let began = Instant::now();
    let error = client.enqueue_all(jobs).await.unwrap_err();
    assert!(began.elapsed() < 2 * SLACK, "{:?}", began.elapsed());
    let jobq::EnqueueError::Partial { enqueued, source } = error else {
        panic!("{error}");
    };
    let sure: Vec<_> = enqueued.iter().map(jobq::JobHandle::id).collect();
    assert_eq!(sure, ids[..1000]);
    let jobq::EnqueueError::OutcomeUnknown { id, .. } = *source else {
        panic!("{source}");
    };
    assert_eq!(id, ids[1000]);
}

/// Bytes of a thousand of these jobs and a half.
const SOME: u64 = 250_000;

#[jobq::job(name = "connections.sized")]
async fn sized(text: String) {
    drop(text);
}
