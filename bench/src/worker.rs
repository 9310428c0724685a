//! A worker as a process of its own: the harness asks it by lines on its input, and it ends with that.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jobq_worker::Worker;
use serde::{Deserialize, Serialize};

use crate::{jobs, usage};

/// What this program is called with to be a worker.
pub(crate) const COMMAND: &str = "worker";

/// How exact the times of the first and the last job are.
const LOOK_EVERY: Duration = Duration::from_micros(500);

/// How long a drain may stand still before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a worker is started with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) url: String,
    pub(crate) queues: Vec<String>,
    pub(crate) concurrency: u32,
    pub(crate) connections: u32,
    /// Of its runtime: TOKIO_WORKER_THREADS sets as much for a program with `#[tokio::main]`.
    pub(crate) threads: usize,
    /// Whether it logs at `info`, to nowhere.
    pub(crate) logs: bool,
    /// Whether it looks all the time when jobs end, which costs a few hundredths of a core.
    pub(crate) watched: bool,
}

/// What a worker says of itself.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) done: u64,
    /// When a job had ended for the first time and for the last, µs since the Unix epoch.
    pub(crate) first_us: u64,
    pub(crate) last_us: u64,
    /// Processor time since it began to work.
    pub(crate) cpu_us: f64,
    pub(crate) peak_mib: f64,
}

/// Is a worker until its input ends.
pub(crate) fn run(setup: &str) -> ExitCode {
    let setup: Setup = serde_json::from_str(setup).expect("the harness says how to work");
    if setup.logs {
        // As a worker process logs where its output is no terminal.
        let logs = tracing_subscriber::fmt().with_ansi(false);
        logs.with_writer(std::io::sink).init();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(setup.threads)
        .enable_all()
        .build()
        .expect("a runtime is to be had");
    if setup.watched {
        std::thread::spawn(watch);
    }
    runtime.block_on(async {
        let client = jobq::connect(&setup.url).await.expect("Redis answers");
        let worker = Worker::builder(client)
            .queues(&setup.queues)
            .concurrency(setup.concurrency)
            .connections(setup.connections)
            .build()
            .expect("the settings are sound")
            .spawn();
        let answering = tokio::task::spawn_blocking(answer);
        answering.await.expect("it does not panic");
        worker.shutdown().await;
    });
    ExitCode::SUCCESS
}

/// When jobs were seen to have ended for the first time and for the last, and the processor time
/// before the first.
static SEEN: Mutex<Report> = Mutex::new(Report {
    done: 0,
    first_us: 0,
    last_us: 0,
    cpu_us: 0.0,
    peak_mib: 0.0,
});

fn seen() -> std::sync::MutexGuard<'static, Report> {
    SEEN.lock().expect("no one panics with this lock")
}

fn watch() {
    loop {
        std::thread::sleep(LOOK_EVERY);
        let done = jobs::done();
        let mut seen = seen();
        if done == seen.done {
            continue;
        }
        let now = jobs::now_us();
        if seen.first_us == 0 {
            seen.first_us = now;
            seen.cpu_us = usage::cpu_us();
        }
        (seen.done, seen.last_us) = (done, now);
    }
}

/// Answers each line of the input with one of the output.
fn answer() {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let answer = match &line[..] {
            "late" => serde_json::to_string(&jobs::take_late()),
            "anew" => {
                let done = jobs::done();
                *seen() = Report {
                    done,
                    ..Report::default()
                };
                BEFORE.store(done, Ordering::Relaxed);
                serde_json::to_string(&done)
            }
            _ => {
                let seen = *seen();
                serde_json::to_string(&Report {
                    done: seen.done - BEFORE.load(Ordering::Relaxed),
                    cpu_us: usage::cpu_us() - seen.cpu_us,
                    peak_mib: usage::peak_mib(),
                    ..seen
                })
            }
        };
        println!("{}", answer.expect("numbers can be written"));
    }
}

/// What was done before the harness began to count anew.
static BEFORE: AtomicU64 = AtomicU64::new(0);

/// A worker, seen from the harness; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// `None` once it is told to stop.
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(setup: &Setup) -> Self {
        Self::spawn(Command::new(program()), setup)
    }

    /// Has another program run it.
    pub(crate) fn start_in(mut runner: Command, setup: &Setup) -> Self {
        runner.arg(program());
        Self::spawn(runner, setup)
    }

    fn spawn(mut command: Command, setup: &Setup) -> Self {
        let setup = serde_json::to_string(setup).expect("text and numbers can be written");
        let mut child = command
            .args([COMMAND, &setup])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process is to be had");
        let ask = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Self {
            child,
            ask,
            answers,
        }
    }

    pub(crate) fn report(&mut self) -> Report {
        serde_json::from_str(&self.asked("report")).expect("a worker answers with a report")
    }

    /// How late jobs were since this was asked last, in µs.
    pub(crate) fn late(&mut self) -> Vec<f64> {
        serde_json::from_str(&self.asked("late")).expect("a worker answers with numbers")
    }

    /// Has it count from now on.
    pub(crate) fn anew(&mut self) {
        self.asked("anew");
    }

    /// Has it stop, and waits until it has; gives what it wrote to its standard error, if that is
    /// piped.
    pub(crate) fn ended(mut self) -> Option<ChildStderr> {
        drop(self.ask.take());
        self.child.wait().expect("it is our child");
        self.child.stderr.take()
    }

    fn asked(&mut self, what: &str) -> String {
        let ask = self.ask.as_mut().expect("its input is piped");
        writeln!(ask, "{what}").expect("the worker lives");
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .expect("the worker answers");
        answer
    }
}

fn program() -> PathBuf {
    std::env::current_exe().expect("this program has a path")
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the workers together have done so many jobs; answers each one's report.
pub(crate) async fn until_done(workers: &mut [Process], jobs: u64) -> Vec<Report> {
    let (mut best, mut since) = (0, Instant::now());
    loop {
        let reports: Vec<Report> = workers.iter_mut().map(Process::report).collect();
        let done: u64 = reports.iter().map(|report| report.done).sum();
        if done >= jobs {
            return reports;
        }
        if done > best {
            (best, since) = (done, Instant::now());
        }
        assert!(
            since.elapsed() < PATIENCE,
            "only {done} of {jobs} jobs were done"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
