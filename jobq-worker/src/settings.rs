//! What a worker is set to, checked.

use std::net::SocketAddr;
use std::time::Duration;

use jobq::runtime::text::plain;

use crate::component::MAX_BACKOFF;
use crate::error::BuildError;
use crate::schedule::QueueWeight;

/// The most slots one worker may have.
const MAX_CONCURRENCY: u32 = 100_000;

/// The most command connections one worker may have.
const MAX_CONNECTIONS: u32 = 64;

/// The settings of a worker.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) queues: Vec<QueueWeight>,
    pub(crate) strict: bool,
    pub(crate) concurrency: u32,
    pub(crate) connections: u32,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) lease: Duration,
    pub(crate) renew_every: Duration,
    /// Where HTTP is served, if it is.
    pub(crate) http: Option<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            queues: Vec::new(),
            strict: false,
            concurrency: 64,
            connections: 1,
            shutdown_timeout: Duration::from_secs(25),
            lease: Duration::from_secs(7),
            renew_every: Duration::from_secs(2),
            http: None,
        }
    }
}

impl Settings {
    /// Checks every range and how they fit together.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        let invalid = |field, value: String, expected| {
            Err(BuildError::InvalidSetting {
                field,
                value,
                expected,
            })
        };
        if !(1..=MAX_CONCURRENCY).contains(&self.concurrency) {
            return invalid("concurrency", self.concurrency.to_string(), "1 to 100000");
        }
        if !(1..=MAX_CONNECTIONS).contains(&self.connections) {
            return invalid("connections", self.connections.to_string(), "1 to 64");
        }
        let shortest = Duration::from_millis(10);
        let longest = Duration::from_secs(3600);
        if !(shortest..=longest).contains(&self.renew_every) {
            return invalid("renew_every", plain(self.renew_every), "10 ms to 1 h");
        }
        if self.lease <= 2 * self.renew_every {
            let value = format!(
                "{} with renew_every {}",
                plain(self.lease),
                plain(self.renew_every)
            );
            return invalid("lease", value, "more than twice renew_every");
        }
        if let Some(address) = self.http
            && cfg!(not(feature = "http"))
        {
            let expected =
                "nothing, for this program was built without the feature `http` of jobq-worker";
            return invalid("http", address.to_string(), expected);
        }
        if self.lease > longest {
            return invalid("lease", plain(self.lease), "at most 1 h");
        }
        for (i, one) in self.queues.iter().enumerate() {
            if self.queues[..i]
                .iter()
                .any(|other| other.queue == one.queue)
            {
                return Err(BuildError::DuplicateQueue {
                    queue: one.queue.to_string(),
                });
            }
        }
        Ok(())
    }

    /// The names of the queues, in their order.
    pub(crate) fn queue_names(&self) -> impl Iterator<Item = &str> {
        self.queues.iter().map(|queue| queue.queue.as_str())
    }

    /// The queues as they are written in a list, separated by blanks.
    pub(crate) fn queues_text(&self) -> String {
        let queues: Vec<_> = self.queues.iter().map(ToString::to_string).collect();
        queues.join(" ")
    }

    /// How long a worker trusts that it owns what it claimed, from the last renew that was
    /// answered: a tenth less than an observer waits, for the time an answer takes.
    pub(crate) fn trust(&self) -> Duration {
        self.lease - self.lease / 10
    }

    /// How long it takes at most until a step that was refused is asked for again: two renews, or a
    /// sweep, which looks at a queue a second, and the waits after errors.
    pub(crate) fn patience(&self) -> Duration {
        let queues = u32::try_from(self.queues.len()).unwrap_or(u32::MAX);
        2 * self.renew_every + Duration::from_secs(1) * queues + 2 * MAX_BACKOFF
    }
}
