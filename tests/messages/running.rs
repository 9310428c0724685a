//! What a worker says of jobs that fail: in the dead list, and in a log at the level of warnings.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::{Due, Entry};
use jobq::{At, Client, Context, Envelope, Job, JobError, JobId, Options, Perform};
use jobq_worker::{Worker, WorkerBuilder};
use support::{RedisServer, connected, eventually};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::connecting::vary_address;
use crate::document::Document;

/// An error with a cause, as most have one.
#[derive(Debug, thiserror::Error)]
#[error("cannot send to {0}")]
struct MailError(String, #[source] io::Error);

fn mail_error() -> MailError {
    let cause = io::Error::other("connection reset");
    MailError("ada@example.org".to_owned(), cause)
}

/// A job for each way to end badly.
macro_rules! jobs {
    ($($job:ident $name:literal |$ctx:ident| $run:expr;)*) => {
        $(#[derive(Job)]
        #[job(name = $name, retries = 0, timeout = "30s")]
        struct $job {}

        impl Perform for $job {
            type Output = Result<(), jobq::BoxError>;

            async fn perform(self, $ctx: Context) -> Self::Output {
                $run
            }
        })*

        fn worker(client: &Client) -> WorkerBuilder {
            Worker::builder(client.clone())$(.register::<$job>())*
        }
    };
}

jobs! {
    Failing "send" |_ctx| Err(mail_error().into());
    Worded "send_worded" |_ctx| Err("the address is empty".into());
    Decided "send_decided" |_ctx| Err(JobError::fatal(mail_error()).into());
    Wrapped "send_wrapped" |_ctx| Err(anyhow::Error::new(mail_error()).context("welcoming").into());
    Panicking "resize" |_ctx| panic!("no such colour");
    Stateless "count" |ctx| ctx.state::<String>().map(drop).map_err(Into::into);
    Late "build_report" |_ctx| std::future::pending().await;
}

/// What is not registered.
#[derive(Job)]
#[job(name = "invoice")]
struct Unknown {}

/// What is retried.
#[derive(Job)]
#[job(
    name = "retry_me",
    retries = 1,
    backoff = "fixed",
    jitter = "none",
    base_delay = "1m"
)]
struct Retried {}

impl Perform for Retried {
    type Output = Result<(), MailError>;

    async fn perform(self, _ctx: Context) -> Self::Output {
        Err(mail_error())
    }
}

pub(crate) async fn collect(document: &mut Document) {
    let log = Log::start();
    tokio::time::pause();
    document.group("the dead list and the log: a job that failed");
    dead(document, &log, Failing {}).await;
    dead(document, &log, Worded {}).await;
    dead(document, &log, Decided {}).await;
    dead(document, &log, Wrapped {}).await;
    dead(document, &log, Panicking {}).await;
    dead(document, &log, Stateless {}).await;
    dead(document, &log, Late {}).await;
    dead(document, &log, Retried {}).await;
    dead(document, &log, Unknown {}).await;
    unreadable(document, &log).await;
    document.group("the log: starting and stopping");
    starting(document, &log).await;
    tokio::time::resume();
    document.group("the log: the server");
    servers(document, &log).await;
    document.group("Debug of what people print");
    debug(document).await;
}

/// The dead list and the log after a job ran to its end.
async fn dead<J: Job>(document: &mut Document, log: &Log, job: J) {
    let client = jobq::connect("memory://").await.unwrap();
    let id = JobId::from_bytes([7; 16]);
    client.enqueue(job.id(id)).await.unwrap();
    run(document, log, &client, J::NAME).await;
}

async fn run(document: &mut Document, log: &Log, client: &Client, cause: &str) {
    let worker = worker(client).register::<Retried>().build().unwrap();
    let idle = worker
        .run_until_idle()
        .max_wait(Duration::from_secs(100 * 3600));
    idle.await.unwrap();
    let queue = client.queue("default").unwrap();
    let dead = queue.dead().list(0, 1).await.unwrap().remove(0);
    let name = dead.name().unwrap_or("no job");
    let (reason, error) = (dead.reason(), dead.error());
    let mut lines = vec![format!("dead list: {name} | {reason} | {error}")];
    lines.extend(
        dead.history()
            .iter()
            .map(|failure| format!("history: {}", failure.error)),
    );
    lines.extend(log.warnings());
    document.lines(cause, &lines.join("\n"));
}

