//! The Redis that is measured, and what it says of itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::ops::Sub;
use std::thread::JoinHandle;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue};
use support::RedisServer;

/// A Redis of this program's own, with a connection to look at it.
#[derive(Debug)]
pub(crate) struct Store {
    server: RedisServer,
    connection: MultiplexedConnection,
}

impl Store {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With options of the configuration file.
    pub(crate) async fn start_with(options: &[(&str, &str)]) -> Self {
        let server = RedisServer::start_with(options);
        let connection = connect(&server.url()).await;
        Self { server, connection }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// A connection of its own.
    pub(crate) async fn connect(&self) -> MultiplexedConnection {
        connect(&self.url()).await
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let mut connection = self.connection.clone();
        command
            .query_async(&mut connection)
            .await
            .expect("Redis answers")
    }

    pub(crate) async fn flush(&self) {
        self.ask::<()>(redis::cmd("FLUSHALL").arg("SYNC")).await;
    }

    /// µs of processor time so far.
    pub(crate) async fn cpu_us(&self) -> f64 {
        let info = self.info("cpu").await;
        (number(&info, "used_cpu_user") + number(&info, "used_cpu_sys")) * 1e6
    }

    /// What it has used so far.
    pub(crate) async fn used(&self) -> Used {
        let stats = self.info("stats").await;
        Used {
            cpu_us: self.cpu_us().await,
            read_bytes: number(&stats, "total_net_input_bytes"),
            sent_bytes: number(&stats, "total_net_output_bytes"),
        }
    }

    /// Bytes that it has allocated.
    pub(crate) async fn bytes(&self) -> f64 {
        number(&self.info("memory").await, "used_memory")
    }

    async fn info(&self, section: &str) -> String {
        self.ask(redis::cmd("INFO").arg(section)).await
    }
}

pub(crate) async fn connect(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("the URL is sound");
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .expect("Redis answers")
}

/// Processor time of Redis, and bytes of its clients.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) cpu_us: f64,
    pub(crate) read_bytes: f64,
    pub(crate) sent_bytes: f64,
}

impl Sub for Used {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            cpu_us: self.cpu_us - before.cpu_us,
            read_bytes: self.read_bytes - before.read_bytes,
            sent_bytes: self.sent_bytes - before.sent_bytes,
        }
    }
}

fn number(info: &str, key: &str) -> f64 {
    let value = |line: &str| {
        line.strip_prefix(key)?
            .strip_prefix(':')?
            .trim()
            .parse()
            .ok()
    };
    info.lines().find_map(value).expect("Redis says it")
}

/// Calls of clients that Redis was asked to carry out; those within scripts are not among them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Made {
    pub(crate) all: u64,
    /// BLMOVE alone: each that ended is sent again.
    pub(crate) waits: u64,
}

/// Counts calls by MONITOR until it is asked, on a thread of its own.
#[derive(Debug)]
pub(crate) struct Calls {
    stream: TcpStream,
    counting: JoinHandle<Made>,
}

impl Calls {
    pub(crate) fn watch(store: &Store) -> Self {
        let mut stream = TcpStream::connect(store.server.address()).expect("Redis listens");
        stream.write_all(b"MONITOR\r\n").expect("Redis reads");
        let mut lines = BufReader::new(stream.try_clone().expect("a socket can be shared"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("Redis answers");
        let counting = std::thread::spawn(move || count(lines));
        Self { stream, counting }
    }

    pub(crate) fn seen(self) -> Made {
        self.stream.shutdown(Shutdown::Both).expect("it is open");
        self.counting.join().expect("it does not panic")
    }
}

/// A line is `+<time> [<database> <address, or lua>] "<command>" …`, a byte of another encoding escaped.
fn count(lines: BufReader<TcpStream>) -> Made {
    let mut made = Made::default();
    for line in lines.lines().map_while(Result::ok) {
        if !line.contains(" lua] ") {
            made.all += 1;
            made.waits += u64::from(line.contains("\"BLMOVE\""));
        }
    }
    made
}
