//! Worker processes: started, told, killed, waited for.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use support::Folder;

/// The worker program, with an environment of its own.
pub(crate) fn command() -> Command {
    program(env!("CARGO_BIN_EXE_jobq-test-worker"))
}

/// A worker program without jobs.
pub(crate) fn bare() -> Command {
    program(env!("CARGO_BIN_EXE_jobq-test-bare"))
}

/// A worker program of which two jobs have one name.
pub(crate) fn twins() -> Command {
    program(env!("CARGO_BIN_EXE_jobq-test-twins"))
}

/// A client that tells everything.
pub(crate) fn client() -> Command {
    program(env!("CARGO_BIN_EXE_jobq-test-client"))
}

fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    command.env_clear().stdin(Stdio::null());
    command
}

/// A running worker process. It ends when this is dropped, and with the test in any case.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
    _folder: Folder,
}

impl Program {
    /// A worker on this broker, on the queue of [`support::jobs`], quick to notice a death. It
    /// runs when this answers.
    pub(crate) async fn start(url: &str, args: &[&str]) -> Self {
        let program = Self::launch(
            command()
                .args(["--url", url, "--queues", support::jobs::QUEUE])
                .args(args),
        );
        program.wait_for_log("worker started").await;
        program
    }

    pub(crate) fn launch(command: &mut Command) -> Self {
        let folder = Folder::new();
        let log = folder.path().join("log");
        let stderr = File::create(&log).expect("the folder for temporary files is writable");
        let child = command
            .env("TEST_ENDS_WITH_STDIN", "1")
            .env(
                "JOBQ_LEASE",
                format!("{}ms", crate::fixture::LEASE.as_millis()),
            )
            .env(
                "JOBQ_RENEW_EVERY",
                format!("{}ms", crate::fixture::RENEW_EVERY.as_millis()),
            )
            .stdin(Stdio::piped())
            .stdout(stderr.try_clone().expect("a file can be shared"))
            .stderr(stderr)
            .spawn()
            .expect("the program was built with the tests");
        Self {
            child,
            log,
            _folder: folder,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote so far, to both its outputs.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) async fn wait_for_log(&self, text: &str) {
        let what = format!("{text:?} in the log of a worker");
        let is_there = async || {
            let log = self.log();
            // It would be waited for in vain, and nobody would be told why.
            let has_failed = log.contains("could not connect");
            assert!(log.contains(text) || !has_failed, "no {what}: {log}");
            log.contains(text).then_some(())
        };
        support::eventually(&what, is_there).await;
    }

    /// Sends a signal: `TERM`, `INT`, `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        support::signal(self.pid(), name);
    }

    /// Stops it, and waits until none of its threads runs: a signal is sent before it is obeyed.
    pub(crate) async fn stop(&self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.pid());
        support::eventually("every thread to stand still", async || {
            let tasks = fs::read_dir(&tasks).ok()?;
            let stats =
                tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("stat")).ok());
            let stopped = |stat: String| {
                let state = stat.rsplit(") ").next();
                state.is_some_and(|state| state.starts_with('T'))
            };
            stats.into_iter().all(stopped).then_some(())
        })
        .await;
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// Waits for its end; answers how it ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        support::eventually("the end of a worker process", async || {
            self.child.try_wait().expect("it is our child")
        })
        .await
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("log of worker process {}:\n{}", self.pid(), self.log());
        }
    }
}
