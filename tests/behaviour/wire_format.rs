//! `docs/reference/wire-format.md` is enough to enqueue from any language: these envelopes are
//! written byte by byte, put into a real Redis with its own commands, and run.

use std::time::{SystemTime, UNIX_EPOCH};

use jobq::{Context, JobId, State, job};
use redis::aio::MultiplexedConnection;

use crate::fixture::{Fixture, Ledger};

#[job(name = "send_welcome", retries = 0)]
async fn send_welcome(ctx: Context, ledger: State<Ledger>, user_id: u64, email: String) {
    let (id, attempt) = (ctx.id(), ctx.attempt());
    ledger.write(format!("{id} {attempt} {user_id} {email}"));
}

#[job(name = "wire.fail", retries = 0)]
async fn fail(ctx: Context, ledger: State<Ledger>) -> Result<(), String> {
    ledger.write(ctx.attempt().to_string());
    Err("always".to_owned())
}

const ID: [u8; 16] = [
    0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57,
];

/// The example of the document.
const EXAMPLE: &[u8] = &[
    0x98, // array of 8
    0xc4, 0x10, 0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a,
    0x80, 0x57, // id
    0x01, // version
    0xac, b's', b'e', b'n', b'd', b'_', b'w', b'e', b'l', b'c', b'o', b'm', b'e', // name
    0xc4, 0x16, // bin of 22: the arguments
    0x82, // map of 2
    0xa7, b'u', b's', b'e', b'r', b'_', b'i', b'd', 0x07, // user_id: 7
    0xa5, b'e', b'm', b'a', b'i', b'l', 0xa5, b'a', b'@', b'b', b'.', b'c', // email: a@b.c
    0xcf, 0x00, 0x00, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00, // enqueued at
    0x00, // failures
    0x00, // crashes
    0x80, // options
];

/// What the handler of the example writes down.
const RAN: &str = "01890a5d-ac96-774b-bcce-b302099a8057 1 7 a@b.c";

/// A client of Redis that knows nothing of jobq.
struct Foreigner {
    fixture: Fixture,
    connection: MultiplexedConnection,
}

impl Foreigner {
    async fn new() -> Self {
        let connection = support::beside(&support::shared().url()).await;
        Self {
            fixture: Fixture::redis().await,
            connection: connection.unwrap(),
        }
    }

    fn key(&self, name: &str) -> String {
        let (_, namespace) = self.fixture.url.split_once("namespace=").unwrap();
        format!("{namespace}:{{default}}:{name}")
    }

    async fn push(&mut self, envelope: &[u8]) {
        let mut push = redis::cmd("LPUSH");
        push.arg(self.key("ready")).arg(envelope);
        let length: u64 = push.query_async(&mut self.connection).await.unwrap();
        assert_eq!(length, 1);
    }
}

/// An envelope from its parts, each spelled as the caller likes.
fn envelope(
    name: &[u8],
    args: &[u8],
    enqueued_at: &[u8],
    counts: &[u8],
    options: &[u8],
) -> Vec<u8> {
    let front = [&[0x98, 0xc4, 0x10], &ID[..], &[0x01]].concat();
    [&front, name, args, enqueued_at, counts, options].concat()
}

#[tokio::test]
async fn the_example_of_the_document_runs() {
    let mut foreigner = Foreigner::new().await;
    foreigner.push(EXAMPLE).await;
    let stats = foreigner.fixture.run_until_idle().await;
    assert_eq!((stats.done, stats.dead), (1, 0));
    assert_eq!(foreigner.fixture.ledger.lines(), [RAN]);
    assert_eq!(EXAMPLE.len(), 69, "as the document says");
}

/// The bytes by which a program in another language checks itself.
#[test]
fn the_guide_shows_the_same_bytes() {
    let page = include_str!("../../docs/guide/other-languages.md");
    let block = page
        .split("```text\n")
        .find(|block| block.starts_with("98 c4 10"))
        .and_then(|block| block.split("```").next())
        .expect("the page shows an envelope");
    let byte = |text| u8::from_str_radix(text, 16).unwrap();
    let shown: Vec<u8> = block.split_whitespace().map(byte).collect();
    assert_eq!(shown, EXAMPLE);
}

#[tokio::test]
async fn a_push_wakes_a_worker_that_waits() {
    let mut foreigner = Foreigner::new().await;
    let handle = foreigner.fixture.calm_worker().build().unwrap().spawn();
    foreigner.push(EXAMPLE).await;
    foreigner.fixture.ledger.wait_for(RAN, 1).await;
    handle.shutdown().await;
}