async fn unreadable(document: &mut Document, log: &Log) {
    let whole = |name, args| {
        let id = JobId::from_bytes([7; 16]);
        Envelope::encode(id, name, args, At::from_ms(1), &Options::default())
    };
    for (cause, envelope) in [
        ("an element that is text", Bytes::from_static(b"hello")),
        ("arguments that do not fit", whole("resize", b"\x91\x07")),
    ] {
        let client = jobq::connect("memory://").await.unwrap();
        let entry = Entry {
            envelope,
            due: Due::Now,
        };
        let queue = client.queue("default").unwrap();
        client
            .broker()
            .enqueue(queue.name(), &[entry])
            .await
            .unwrap();
        run(document, log, &client, cause).await;
    }
}

async fn starting(document: &mut Document, log: &Log) {
    let client = jobq::connect("memory://").await.unwrap();
    for queues in [
        &["default"][..],
        &["defualt"],
        &["default", "critical:high"],
    ] {
        let worker = worker(&client)
            .queues(queues.iter().copied())
            .build()
            .unwrap();
        worker.spawn().shutdown().await;
        let lines = log.all().join("\n");
        let told = |field| {
            let (_, rest) = lines.split_once(field).expect("the worker tells it");
            rest.split(['"', '\n']).next().unwrap_or_default().trim()
        };
        // All jobs of this binary, whose number is not the message's.
        document.vary(told(" jobs=\""), "count resize send");
        document.vary(told(" worker="), "01a1f9ec9c1770cfa6ba130febc0cfcf-7000");
        document.lines(&format!(".queues({queues:?})"), &lines);
    }
}

async fn servers(document: &mut Document, log: &Log) {
    let mut server = RedisServer::start_with(&[("maxmemory-policy", "allkeys-lru")]);
    vary_address(document, &server.url());
    let builder = Client::builder(server.url()).timeout(Duration::from_millis(500));
    let client = connected(builder).await;
    let running = worker(&client).build().unwrap().spawn();
    let warned = log.wait_for("maxmemory-policy").await;
    document.lines("a server that may evict jobs", &warned);
    server.kill();
    // Which component notices first, and how the connection ended, differs.
    let began = log.wait_for("the broker failed").await;
    let began = began.split(" component=").next().unwrap_or_default();
    document.lines("a server that goes away", began);
    server.restart();
    let ended = log.wait_for("the broker answers again").await;
    let ended = ended.split(" after=").next().unwrap_or_default();
    document.lines("and comes back", ended);
    running.shutdown().await;
}

async fn debug(document: &mut Document) {
    let server = RedisServer::start();
    vary_address(document, &server.url());
    let url = server.url().replace("//", "//default:hunter2@");
    let builder = Client::builder(&url);
    document.lines("a ClientBuilder", &format!("{builder:?}"));
    crate::connecting::say(&server, "CONFIG SET requirepass hunter2");
    let client = builder.connect().await.unwrap();
    document.lines("a Client", &format!("{client:?}"));
    document.lines("a Queue", &format!("{:?}", client.queue("mail").unwrap()));
    let memory = jobq::connect("memory://").await.unwrap();
    document.lines("a Client on memory://", &format!("{memory:?}"));
    document.lines(
        "JobError::fatal(…)",
        &format!("{}", JobError::fatal("no such order")),
    );
}

/// What was logged since it was asked last, as a terminal shows it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// For all threads: a worker's heartbeat has one of its own.
    fn start() -> Self {
        let log = Self::default();
        let lines = tracing_subscriber::fmt().with_ansi(false).without_time();
        let lines = lines
            .with_max_level(LevelFilter::INFO)
            .with_writer(log.clone());
        lines.try_init().expect("no other test of this binary logs");
        log
    }

    fn all(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no writer panics"));
        let text = String::from_utf8(bytes).expect("a log is text");
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let mut lines = self.all();
        lines.retain(|line| !line.starts_with("INFO"));
        lines
    }

    /// The first line with these words.
    async fn wait_for(&self, words: &str) -> String {
        let mut lines = Vec::new();
        eventually(words, async || {
            lines.extend(self.all());
            lines.iter().find(|line| line.contains(words)).cloned()
        })
        .await
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
