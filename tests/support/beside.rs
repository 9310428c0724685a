//! A connection to Redis beside every broker.

use redis::RedisResult;
use redis::aio::MultiplexedConnection;

use crate::DEADLINE;

/// Connects as the URL says, and waits for answers as long as a test waits for anything: half a
/// second, the default of the crate, is little on a busy machine.
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
