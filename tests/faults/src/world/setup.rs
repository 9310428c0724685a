//! What workers and producers are told.

use std::time::Duration;

use crate::jobs::QUEUE;

/// How a worker is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// As in `Worker::queues`, separated by commas.
    pub queues: String,
    /// Slots.
    pub concurrency: u32,
    /// Command connections.
    pub connections: u32,
    /// Threads of its runtime.
    pub threads: usize,
    /// Its lease.
    pub lease: Duration,
    /// How often it renews.
    pub renew_every: Duration,
    /// How long running jobs may go on after SIGTERM.
    pub shutdown_timeout: Duration,
    /// How long a call may take.
    pub timeout: Duration,
    /// Where it finds Redis, if not at the server itself: a proxy.
    pub port: Option<u16>,
    /// What is logged: `info`.
    pub log: &'static str,
    /// What its process finds in its environment besides.
    pub environment: Vec<(String, String)>,
    /// Where it ends itself: `before:settle:3`.
    pub die: Option<String>,
    /// The answer that it never sees: `claim:2`.
    pub lose: Option<String>,
}

impl Default for Setup {
    /// The profile of tests, whose leases are short.
    fn default() -> Self {
        Self {
            queues: QUEUE.to_owned(),
            concurrency: 8,
            connections: 1,
            threads: 2,
            lease: Duration::from_millis(1_500),
            renew_every: Duration::from_millis(300),
            shutdown_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
            port: None,
            log: "info",
            environment: Vec::new(),
            die: None,
            lose: None,
        }
    }
}

impl Setup {
    /// With jobq's own default lease.
    #[must_use]
    pub fn with_default_lease(self) -> Self {
        self.with_lease(7_000, 2_000)
    }

    /// With another lease, in ms.
    #[must_use]
    pub fn with_lease(mut self, lease: u64, renew_every: u64) -> Self {
        self.lease = Duration::from_millis(lease);
        self.renew_every = Duration::from_millis(renew_every);
        self
    }

    pub(super) fn arguments(&self) -> Vec<String> {
        let ms = |time: Duration| time.as_millis();
        let mut arguments = vec![
            format!("--threads={}", self.threads),
            format!("--timeout={}", ms(self.timeout)),
            format!("--log={}", self.log),
            format!("--queues={}", self.queues),
            format!("--concurrency={}", self.concurrency),
            format!("--connections={}", self.connections),
            format!("--lease={}", ms(self.lease)),
            format!("--renew-every={}", ms(self.renew_every)),
            format!("--shutdown-timeout={}", ms(self.shutdown_timeout)),
        ];
        arguments.extend(self.die.iter().map(|die| format!("--die={die}")));
        arguments.extend(self.lose.iter().map(|lose| format!("--lose={lose}")));
        arguments
    }
}

/// What a producer enqueues.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many; `None` is until SIGTERM.
    pub count: Option<u64>,
    /// How many a second; 0 is as many as can be.
    pub rate: f64,
    /// How many with one call.
    pub at_once: usize,
    /// One of these at random, with a number of the range: `work:5-40,fail:2,pill:abort`.
    pub kinds: String,
    /// Bytes of the arguments of `heavy`.
    pub load: usize,
    /// How long before they may start.
    pub delay: Duration,
    /// The queue.
    pub queue: String,
    /// How long a call may take.
    pub timeout: Duration,
    /// Where it finds Redis, if not at the server itself: a proxy.
    pub port: Option<u16>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            count: None,
            rate: 0.0,
            at_once: 1,
            kinds: "work:0".to_owned(),
            load: 1 << 20,
            delay: Duration::ZERO,
            queue: QUEUE.to_owned(),
            timeout: Duration::from_secs(5),
            port: None,
        }
    }
}

impl Load {
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            format!("--timeout={}", self.timeout.as_millis()),
            format!("--rate={}", self.rate),
            format!("--at-once={}", self.at_once),
            format!("--kinds={}", self.kinds),
            format!("--load={}", self.load),
            format!("--delay={}", self.delay.as_millis()),
            format!("--queue={}", self.queue),
        ];
        arguments.extend(self.count.map(|count| format!("--count={count}")));
        arguments
    }
}
