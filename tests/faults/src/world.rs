//! A Redis of its own and the processes around it. All of them end with it.

mod actor;
mod ending;
mod guard;
mod setup;
mod vitals;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::{Client, Job, JobBuilder, JobId};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisResult};
use support::{Folder, RedisServer};
use tokio::time::{Instant, sleep};

pub use self::actor::Actor;
pub use self::ending::Ending;
use self::guard::Guard;
pub use self::setup::{Load, Setup};
pub use self::vitals::Vitals;
use crate::census::{Census, Count};
use crate::history::History;
use crate::ledger::{Event, Ledger};
use crate::row::{Figures, Plan};

/// Between two looks at something that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long Redis may take to answer whoever judges it.
const REDIS_WITHIN: Duration = Duration::from_secs(60);

/// What stands before every key.
pub const NAMESPACE: &str = "jobq";

/// A Redis, and what was started around it.
#[derive(Debug)]
pub struct World {
    server: RedisServer,
    folder: Option<Folder>,
    guard: Arc<Guard>,
    /// The ledger of the row itself: what it enqueued, and what it did to whom.
    ledger: Ledger,
    history: Mutex<History>,
    actors: AtomicUsize,
    seed: u64,
    /// How Redis keeps what it acknowledges.
    aof: String,
    /// Of all workers so far.
    leases: Mutex<BTreeSet<Duration>>,
}

impl World {
    /// Starts a Redis with these options: [`RedisServer::start_with`].
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn start(plan: &Plan, redis: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let path = folder.path().join("0-row.ledger");
        let ledger = Ledger::open(&path).expect("the folder is writable");
        let mut history = History::default();
        history.add(0, path);
        Self {
            // Waits for its server's log, on this thread.
            server: tokio::task::block_in_place(|| RedisServer::start_with(redis)),
            guard: Arc::new(Guard::new(folder.path())),
            folder: Some(folder),
            ledger,
            history: Mutex::new(history),
            actors: AtomicUsize::new(0),
            seed: plan.seed,
            aof: aof(redis).to_owned(),
            leases: Mutex::default(),
        }
    }

    /// The server, to be harmed.
    pub fn server(&mut self) -> &mut RedisServer {
        &mut self.server
    }

    /// Its URL, without a user: everything is allowed.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Its port, for a proxy before it.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Starts a worker.
    ///
    /// # Panics
    ///
    /// When the program is not built.
    pub fn worker(&self, setup: &Setup) -> Actor {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.insert(setup.lease);
        drop(leases);
        let actor = self.actor("work", setup.port, &setup.arguments(), &setup.environment);
        actor.serving(setup.queues.split(',').count())
    }

    /// Starts a producer.
    ///
    /// # Panics
    ///
    /// When the program is not built.
    pub fn producer(&self, load: &Load) -> Actor {
        let mut arguments = load.arguments();
        arguments.push(format!("--seed={}", self.seed));
        self.actor("produce", load.port, &arguments, &[])
    }

    fn actor(
        &self,
        role: &str,
        port: Option<u16>,
        arguments: &[String],
        environment: &[(String, String)],
    ) -> Actor {
        let number = self.actors.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = self.folder.as_ref().expect("it is there until the end");
        let actor = Actor::start(
            number,
            role,
            port.unwrap_or(self.port()),
            folder.path(),
            arguments,
            environment,
            self.guard.clone(),
        );
        self.lock().add(number, actor.ledger().to_owned());
        actor
    }

    /// What the figures depend on: the leases of its workers, and how its Redis keeps jobs.
    #[must_use]
    pub fn setting(&self) -> Figures {
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let leases: Vec<_> = leases.iter().map(|lease| format!("{lease:?}")).collect();
        Figures::new()
            .with("lease", leases.join(" and "))
            .with("AOF", &self.aof)
    }

    /// Writes down what the row is about to do.
    pub fn write(&self, event: &Event) {
        self.ledger.write(event);
    }

    /// Kills it, as `kill -9` does, and writes that down first.
    pub fn kill9(&self, actor: &mut Actor) {
        let number = actor.number();
        self.write(&Event::Killed { actor: number });
        actor.kill9();
    }

    /// Sends it a signal (`STOP`, `CONT`, `TERM`), and writes that down first.
    pub fn signal(&self, actor: &Actor, name: &str) {
        let (number, what) = (actor.number(), name.to_owned());
        self.write(&Event::Fault {
            actor: number,
            what,
        });
        actor.signal(name);
    }

    /// All ledgers, read up to now.
    pub fn history(&self) -> MutexGuard<'_, History> {
        let mut history = self.lock();
        history.refresh();
        history
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection beside jobq.
    ///
    /// # Errors
    ///
    /// Redis' own.
    pub async fn redis(&self) -> RedisResult<MultiplexedConnection> {
        // One that writes to a busy disk before each answer may take its time.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(REDIS_WITHIN))
            .set_response_timeout(None);
        let client = redis::Client::open(self.url())?;
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// Every element in every key, now.
    ///
    /// # Panics
    ///
    /// When Redis does not answer.
    pub async fn census(&self) -> Census {
        let mut redis = self.redis().await.expect("Redis answers");
        Census::take(&mut redis, NAMESPACE)
            .await
            .expect("Redis answers")
    }

    /// How many elements and members there are, now.
    ///
    /// # Panics
    ///
    /// When Redis does not answer.
    pub async fn count(&self) -> Count {
        let mut redis = self.redis().await.expect("Redis answers");
        Census::count(&mut redis, NAMESPACE)
            .await
            .expect("Redis answers")
    }

    /// Waits until `look` finds something.
    ///
    /// # Panics
    ///
    /// When that takes longer than `limit`.
    pub async fn until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "waited {limit:?} in vain for {what}"
            );
            sleep(LOOK_EVERY).await;
        }
    }

    /// A client of the row's own.
    ///
    /// # Panics
    ///
    /// When Redis does not answer.
    pub async fn client(&self) -> Client {
        jobq::connect(self.url()).await.expect("Redis answers")
    }

    /// Enqueues a job, written down as producers do.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub async fn enqueue<J: Job>(&self, client: &Client, job: JobBuilder<J>) -> JobId {
        let id = JobId::new();
        self.write(&Event::Intent { id, due: 0 });
        job.id(id).enqueue(client).await.expect("Redis takes a job");
        self.write(&Event::Accepted { id });
        id
    }
}

/// How a Redis of these options keeps what it acknowledges: `no`, or when it writes to the disk.
fn aof<'a>(options: &[(&str, &'a str)]) -> &'a str {
    let of = |name| {
        options
            .iter()
            .rfind(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    };
    match of("appendonly") {
        Some("yes") => of("appendfsync").unwrap_or("everysec"),
        _ => "no",
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            self.guard.keep_folder();
            tell_panics(folder.path());
            eprintln!("ledgers and logs are kept in {}", folder.path().display());
            std::mem::forget(folder);
        }
    }
}

/// A row that waits in vain for an actor that has panicked does not know why.
fn tell_panics(folder: &Path) {
    let logs = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in logs.map(|entry| entry.path()) {
        let log = std::fs::read(&path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        if let Some(place) = log.find(" panicked at ") {
            let told: Vec<_> = log[place..].lines().take(3).collect();
            eprintln!("{}:{}", path.display(), told.join("\n  "));
        }
    }
}
