//! How a handler tells the producer that it started: a datagram.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::Error;
use crate::clock::now_us;

/// The variable that says where the producer listens, `127.0.0.1:PORT`. A worker without it only counts.
pub const SIGNAL: &str = "BENCH_SIGNAL";

/// How long a job may take to start.
const START_WITHIN: Duration = Duration::from_secs(40);

/// That a job started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) id: u64,
    /// How long after the time of its arguments, in µs; negative if before.
    pub(crate) late_us: i64,
}

impl Started {
    /// That a job with these arguments starts now.
    pub(crate) fn now(id: u64, time: u64) -> Self {
        let late_us = now_us().cast_signed() - time.cast_signed();
        Self { id, late_us }
    }
}

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.late_us)
    }
}

impl FromStr for Started {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (id, late) = text.split_once(' ').ok_or("not a signal")?;
        Ok(Self {
            id: id.parse()?,
            late_us: late.parse()?,
        })
    }
}

/// Where a producer hears of starts.
pub(crate) struct Signals(UdpSocket);

impl Signals {
    /// Listens at the address of [`SIGNAL`].
    pub(crate) async fn listen() -> Result<Self, Error> {
        let address = std::env::var(SIGNAL).map_err(|error| format!("{SIGNAL}: {error}"))?;
        Ok(Self(UdpSocket::bind(address).await?))
    }

    /// Waits for the next start.
    pub(crate) async fn next(&self) -> Result<Started, Error> {
        let mut buffer = [0; 64];
        let received = tokio::time::timeout(START_WITHIN, self.0.recv(&mut buffer)).await;
        let length = received.map_err(|_| format!("no job started for {START_WITHIN:?}"))??;
        std::str::from_utf8(&buffer[..length])?.parse()
    }

    /// Waits for the start of this job; those of others, which run twice, are passed over.
    pub(crate) async fn of(&self, id: u64) -> Result<Started, Error> {
        loop {
            let started = self.next().await?;
            if started.id == id {
                return Ok(started);
            }
        }
    }
}
