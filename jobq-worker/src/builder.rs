//! Setting up a worker: everything that can be wrong is found by [`WorkerBuilder::build`].

use std::sync::Arc;
use std::time::Duration;

use jobq::runtime::{Place, Registration, States, registrations};
use jobq::{Client, Perform, QueueName};

use crate::error::BuildError;
use crate::registry::Registry;
use crate::schedule::QueueWeight;
use crate::settings::Settings;
use crate::worker::Worker;

/// Settings of a [`Worker`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::time::Duration;
/// # use jobq_worker::Worker;
/// # #[jobq::job(name = "builder.example")]
/// # async fn send_welcome(user_id: u64) {}
/// # let client = jobq::connect("memory://").await?;
/// let worker = Worker::builder(client)
///     .queues(["critical:6", "default:3", "low:1"])
///     .concurrency(256)
///     .shutdown_timeout(Duration::from_secs(25))
///     .build()?;
/// # drop(worker);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a worker is made by `.build()`"]
pub struct WorkerBuilder {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    queues: Vec<String>,
    states: States,
    registered: Vec<Registration>,
}

impl WorkerBuilder {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            settings: Settings::default(),
            queues: Vec::new(),
            states: States::default(),
            registered: Vec::new(),
        }
    }

    /// The queues to work on, each `name` or `name:weight` with a weight of 1 to 1000: with all of
    /// them full, jobs are claimed in proportion to the weights. Without this call: `default` and
    /// the queues that the registered jobs name, with equal weights. A colon belongs to the name
    /// unless a number follows it. A list that does not fit what the jobs name is warned about when
    /// the worker starts.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), jobq::ConnectError> {
    /// # use jobq_worker::Worker;
    /// # let client = jobq::connect("memory://").await?;
    /// let worker = Worker::builder(client).queues(["critical:6", "default:3"]);
    /// let from_text = worker.queues("critical:6,default:3".split(','));
    /// # let _ = from_text;
    /// # Ok(())
    /// # }
    /// ```
    pub fn queues(mut self, queues: impl IntoIterator<Item: Into<String>>) -> Self {
        self.queues = queues.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the order of the queues is strict: a later one only gets its turn when the earlier
    /// ones are empty. `false` unless set.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::Worker;
    /// # #[jobq::job(name = "strict.example")]
    /// # async fn send_welcome(user_id: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// // No job of `low` starts while one of `critical` is ready.
    /// let worker = Worker::builder(client).queues(["critical", "low"]).strict(true);
    /// # worker.build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn strict(mut self, strict: bool) -> Self {
        self.settings.strict = strict;
        self
    }

    /// How many jobs may run at the same time: 64 unless set; 1 to 100,000.
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        self.settings.concurrency = concurrency;
        self
    }

    /// Command connections to the broker: 1 unless set; 1 to 64. More than one pays off only
    /// under loads of hundreds of thousands of jobs a second.
    pub fn connections(mut self, connections: u32) -> Self {
        self.settings.connections = connections;
        self
    }

    /// Something handlers get as `State<T>`. A second one of a type replaces the first.
    ///
    /// ```standalone_crate
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    /// use jobq::{State, job};
    /// use jobq_worker::Worker;
    ///
    /// struct Pool;
    ///
    /// #[job]
    /// async fn store(pool: State<Arc<Pool>>, row: u64) {}
    ///
    /// # let client = jobq::connect("memory://").await?;
    /// assert!(Worker::builder(client.clone()).build().is_err(), "`store` needs it");
    ///
    /// let pool = Arc::new(Pool); // the application's own, shared
    /// Worker::builder(client).state(pool.clone()).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states = self.states.with(state);
        self
    }

    /// How long running jobs may go on after a shutdown began, before they are aborted and given
    /// back: 25 s unless set.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.settings.shutdown_timeout = timeout;
        self
    }

    /// How long a worker may be silent before others take its jobs over: 7 s unless set; more than
    /// twice `renew_every`, at most 1 h.
    ///
    /// Workers of one queue may have different ones: the id of each says for how long the others are to
    /// wait for it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use jobq_worker::Worker;
    /// # #[jobq::job(name = "lease.example")]
    /// # async fn send_welcome(user_id: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// // A fleet whose processes are paused for long, by a hypervisor say.
    /// Worker::builder(client)
    ///     .lease(Duration::from_secs(30))
    ///     .renew_every(Duration::from_secs(5))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// How often the lease is renewed: every 2 s unless set; 10 ms to 1 h.
    pub fn renew_every(mut self, interval: Duration) -> Self {
        self.settings.renew_every = interval;
        self
    }

    /// Serves `/healthz`, `/readyz` and `/metrics` over HTTP at this address while it runs: whether it
    /// is alive, whether it could take a job, and what it shows to Prometheus. Not unless set. Whoever
    /// reaches the port may read it: 127.0.0.1 is for those on this machine.
    ///
    /// It is listened on when the worker starts. Where the address is taken no job runs:
    /// [`Worker::run`] answers [`RunError::Http`](crate::RunError::Http), [`Worker::spawn`] logs it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::Worker;
    /// # #[jobq::job(name = "http.example")]
    /// # async fn send_welcome(user_id: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// let worker = Worker::builder(client).http(([127, 0, 0, 1], 9100)).build()?;
    /// # drop(worker);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "http")]
    pub fn http(mut self, address: impl Into<std::net::SocketAddr>) -> Self {
        self.settings.http = Some(address.into());
        self
    }

    /// Adds a job made with `#[derive(Job)]`. Functions with `#[job]` need no call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::Worker;
    /// use jobq::{Context, Job, Perform};
    ///
    /// #[derive(Job)]
    /// struct Charge { order: u64 }
    ///
    /// impl Perform for Charge {
    ///     type Output = ();
    ///
    ///     async fn perform(self, ctx: Context) {
    ///         println!("order {}, attempt {}", self.order, ctx.attempt());
    ///     }
    /// }
    ///
    /// # let client = jobq::connect("memory://").await?;
    /// Charge { order: 17 }.enqueue(&client).await?;
    /// let worker = Worker::builder(client).register::<Charge>().build()?;
    /// assert_eq!(worker.run_until_idle().await?.done, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn register<J: Perform>(self) -> Self {
        self.register_as::<J, ()>()
    }

    /// Adds a job whose handler is `impl Perform<W> for J`: of a job from another crate.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::Worker;
    /// # mod contracts {
    /// #     #[derive(jobq::Job)]
    /// #     #[job(name = "contracts.charge")]
    /// #     pub struct Charge { pub order: u64 }
    /// # }
    /// use contracts::Charge; // of a crate that producers depend on too
    /// use jobq::{Context, Perform};
    ///
    /// struct Billing; // a type of this crate, under whose name the handler stands
    ///
    /// impl Perform<Billing> for Charge {
    ///     type Output = ();
    ///
    ///     async fn perform(self, _ctx: Context) {
    ///         println!("order {}", self.order);
    ///     }
    /// }
    ///
    /// # let client = jobq::connect("memory://").await?;
    /// Worker::builder(client).register_as::<Charge, Billing>().build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn register_as<J: Perform<W>, W: 'static>(mut self) -> Self {
        let caller = std::panic::Location::caller();
        let place = Place {
            file: caller.file(),
            line: caller.line(),
        };
        self.registered.push(Registration::perform::<J, W>(place));
        self
    }

    /// Checks everything and makes the worker.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jobq_worker::{BuildError, Worker};
    /// # #[jobq::job(name = "build.example")]
    /// # async fn send_welcome(user_id: u64) {}
    /// # let client = jobq::connect("memory://").await?;
    /// let error = Worker::builder(client).concurrency(0).build().unwrap_err();
    /// assert!(matches!(error, BuildError::InvalidSetting { field: "concurrency", .. }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError`]: no job, two jobs of one name, a state that is missing, a queue name or a
    /// setting out of range.
    pub fn build(mut self) -> Result<Worker, BuildError> {
        let jobs = registrations().copied().chain(self.registered);
        let registry = Registry::new(jobs, &self.states)?;
        if !self.queues.is_empty() {
            let queues = self.queues.iter().map(|q| QueueWeight::parse(q));
            self.settings.queues = queues.collect::<Result<_, _>>()?;
        }
        if self.settings.queues.is_empty() {
            self.settings.queues = default_queues(&registry)?;
        }
        self.settings.check()?;
        Ok(Worker {
            client: self.client,
            settings: self.settings,
            registry: Arc::new(registry),
            states: self.states,
        })
    }
}

fn default_queues(registry: &Registry) -> Result<Vec<QueueWeight>, BuildError> {
    let weigh = |name| {
        Ok(QueueWeight {
            queue: QueueName::new(name)?,
            weight: 1,
        })
    };
    registry.queues().into_iter().map(weigh).collect()
}