#[tokio::test]
async fn numbers_texts_and_bins_may_have_any_legal_width() {
    let mut foreigner = Foreigner::new().await;
    let user_id: [&[u8]; 9] = [
        &[0x07],
        &[0xcc, 7],
        &[0xcd, 0, 7],
        &[0xce, 0, 0, 0, 7],
        &[0xcf, 0, 0, 0, 0, 0, 0, 0, 7],
        &[0xd0, 7],
        &[0xd1, 0, 7],
        &[0xd2, 0, 0, 0, 7],
        &[0xd3, 0, 0, 0, 0, 0, 0, 0, 7],
    ];
    let name: [&[u8]; 3] = [&[0xd9, 12], &[0xda, 0, 12], &[0xdb, 0, 0, 0, 12]];
    let map: [&[u8]; 3] = [&[0x82], &[0xde, 0, 2], &[0xdf, 0, 0, 0, 2]];
    let time: [&[u8]; 2] = [
        &[0xcf, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0],
        &[0xd3, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0],
    ];
    let zero: [&[u8]; 5] = [
        &[0],
        &[0xcc, 0],
        &[0xce, 0, 0, 0, 0],
        &[0xcf, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xd0, 0],
    ];
    let none: [&[u8]; 3] = [&[0x80], &[0xde, 0, 0], &[0xdf, 0, 0, 0, 0]];
    for (i, user_id) in user_id.iter().enumerate() {
        let args = [
            map[i % 3],
            b"\xa7user_id",
            user_id,
            b"\xd9\x05email\xda\0\x05a@b.c",
        ]
        .concat();
        let len = u8::try_from(args.len()).unwrap();
        let bin: [&[u8]; 3] = [&[0xc4, len], &[0xc5, 0, len], &[0xc6, 0, 0, 0, len]];
        let wide = envelope(
            &[name[i % 3], b"send_welcome"].concat(),
            &[bin[i % 3], &args].concat(),
            time[i % 2],
            &[zero[i % 5], zero[(i + 1) % 5]].concat(),
            none[i % 3],
        );
        foreigner.push(&wide).await;
        assert_eq!(
            foreigner.fixture.run_until_idle().await.done,
            1,
            "{wide:02x?}"
        );
    }
    assert_eq!(foreigner.fixture.ledger.count(RAN), 9);
}

#[tokio::test]
async fn options_are_read_as_documented() {
    let mut foreigner = Foreigner::new().await;
    let mut options = vec![0x84];
    options.extend(b"\xa7retries\x02\xa7timeout\x00");
    options.extend(b"\xa7backoff\x83\xa8strategy\xa5fixed\xa4base\x05\xa6jitter\xa4none");
    options.extend(b"\xaaacme.trace\xc4\x03abc");
    let job = envelope(b"\xa9wire.fail", b"\xc4\x01\x80", &[0], &[0, 0], &options);
    foreigner.push(&job).await;
    let fixture = &foreigner.fixture;
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.retried, stats.dead), (2, 1));
    assert_eq!(fixture.ledger.lines(), ["1", "2", "3"]);
    let dead = fixture.only_dead().await;
    assert_eq!(dead.id(), JobId::from_bytes(ID));
    let foreign = b"\xaaacme.trace\xc4\x03abc";
    let kept = dead
        .bytes()
        .windows(foreign.len())
        .any(|window| window == foreign);
    assert!(kept, "an option of another program is kept");
}

#[tokio::test]
async fn failures_so_far_are_counted_on() {
    let mut foreigner = Foreigner::new().await;
    let options = b"\x81\xa7retries\x05";
    let job = envelope(b"\xa9wire.fail", b"\xc4\x01\x80", &[0], &[5, 0], options);
    foreigner.push(&job).await;
    assert_eq!(foreigner.fixture.run_until_idle().await.dead, 1);
    assert_eq!(foreigner.fixture.ledger.lines(), ["6"]);
}

#[tokio::test]
async fn what_is_put_into_delayed_runs_when_it_is_due() {
    let mut foreigner = Foreigner::new().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let due = now.as_millis() + 300;
    let mut add = redis::cmd("ZADD");
    add.arg(foreigner.key("delayed"))
        .arg(due.to_string())
        .arg(EXAMPLE);
    let added: u64 = add.query_async(&mut foreigner.connection).await.unwrap();
    assert_eq!(added, 1);
    assert_eq!(foreigner.fixture.run_until_idle().await.done, 1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(now.as_millis() >= due, "it was early");
    assert_eq!(foreigner.fixture.ledger.lines(), [RAN]);
}

#[tokio::test]
async fn the_dead_record_is_laid_out_as_documented() {
    let mut foreigner = Foreigner::new().await;
    let job = envelope(b"\xa9wire.fail", b"\xc4\x01\x80", &[0], &[0, 0], &[0x80]);
    foreigner.push(&job).await;
    assert_eq!(foreigner.fixture.run_until_idle().await.dead, 1);
    let mut read = redis::cmd("LINDEX");
    read.arg(foreigner.key("dead")).arg(0);
    let record: Vec<u8> = read.query_async(&mut foreigner.connection).await.unwrap();
    assert_eq!(record[..3], [0x95, 0xc4, 0x10]);
    assert_eq!(record[3..19], ID);
    assert_eq!(record[19], 0xcf);
    let died_at = u128::from(u64::from_be_bytes(record[20..28].try_into().unwrap()));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis();
    assert!(died_at.abs_diff(now) < 600_000, "{died_at} is now, {now}");
    let rest = [
        &b"\xa9exhausted\xa6always\xc4"[..],
        &[u8::try_from(job.len()).unwrap()],
    ]
    .concat();
    assert!(record[28..].starts_with(&rest), "{:02x?}", &record[28..]);
    // The same envelope with one failure.
    let mut failed = job.clone();
    let failures = failed.len() - 3;
    failed[failures] = 1;
    assert!(record.ends_with(&failed));
}
