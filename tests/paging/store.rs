//! A server of one's own, filled from within: by scripts that write a million jobs in seconds.

use std::time::Duration;

use jobq::{At, Client, DeadRecord, Envelope, JobId, Options, Queue, Reason};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use support::RedisServer;
use tokio::sync::{Mutex, MutexGuard};

use crate::slow::NOTING;

/// One test at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// Elements that one script writes.
const CHUNK: u64 = 50_000;

/// The element of a number is a template with the number in place of the id: 16 digits from byte 4.
const FILL: &str = r"
local kind, key, head, tail = ARGV[1], KEYS[1], ARGV[2], ARGV[3]
for number = tonumber(ARGV[4]), tonumber(ARGV[5]) do
  local element = head .. string.format('%016d', number) .. tail
  if kind == 'list' then
    redis.call('LPUSH', key, element)
  elseif kind == 'zset' then
    redis.call('ZADD', key, 4e12 + number, element)
  else
    redis.call('HSET', key, '7.' .. number, element)
  end
end";

pub(crate) struct Store {
    pub(crate) client: Client,
    connection: MultiplexedConnection,
    server: RedisServer,
    _turn: MutexGuard<'static, ()>,
}

/// Where elements go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum To {
    Ready,
    Delayed,
    /// Of this worker.
    InFlight(u32),
    Dead,
}

impl Store {
    pub(crate) async fn start() -> Self {
        let turn = TURN.lock().await;
        let server = RedisServer::start_with(&NOTING);
        let connection = support::beside(&server.url()).await.unwrap();
        let timeout = Duration::from_secs(60);
        Self {
            client: Client::builder(server.url())
                .timeout(timeout)
                .connect()
                .await
                .unwrap(),
            connection,
            server,
            _turn: turn,
        }
    }

    pub(crate) fn queue(&self) -> Queue {
        self.client.queue("mail").unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// A command on a connection beside the client's.
    pub(crate) async fn tell(&self, command: &Cmd) -> Value {
        let mut connection = self.connection.clone();
        command.query_async(&mut connection).await.unwrap()
    }

    /// Adds jobs of these numbers, with arguments of `size` bytes.
    pub(crate) async fn fill(&self, to: To, numbers: std::ops::RangeInclusive<u64>, size: usize) {
        let key = match to {
            To::Ready => "jobq:{mail}:ready".to_owned(),
            To::Delayed => "jobq:{mail}:delayed".to_owned(),
            To::InFlight(worker) => format!("jobq:{{mail}}:inflight:{worker:032}"),
            To::Dead => "jobq:{mail}:dead".to_owned(),
        };
        let kind = match to {
            To::Ready | To::Dead => "list",
            To::Delayed => "zset",
            To::InFlight(_) => "hash",
        };
        let template = match to {
            To::Dead => record(size),
            _ => envelope(size),
        };
        let (head, rest) = template.split_at(3);
        let (mut from, last) = numbers.into_inner();
        while from <= last {
            let upto = last.min(from + CHUNK - 1);
            let mut fill = redis::cmd("EVAL");
            fill.arg(FILL).arg(1).arg(&key).arg(kind).arg(head);
            self.tell(fill.arg(&rest[16..]).arg(from).arg(upto)).await;
            from = upto + 1;
        }
    }

    /// Registers workers of these numbers.
    pub(crate) async fn join(&self, workers: std::ops::RangeInclusive<u32>) {
        let mut join = redis::cmd("HSET");
        join.arg("jobq:{mail}:workers");
        for worker in workers {
            join.arg(format!("{worker:032}")).arg(7);
        }
        self.tell(&join).await;
    }
}

/// The id that the job of a number has.
pub(crate) fn id(number: u64) -> JobId {
    let digits = format!("{number:016}").into_bytes();
    JobId::from_bytes(digits.try_into().unwrap())
}

/// The number of an element.
pub(crate) fn number(element: &[u8]) -> u64 {
    std::str::from_utf8(&element[3..19])
        .unwrap()
        .parse()
        .unwrap()
}

fn envelope(size: usize) -> Vec<u8> {
    let mut args = vec![0x81, 0xa1, b'x', 0xc6];
    args.extend(u32::try_from(size).unwrap().to_be_bytes());
    args.resize(args.len() + size, b'x');
    let options = Options::default();
    Envelope::encode(id(0), "paging.some_job", &args, At::from_ms(1), &options).to_vec()
}

fn record(size: usize) -> Vec<u8> {
    let record = DeadRecord {
        id: id(0),
        died_at: At::from_ms(1_000_000_000_000),
        reason: Reason::Exhausted,
        error: "down".to_owned(),
        envelope: envelope(size).into(),
        history: Vec::new(),
    };
    record.encode().to_vec()
}
