//! A namespace on the shared server, workers with the jobs of these tests, and running the command.

mod begun;
mod beside;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use jobq::{Client, JobHandle, JobId, Queue, job};
use jobq_worker::{Worker, WorkerHandle};
use serde_json::Value;
use support::{DEADLINE, Record, Role};

pub(crate) use self::begun::Begun;
use crate::schema;

/// Between two looks at the record.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The command with an empty environment and nothing to read.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobq-test-cli"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Is done at once.
#[job(name = "cli.note", queue = "mail")]
pub(crate) async fn note(text: String) {
    drop(text);
}

/// Fails with this text, and is dead after the first time.
#[job(name = "cli.fail", queue = "mail", retries = 0)]
pub(crate) async fn fail(error: String) -> Result<(), String> {
    Err(error)
}

/// Fails with this text, and waits for an hour.
#[job(
    name = "cli.retry",
    queue = "mail",
    retries = 5,
    backoff = "fixed",
    base_delay = "1h",
    jitter = "none"
)]
pub(crate) async fn retry(error: String) -> Result<(), String> {
    Err(error)
}

/// Ends once the record has the line `go`.
#[job(name = "cli.hold", queue = "mail")]
pub(crate) async fn hold(record: PathBuf) {
    while !std::fs::read_to_string(&record).is_ok_and(|text| text.contains("go")) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What a run of the command came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it writes text");
        Self {
            code: output.status.code().expect("it exits"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Of one that went well: nothing on standard error.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
        self.out
    }

    /// Of one that did not.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, said: &str) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.contains(said), "{said:?}: {self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
        self
    }

    /// The one document it printed, which is as the schema says.
    #[track_caller]
    pub(crate) fn document(&self, command: &str) -> Value {
        let document = serde_json::from_str(&self.out);
        let document = document.unwrap_or_else(|error| panic!("{error}: {self:?}"));
        schema::check(command, &document);
        document
    }
}

