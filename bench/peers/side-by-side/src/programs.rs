//! The programs of the systems: how they are built and run.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use kit::Pool;

use crate::Error;
use crate::server::RedisServer;
use crate::systems::System;
use crate::worker::Worker;

/// How long a producer may take.
const PRODUCE_WITHIN: Duration = Duration::from_secs(300);

/// What the programs of one measurement share.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) system: &'a System,
    pub(crate) server: &'a RedisServer,
    /// Where workers tell producers of starts; workers only count without it.
    pub(crate) signal_to: Option<SocketAddr>,
}

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds the programs of these systems, beside this one.
    ///
    /// Each by itself: in one build, the features that one system asks of a crate would be set for all.
    pub(crate) fn build(systems: &[&System]) -> Result<Self, Error> {
        let this = std::env::current_exe()?;
        let target = this.ancestors().nth(2);
        let target = target.ok_or("this program is not in a folder of cargo's")?;
        for system in systems {
            build(system.program, target)?;
        }
        let folder = target.join("release");
        Ok(Self { folder })
    }

    /// Runs a producer to its end; answers what it printed.
    pub(crate) fn produce(&self, scene: &Scene<'_>, args: &[&str]) -> Result<String, Error> {
        let mut command = self.command(scene);
        command.args(args).stdin(Stdio::null());
        printed(command, args)
    }

    /// Starts a worker.
    pub(crate) fn work(&self, scene: &Scene<'_>, pool: Pool) -> Result<Worker, Error> {
        Worker::start(self.command(scene), pool)
    }

    fn command(&self, scene: &Scene<'_>) -> Command {
        let mut command = Command::new(self.folder.join(scene.system.program));
        command.env(kit::URL, scene.server.url());
        if let Some(address) = scene.signal_to {
            command.env(kit::SIGNAL, address.to_string());
        }
        command
    }
}

fn build(program: &str, target: &Path) -> Result<(), Error> {
    eprintln!("building {program}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--package", program])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .arg("--target-dir")
        .arg(target)
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("building {program}: {status}").into()),
    }
}

/// Runs a command within its time; answers what it printed.
fn printed(mut command: Command, args: &[&str]) -> Result<String, Error> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().expect("it was made a pipe");
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text).map(|_| text);
        // An error means that nobody waits any more.
        let _ = send.send(read);
    });
    let Ok(read) = receive.recv_timeout(PRODUCE_WITHIN) else {
        child.kill()?;
        child.wait()?;
        return Err(format!("{args:?} took longer than {PRODUCE_WITHIN:?}").into());
    };
    let status = child.wait()?;
    match status.success() {
        true => Ok(read?),
        false => Err(format!("{args:?}: {status}").into()),
    }
}
