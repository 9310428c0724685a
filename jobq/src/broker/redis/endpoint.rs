//! The way to a server: TCP, TLS where the URL asks for it, and the login.
//!
//! The client library would open TCP and TLS itself. It then reads the system's certificates again
//! for every connection, fails for any one of them that is odd, and panics where a process has two
//! crypto providers and has chosen none.

use std::future::Future;
use std::io;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::future::select_ok;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use redis::{AsyncConnectionConfig, RedisError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::config::RedisConfig;
use super::fault::OpenError;
use super::stream::Endless;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::error::ConnectError;

/// How long unacknowledged data may stay on its way before the kernel gives the connection up.
#[cfg(target_os = "linux")]
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// An idle connection is probed after this, this often, before it is given up as dead.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(2);
const KEEPALIVE_PROBES: u32 = 3;

/// Where to connect to, and how.
#[derive(Debug)]
pub(super) struct Endpoint {
    config: RedisConfig,
    /// Connections that were opened in place of one that was lost.
    pub(super) reopened: AtomicU64,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

/// What moves the bytes of a connection. Dropped, it ends the connection, whatever is unanswered.
#[derive(Debug)]
pub(super) struct Driver(AbortHandle);

impl Driver {
    fn spawn(driver: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(driver).abort_handle())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Endpoint {
    /// Reads the certificates that TLS trusts, if it is asked for.
    #[cfg(feature = "tls")]
    pub(super) async fn new(config: RedisConfig) -> Result<Self, ConnectError> {
        let tls = match config.is_tls() {
            true => Some(Tls::load(&config).await?),
            false => None,
        };
        let reopened = AtomicU64::new(0);
        Ok(Self {
            config,
            reopened,
            tls,
        })
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_async, reason = "with TLS it reads files")]
    pub(super) async fn new(config: RedisConfig) -> Result<Self, ConnectError> {
        let reopened = AtomicU64::new(0);
        Ok(Self { config, reopened })
    }

    pub(super) fn config(&self) -> &RedisConfig {
        &self.config
    }

    /// Opens a connection and logs in. The caller gives up at `deadline`; TCP and TLS do so
    /// themselves, to say what took so long.
    pub(super) async fn open(
        &self,
        settings: AsyncConnectionConfig,
        deadline: Instant,
    ) -> Result<(MultiplexedConnection, Driver), OpenError> {
        let tcp = timeout_at(deadline, self.reach()).await;
        let tcp = tcp.unwrap_or_else(|_| Err(unreachable()));
        let tcp = tcp.map_err(RedisError::from)?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let stream = tls.secure(tcp, deadline).await?;
            let opened = self.log_in(stream, settings).await;
            return opened.map_err(|error| tls.judge(error));
        }
        let opened = self.log_in(tcp, settings).await;
        Ok(opened.map_err(hint_at_tls)?)
    }

    /// Connects to whichever address of the host answers first.
    async fn reach(&self) -> io::Result<TcpStream> {
        let addresses = lookup_host((self.config.host(), self.config.port())).await?;
        let attempts: Vec<_> = addresses
            .map(|address| Box::pin(TcpStream::connect(address)))
            .collect();
        if attempts.is_empty() {
            let reason = "the host has no address";
            return Err(io::Error::new(io::ErrorKind::NotFound, reason));
        }
        let (stream, _others) = select_ok(attempts).await?;
        prepare(&stream)?;
        Ok(stream)
    }

    async fn log_in(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        settings: AsyncConnectionConfig,
    ) -> Result<(MultiplexedConnection, Driver), RedisError> {
        let login = self.config.login();
        let opened =
            MultiplexedConnection::new_with_config(&login, Endless(stream), settings).await;
        opened.map(|(connection, driver)| (connection, Driver::spawn(driver)))
    }
}

fn unreachable() -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        "no answer to the attempt to connect",
    )
}

/// Small writes go at once, and a peer that is gone is noticed.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT))?;
    Ok(())
}

/// A server that speaks TLS hangs up on whoever does not, without a word.
fn hint_at_tls(error: RedisError) -> RedisError {
    if !error.is_connection_dropped() {
        return error;
    }
    let text = format!(
        "it hung up before the first answer ({error}); if it speaks TLS, the URL must begin with \
         rediss://"
    );
    io::Error::new(io::ErrorKind::ConnectionReset, text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_socket_sends_at_once_and_notices_a_peer_that_is_gone() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let config = RedisConfig::parse(&url, None).unwrap();
        let stream = Endpoint::new(config).await.unwrap().reach().await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_EVERY);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), KEEPALIVE_PROBES);
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(TCP_USER_TIMEOUT));
    }
}