/// A namespace of the test's own.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) client: Client,
    url: String,
    namespace: String,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        let (url, namespace) = (support::shared().url(), support::namespace());
        let client = Client::builder(&url)
            .namespace(&namespace)
            .timeout(DEADLINE);
        Self {
            client: client.connect().await.expect("the server answers"),
            url,
            namespace,
        }
    }

    pub(crate) fn queue(&self, name: &str) -> Queue {
        self.client.queue(name).expect("the name is legal")
    }

    /// The name of a key.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.namespace)
    }

    /// The URL of an operator.
    pub(crate) fn url(&self, role: Role) -> String {
        format!("{}?namespace={}", role.log_in(&self.url), self.namespace)
    }

    /// The URL of an operator by way of another port of loopback.
    pub(crate) fn by_port(&self, port: u16) -> String {
        let own = support::shared().port();
        let url = self.url(Role::Operator);
        url.replace(&format!(":{own}"), &format!(":{port}"))
    }

    /// Runs it with `--json` and `--yes` by this URL, and gives the code, what it said, and its document.
    pub(crate) async fn json_by(&self, url: &str, args: &[&str], command: &str) -> (Done, Value) {
        let mut run_it = self.command(&[&["--json", "--yes"], args].concat());
        run_it.env("JOBQ_URL", url);
        let done = run(run_it).await;
        let document = done.document(command);
        (done, document)
    }

    /// A worker of the queue `mail` in this process, which tells of itself often.
    pub(crate) fn worker(&self) -> WorkerHandle {
        self.worker_of(&["mail"])
    }

    /// The same of these queues.
    pub(crate) fn worker_of(&self, queues: &[&str]) -> WorkerHandle {
        Worker::builder(self.client.clone())
            .queues(queues.iter().copied())
            .renew_every(Duration::from_millis(100))
            .build()
            .expect("the worker is sound")
            .spawn()
    }

    /// The command as an operator gives it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = program();
        command.env("JOBQ_URL", self.url(Role::Operator)).args(args);
        command
    }

    /// Runs the command to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Done {
        run(self.command(args)).await
    }

    /// Runs it with this to read.
    pub(crate) async fn run_with(&self, args: &[&str], input: impl AsRef<[u8]>) -> Done {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .expect("the program was built with the tests");
        let mut stdin = child.stdin.take().expect("it is piped");
        let input = input.as_ref().to_vec();
        let fed = tokio::task::spawn_blocking(move || {
            // It may end before it has read all.
            let _ = stdin.write_all(&input);
        });
        let output = tokio::task::spawn_blocking(move || child.wait_with_output());
        let output = support::within("the end of the command", output).await;
        fed.await.expect("it was fed");
        Done::new(output.expect("it was waited for").expect("it ends"))
    }

    /// Runs it with `--json`, and gives its document.
    pub(crate) async fn json(&self, args: &[&str], command: &str) -> Value {
        let done = self.run(&[&["--json"], args].concat()).await;
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
        done.document(command)
    }

    /// Runs it on a terminal, types this, and gives all that the terminal shows and the exit code.
    pub(crate) async fn on_terminal(
        &self,
        args: &str,
        typed: &str,
        env: &[(&str, &str)],
    ) -> (i32, String) {
        let program = env!("CARGO_BIN_EXE_jobq-test-cli");
        let mut command = Command::new("script");
        command
            .args(["--quiet", "--return", "--echo", "never", "--command"])
            .arg(format!("stty cols 200; exec {program} {args}"))
            .arg("/dev/null")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm")
            .env("JOBQ_URL", self.url(Role::Operator))
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("`script` of util-linux is there");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin
            .write_all(typed.as_bytes())
            .expect("the terminal takes it");
        // Held open: its end would be that of the terminal.
        let output = tokio::task::spawn_blocking(move || child.wait_with_output());
        let output = support::within("the end of the command", output).await;
        drop(stdin);
        let done = Done::new(output.expect("it was waited for").expect("it ends"));
        (done.code, done.out + &done.err)
    }

    /// Has so many jobs die with these errors, each of one job, in order.
    pub(crate) async fn dead(&self, errors: &[&str]) -> Vec<JobId> {
        let worker = self.worker();
        let mut ids = Vec::new();
        for error in errors {
            let job = fail::enqueue(&self.client, *error)
                .await
                .expect("it is enqueued");
            ids.push(job.id());
            // One after the other: the list is in the order of their deaths.
            let count = ids.len() as u64;
            self.until("mail", "the death of a job", |stats| stats.dead == count)
                .await;
        }
        worker.shutdown().await;
        ids
    }

    pub(crate) async fn until(
        &self,
        queue: &str,
        what: &str,
        is: impl Fn(&jobq::QueueStats) -> bool,
    ) {
        support::eventually(what, async || {
            let stats = self.queue(queue).stats().await.expect("the server answers");
            is(&stats).then_some(())
        })
        .await;
    }

    /// A job that runs until the record says `go`.
    pub(crate) async fn running(&self, record: &Record) -> JobHandle {
        let job = hold::enqueue(&self.client, record.path())
            .await
            .expect("it is enqueued");
        self.until("mail", "the start of a job", |stats| stats.in_flight == 1)
            .await;
        job
    }

    /// As [`Fixture::json`], of a run that ends with this code.
    pub(crate) async fn json_with_code(&self, args: &[&str], command: &str, code: i32) -> Value {
        let done = self.run(&[&["--json"], args].concat()).await;
        assert_eq!(done.code, code, "{done:?}");
        done.document(command)
    }
}

/// Runs a command to its end.
pub(crate) async fn run(mut command: Command) -> Done {
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = support::within("the end of the command", output).await;
    let output = output.expect("it was waited for");
    Done::new(output.expect("the program was built with the tests"))
}

/// Arguments that may be no text.
pub(crate) async fn run_raw(args: &[&OsStr]) -> Done {
    let mut command = program();
    command.args(args);
    run(command).await
}
