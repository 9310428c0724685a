//! A Redis server of one test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jobq::broker::Broker;
use jobq::broker::redis::{RedisBroker, RedisConfig};
use redis::Value;

/// How long anything may take that a test waits for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    port: u16,
    folder: PathBuf,
    settings: Vec<String>,
    process: Option<Child>,
}

impl Server {
    pub(crate) fn start(settings: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jobq-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut server = Self {
            port: free.local_addr().unwrap().port(),
            folder,
            settings: settings.iter().map(|&s| s.to_owned()).collect(),
            process: None,
        };
        drop(free);
        server.start_again();
        server
    }

    pub(crate) fn start_again(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ])
            .args(["--dir", self.folder.to_str().unwrap()])
            .args(&self.settings)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server must be installed: apt-get install redis-server");
        self.process = Some(process);
        let started = Instant::now();
        while self.serves().is_none() {
            assert!(started.elapsed() < DEADLINE, "redis-server does not serve");
            std::thread::yield_now();
        }
    }

    /// Whether it listens and has read its file.
    fn serves(&self) -> Option<()> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        connection.write_all(b"PING\r\n").ok()?;
        let mut answer = [0; 4];
        connection.read_exact(&mut answer).ok()?;
        (&answer != b"-LOA").then_some(())
    }

    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub(crate) async fn broker(&self) -> RedisBroker {
        self.broker_within(Duration::from_secs(5)).await
    }

    pub(crate) async fn broker_within(&self, timeout: Duration) -> RedisBroker {
        let config = RedisConfig::parse(&self.url(), None).unwrap();
        RedisBroker::connect(config, timeout).await.unwrap()
    }

    /// A command on a connection of its own, beside every broker.
    pub(crate) async fn ask(&self, words: &[&str]) -> Value {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.unwrap()
    }

    /// Waits until a command answers what is wanted.
    pub(crate) async fn until(&self, words: &[&str], wanted: impl Fn(&Value) -> bool) {
        let started = Instant::now();
        loop {
            let answer = self.ask(words).await;
            if wanted(&answer) {
                return;
            }
            assert!(started.elapsed() < DEADLINE, "{words:?}: {answer:?}");
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The broker as the trait's own methods want it.
pub(crate) fn dynamic(broker: &RedisBroker) -> &dyn Broker {
    broker
}
