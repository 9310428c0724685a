//! What a broker that was made by hand is held to, with no server.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

fn config(url: &str) -> RedisConfig {
    RedisConfig::parse(url, None).unwrap()
}

#[test]
fn connecting_without_a_runtime_is_an_error() {
    let connecting = pin!(RedisBroker::connect(
        config("redis://127.0.0.1:1"),
        Duration::from_secs(5)
    ));
    let connected = connecting.poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Err(ConnectError::NoRuntime)) = connected else {
        panic!("{connected:?}");
    };
}

#[tokio::test]
async fn a_timeout_out_of_range_is_refused() {
    for timeout in [
        Duration::ZERO,
        Duration::from_millis(9),
        Duration::from_secs(3601),
        Duration::MAX,
    ] {
        let connected = RedisBroker::connect(config("redis://127.0.0.1:1"), timeout).await;
        let error = connected.unwrap_err().to_string();
        assert!(error.contains("10 ms to 1 h"), "{timeout:?}: {error}");
    }
}

#[tokio::test]
async fn a_ca_file_that_no_connection_would_read_is_refused() {
    let config = config("redis://127.0.0.1:1").with_ca_file(Some("/ca.pem".into()));
    let connected = RedisBroker::connect(config, Duration::from_millis(10)).await;
    let error = connected.unwrap_err().to_string();
    assert!(error.starts_with("ca_file is \"/ca.pem\""), "{error}");
}
