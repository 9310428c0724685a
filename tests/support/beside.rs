//! Connecting on a machine that is busy.

use jobq::{Client, ClientBuilder};
use redis::RedisResult;
use redis::aio::MultiplexedConnection;

use crate::{DEADLINE, eventually};

/// The client that is built, however short its timeout: in as many attempts as it takes.
///
/// # Panics
///
/// When none succeeds within [`DEADLINE`].
pub async fn connected(builder: ClientBuilder) -> Client {
    let connect = async || builder.clone().connect().await.ok();
    eventually("the client to connect", connect).await
}

/// A connection beside every broker, as the URL says. It waits for answers as long as a test waits for
/// anything: half a second, the default of the crate, is little on a busy machine.
///
/// # Errors
///
/// Those of the crate.
pub async fn beside(url: &str) -> RedisResult<MultiplexedConnection> {
    let patient = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(DEADLINE))
        .set_response_timeout(Some(DEADLINE));
    redis::Client::open(url)?
        .get_multiplexed_async_connection_with_config(&patient)
        .await
}
