//! What the trials share: a Redis, a way to it that is cut, and a way that is not.

use std::sync::Arc;
use std::time::Duration;

use jobq::QueueName;
use jobq::broker::Broker;
use jobq::broker::redis::{RedisBroker, RedisConfig};
use jobq_proxy::Proxy;
use redis::aio::MultiplexedConnection;
use support::RedisServer;

use super::hand::{Hand, until_blocked};
use super::store::Store;

/// How long any one call may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// How long it may take until the way that was cut is open again.
const AGAIN_WITHIN: Duration = Duration::from_secs(30);

/// Everything but the trial at hand.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) proxy: Proxy,
    /// By way of the proxy.
    far: Arc<RedisBroker>,
    near: Arc<RedisBroker>,
    raw: MultiplexedConnection,
    trials: u32,
    _server: RedisServer,
}

impl Bench {
    pub(super) async fn start() -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::start(server.address()).await;
        let proxy = proxy.expect("loopback has a free port");
        let raw = support::beside(&server.url()).await;
        Self {
            far: Arc::new(connect(proxy.port()).await),
            near: Arc::new(connect(server.port()).await),
            raw: raw.expect("the server answers"),
            trials: 0,
            proxy,
            _server: server,
        }
    }

    /// A worker on a queue of its own, with an open connection by way of the proxy.
    pub(super) async fn hand(&mut self) -> Hand {
        self.trials += 1;
        // As long for each: as many bytes.
        let queue = QueueName::new(format!("q{:06}", self.trials)).expect("the name is legal");
        let again = async {
            while self.far.members(&queue).await.is_err() {}
            until_blocked(&self.raw, false).await;
        };
        let again = tokio::time::timeout(AGAIN_WITHIN, again).await;
        again.expect("a connection that was cut is opened again, and no wait of before goes on");
        Hand::new(&self.far, &self.near, &self.raw, queue, self.proxy.port())
    }

    /// All that is in Redis, which is empty afterwards.
    pub(super) async fn take_store(&mut self) -> Store {
        Store::take(&mut self.raw).await
    }
}

/// A broker by way of a port.
pub(super) async fn connect(port: u16) -> RedisBroker {
    let config = RedisConfig::parse(&format!("redis://127.0.0.1:{port}"), None);
    let broker = RedisBroker::connect(config.expect("it is a URL"), TIMEOUT).await;
    broker.expect("the server answers")
}
