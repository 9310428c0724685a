//! Redis servers: started on a free port in a folder of their own, ended with the test.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::certificates::Certificate;
use crate::folder::Folder;
use crate::port::Port;
use crate::roles::Role;

/// How long a server may take to start, loading its data included.
const START_WITHIN: Duration = Duration::from_secs(30);

/// Between two looks at a starting server's log, or at its port before.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Options of every server unless overridden: nothing on disk, local only, `DEBUG` for tests.
const DEFAULTS: [(&str, &str); 4] = [
    ("bind", "127.0.0.1"),
    ("save", ""),
    ("appendonly", "no"),
    ("enable-debug-command", "local"),
];

/// What stands before the keys of clients that name no namespace.
const DEFAULT_NAMESPACE: &str = "jobq";

/// What all of [`namespace`] match.
const ANY_NAMESPACE: &str = "test*";

/// A Redis server on loopback, which knows the users of every [`Role`]. It ends when this is
/// dropped, and with the process in any case.
#[derive(Debug)]
pub struct RedisServer {
    /// Before the folder and the port: it is ended first.
    running: Option<Running>,
    folder: Folder,
    /// Its own while it is down too.
    port: Port,
    options: Vec<(String, String)>,
    /// Where its users have their rights: a pattern.
    namespace: &'static str,
    certificate: Option<Certificate>,
}

/// A process, and the one that ends it should this process die without doing so.
#[derive(Debug)]
struct Running {
    server: Child,
    guard: Child,
}

impl RedisServer {
    /// A server with the defaults: on loopback, nothing kept on disk.
    ///
    /// # Panics
    ///
    /// When there is no `redis-server` (`REDIS_SERVER` or the `PATH`), or it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server with options of the configuration file, which go before the defaults:
    /// `[("appendonly", "yes")]`. With an `aclfile` its users are those of the file.
    ///
    /// # Panics
    ///
    /// As [`RedisServer::start`].
    #[must_use]
    pub fn start_with(options: &[(&str, &str)]) -> Self {
        Self::start_in(DEFAULT_NAMESPACE, options)
    }

    /// A server that speaks TLS only, and asks its clients for no certificate.
    ///
    /// # Panics
    ///
    /// As [`RedisServer::start`].
    #[must_use]
    pub fn start_tls(certificate: &Certificate, options: &[(&str, &str)]) -> Self {
        let mut server = Self::new(DEFAULT_NAMESPACE, options);
        server.certificate = Some(certificate.clone());
        server.launched()
    }

    fn start_in(namespace: &'static str, options: &[(&str, &str)]) -> Self {
        Self::new(namespace, options).launched()
    }

    fn new(namespace: &'static str, options: &[(&str, &str)]) -> Self {
        let given = |key: &str| options.iter().any(|(name, _)| *name == key);
        let defaults = DEFAULTS.iter().filter(|(name, _)| !given(name));
        let options = defaults.chain(options);
        Self {
            running: None,
            folder: Folder::new(),
            port: Port::free(),
            options: options
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            namespace,
            certificate: None,
        }
    }

    fn launched(mut self) -> Self {
        self.restart();
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its address, for what stands in between.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Its URL, without user, password and database.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = self.certificate.as_ref().map_or("redis", |_| "rediss");
        format!("{scheme}://{}", self.address())
    }

    /// Its process id, for signals.
    ///
    /// # Panics
    ///
    /// When it was killed.
    #[must_use]
    pub fn pid(&self) -> u32 {
        let running = self.running.as_ref().expect("the server was killed");
        running.server.id()
    }

    /// Sends it a signal: `STOP` freezes it, `CONT` lets it go on.
    ///
    /// # Panics
    ///
    /// When it was killed.
    pub fn signal(&self, name: &str) {
        crate::signal(self.pid(), name);
    }

    /// Ends it as `kill -9` does. Its data on disk, if any, stay.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Starts it again on the same port and the same data, after a kill if it runs, and once nobody
    /// else listens there any more.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + START_WITHIN;
        while self.port.is_listened_on() && Instant::now() < deadline {
            std::thread::sleep(LOOK_EVERY);
        }
        self.launch().unwrap_or_else(|log| panic!("{log}"));
    }

    /// Where its files lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives it another value of an option, from its next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.options.retain(|(name, _)| name != key);
        self.options.push((key.to_owned(), value.to_owned()));
    }

    /// Starts the process and waits until it answers; the error is what it logged.
    fn launch(&mut self) -> Result<(), String> {
        let log = self.folder.write("log", "");
        let server = self
            .command(&log)
            .spawn()
            .unwrap_or_else(|error| no_server(&error));
        let guard = guard(server.id(), self.folder.path());
        let running = self.running.insert(Running { server, guard });
        let deadline = Instant::now() + START_WITHIN;
        loop {
            // Asked first: what it logged before its end is then complete.
            let ended = running
                .server
                .try_wait()
                .expect("it is our child")
                .is_some();
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.contains("Ready to accept connections") {
                return Ok(());
            }
            if ended || Instant::now() > deadline {
                self.kill();
                return Err(format!("redis-server did not start:\n{text}"));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn command(&self, log: &Path) -> Command {
        let program = std::env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let mut command = Command::new(program);
        self.listen(&mut command);
        command.arg("--dir").arg(self.folder.path());
        command.arg("--logfile").arg(log);
        for (key, value) in &self.options {
            command.arg(format!("--{key}")).arg(value);
        }
        // Not by ACL SETUSER: a server that is restarted knows them still.
        let given = self.options.iter().any(|(key, _)| key == "aclfile");
        for role in Role::ALL.into_iter().filter(|_| !given) {
            command.args(["--user", role.user()]);
            command.args(role.rules(self.namespace));
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn listen(&self, command: &mut Command) {
        let port = self.port().to_string();
        let Some(Certificate { chain, key }) = &self.certificate else {
            command.args(["--port", &port]);
            return;
        };
        command.args(["--port", "0", "--tls-port", &port]);
        command.arg("--tls-cert-file").arg(chain);
        command.arg("--tls-key-file").arg(key);
        // Of two, the later counts: options follow.
        command.args(["--tls-auth-clients", "no"]);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The guard first: once the server is reaped, its id may belong to another process.
        for child in [&mut self.guard, &mut self.server] {
            // An error means that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The server that all tests of a binary share, each in a [`namespace`] of its own. Statics are
/// never dropped: its guard ends it with the process.
///
/// # Panics
///
/// As [`RedisServer::start`].
pub fn shared() -> &'static RedisServer {
    static SHARED: OnceLock<RedisServer> = OnceLock::new();
    SHARED.get_or_init(|| RedisServer::start_in(ANY_NAMESPACE, &[]))
}

/// A namespace that no other test of this process has.
pub fn namespace() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A process that sees this one end, by the end of its input, and then ends the server.
fn guard(server: u32, folder: &Path) -> Child {
    Command::new("sh")
        .args([
            "-c",
            "trap '' INT TERM HUP; read -r _; kill -9 \"$0\"; rm -rf \"$1\"",
        ])
        .arg(server.to_string())
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("there is a shell")
}

fn no_server(error: &io::Error) -> ! {
    panic!(
        "no redis-server ({error}): install it with `apt-get install redis-server`, or set \
         REDIS_SERVER to the path of one (7.0 or newer)"
    )
}

#[cfg(test)]
mod tests;
