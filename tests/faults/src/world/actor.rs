//! A process of the actor program.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use support::Role;
use tokio::time::{Instant, sleep};

use super::guard::Guard;

/// The program, beside this one or, of a test, a folder above it.
const PROGRAM: &str = "jobq-fault-actor";

/// Between two looks whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One that was started. It ends when this is dropped.
#[derive(Debug)]
pub struct Actor {
    number: usize,
    queues: usize,
    child: Child,
    ended: Option<ExitStatus>,
    ledger: PathBuf,
    log: PathBuf,
    guard: Arc<Guard>,
}

impl Actor {
    pub(super) fn start(
        number: usize,
        role: &str,
        port: u16,
        folder: &Path,
        arguments: &[String],
        environment: &[(String, String)],
        guard: Arc<Guard>,
    ) -> Self {
        let file = |kind| folder.join(format!("{number}-{role}.{kind}"));
        let (ledger, log) = (file("ledger"), file("log"));
        let user = match role {
            "work" => Role::Worker,
            _ => Role::Producer,
        };
        let url = user.log_in(&format!("redis://127.0.0.1:{port}"));
        let child = Command::new(program())
            .arg(format!("--url={url}"))
            .arg("--ledger")
            .arg(&ledger)
            .args(arguments.iter().filter(|one| is_for_all(one)))
            .arg(role)
            .args(arguments.iter().filter(|one| !is_for_all(one)))
            .envs(environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("the folder is writable"))
            .spawn()
            .expect("the actor program starts");
        guard.add(child.id());
        Self {
            number,
            queues: 0,
            child,
            ended: None,
            ledger,
            log,
            guard,
        }
    }

    pub(super) fn serving(mut self, queues: usize) -> Self {
        self.queues = queues;
        self
    }

    /// Of how many queues it is a member while it works.
    #[must_use]
    pub fn queues(&self) -> usize {
        self.queues
    }

    /// Its number in this world, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it writes its ledger.
    #[must_use]
    pub fn ledger(&self) -> &Path {
        &self.ledger
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    pub(super) fn kill9(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        self.reap(|child| child.wait().ok());
    }

    pub(super) fn signal(&self, name: &str) {
        support::signal(self.pid(), name);
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.reap(|child| child.try_wait().ok().flatten());
        self.ended
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When that takes longer than `limit`.
    pub async fn wait(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            let number = self.number;
            assert!(
                Instant::now() < deadline,
                "process {number} did not end within {limit:?}"
            );
            sleep(LOOK_EVERY).await;
        }
    }

    fn reap(&mut self, how: impl FnOnce(&mut Child) -> Option<ExitStatus>) {
        if self.ended.is_some() {
            return;
        }
        self.ended = how(&mut self.child);
        if self.ended.is_some() {
            self.guard.remove(self.child.id());
        }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill9();
        }
    }
}

/// Options of every actor stand before its role.
fn is_for_all(argument: &str) -> bool {
    ["--threads=", "--timeout=", "--log="]
        .iter()
        .any(|option| argument.starts_with(option))
}

fn program() -> PathBuf {
    let own = env::current_exe().expect("this program is a file");
    let places = own.ancestors().skip(1).take(2);
    let mut programs = places.map(|place| place.join(PROGRAM));
    programs
        .find(|program| program.exists())
        .unwrap_or_else(|| {
            panic!(
                "no {PROGRAM} beside {}: cargo build -p jobq-faults",
                own.display()
            )
        })
}
