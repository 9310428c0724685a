//! A Redis server for one measurement: on a free port of loopback, with nothing on disk.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Client, Connection};
use tempfile::TempDir;

use crate::Error;

/// How long it may take to start.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Between two attempts to reach one that starts.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Free ports tried, should another process take one between the search and the start.
const PORTS_TRIED: u32 = 10;

/// A Redis server that ends when this is dropped, and with the process in any case.
#[derive(Debug)]
pub(crate) struct RedisServer {
    url: String,
    server: Child,
    /// Ends the server should this process die without doing so.
    guard: Child,
    /// Where it runs; removed after it ended.
    _folder: TempDir,
}

impl RedisServer {
    pub(crate) fn start() -> Result<Self, Error> {
        let mut last = None;
        for _ in 0..PORTS_TRIED {
            match Self::start_at(free_port()?) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("more than no port was tried"))
    }

    fn start_at(port: u16) -> Result<Self, Error> {
        let folder = TempDir::new()?;
        let server = spawn(port, folder.path())?;
        let guard = guard(server.id(), folder.path())?;
        let mut server = Self {
            url: format!("redis://127.0.0.1:{port}/"),
            server,
            guard,
            _folder: folder,
        };
        let deadline = Instant::now() + START_WITHIN;
        while server.connection().is_err() {
            if let Some(status) = server.server.try_wait()? {
                return Err(format!("redis-server did not start: {status}").into());
            }
            if Instant::now() > deadline {
                return Err("redis-server does not answer".into());
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(server)
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its version.
    pub(crate) fn version(&self) -> Result<String, Error> {
        self.info("server", "redis_version")
    }

    /// The CPU time that it has used, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Error> {
        let user: f64 = self.info("cpu", "used_cpu_user")?.parse()?;
        let system: f64 = self.info("cpu", "used_cpu_sys")?.parse()?;
        Ok(user + system)
    }

    /// The bytes that it has allocated.
    pub(crate) fn memory(&self) -> Result<f64, Error> {
        Ok(self.info("memory", "used_memory")?.parse()?)
    }

    fn info(&self, section: &str, field: &str) -> Result<String, Error> {
        let mut connection = self.connection()?;
        let info: String = redis::cmd("INFO").arg(section).query(&mut connection)?;
        let value = info.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name == field).then(|| value.trim().to_owned())
        });
        value.ok_or_else(|| format!("INFO {section} has no {field}").into())
    }

    fn connection(&self) -> Result<Connection, Error> {
        Ok(Client::open(self.url.as_str())?.get_connection()?)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // The guard first: once the server is reaped, its id may belong to another process.
        for child in [&mut self.guard, &mut self.server] {
            // An error means that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn spawn(port: u16, folder: &Path) -> Result<Child, Error> {
    let program = std::env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
    Command::new(program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("no redis-server on the PATH or in REDIS_SERVER: {error}").into())
}

/// A process that sees this one end, by the end of its input, and then ends the server.
fn guard(server: u32, folder: &Path) -> Result<Child, Error> {
    let script = "trap '' INT TERM HUP; read -r _; kill -9 \"$0\"; rm -rf \"$1\"";
    let guard = Command::new("sh")
        .args(["-c", script, &server.to_string()])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    Ok(guard)
}

/// A port of loopback that nobody listens on.
fn free_port() -> Result<u16, Error> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
