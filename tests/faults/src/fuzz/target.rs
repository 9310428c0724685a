//! The readers, what they take, and what must be true of what they took.

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::redis::RedisConfig;
use jobq::{
    At, Backoff, DeadRecord, Envelope, Failure, Job, JobId, Options, QueueName, Reason, Token,
};

use super::probe::Probe;

/// A reader.
pub(super) struct Target {
    /// What it reads.
    pub(super) name: &'static str,
    /// Input that it takes.
    pub(super) corpus: fn() -> Vec<Vec<u8>>,
    /// Reads, and checks what it read; answers whether that was anything.
    pub(super) read: fn(&[u8]) -> bool,
}

/// All of them.
pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "envelopes",
        corpus: envelopes,
        read: envelope,
    },
    Target {
        name: "arguments",
        corpus: arguments,
        read: arguments_of_a_job,
    },
    Target {
        name: "dead records",
        corpus: dead_records,
        read: dead_record,
    },
    Target {
        name: "URLs",
        corpus: urls,
        read: url,
    },
    Target {
        name: "names",
        corpus: names,
        read: name,
    },
];

/// What `Probe` may hold for each byte it was read from: nothing is made of a mere length.
const HELD_PER_BYTE: usize = 2;

fn options() -> Vec<Options> {
    let mut full = Options::default();
    full.retries = Some(3);
    full.timeout = Some(Some(Duration::from_secs(90)));
    full.backoff = Some(Backoff::exponential(Duration::from_millis(1500)).factor(1.5));
    full.due = Some(At::from_ms(1_700_000_060_000));
    full.unknown = 2;
    full.push_failure(At::from_ms(1_700_000_000_500), "connection refused");
    let mut fixed = Options::default();
    fixed.timeout = Some(None);
    fixed.backoff = Some(Backoff::fixed(Duration::from_secs(1)));
    vec![Options::default(), full, fixed]
}

fn id() -> JobId {
    JobId::from_bytes(*b"0123456789abcdef")
}

fn arguments() -> Vec<Vec<u8>> {
    let args = rmp_serde::to_vec_named(&Probe::sample());
    vec![args.expect("it can be written")]
}

fn fixtures(dead: bool) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../jobq/tests/fixtures/envelope");
    let files = fs::read_dir(folder).expect("the folder is there");
    let paths = files.map(|file| file.expect("it can be read").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.display().to_string().contains("dead") == dead)
        .collect();
    paths.sort();
    let contents = paths.iter().map(fs::read);
    contents
        .map(|bytes| bytes.expect("it can be read"))
        .collect()
}

fn envelopes() -> Vec<Vec<u8>> {
    let args = arguments().remove(0);
    let at = At::from_ms(1_700_000_000_000);
    let made = options().into_iter().map(|options| {
        let fresh = Envelope::encode(id(), Probe::NAME, &args, at, &options);
        let envelope = Envelope::decode(fresh).expect("it was just written");
        envelope.rewrite(1, 300, &options).to_vec()
    });
    made.chain(fixtures(false)).collect()
}

fn envelope(input: &[u8]) -> bool {
    assert!(input.len() < 17 || Envelope::id_of(input).is_none_or(|id| id.to_string().len() == 36));
    let read = match Envelope::decode(Bytes::copy_from_slice(input)) {
        Ok(read) => read,
        Err(error) => return is_no_essay(&error),
    };
    assert!((1..=512).contains(&read.name().len()));
    assert!(read.args().len() < input.len());
    let options = match read.options() {
        Ok(options) => options,
        Err(error) => return is_no_essay(&error),
    };
    assert!(options.history.len() <= Options::MAX_HISTORY);
    let written = read.rewrite(read.failures(), read.crashes(), &options);
    let again = Envelope::decode(written.clone()).expect("what was written can be read");
    assert_eq!(parts(&again), parts(&read));
    assert_eq!(again.options(), Ok(options.clone()));
    let rewritten = again.rewrite(again.failures(), again.crashes(), &options);
    assert_eq!(rewritten, written, "writing it again changes nothing");
    let counted = again.rewrite(u32::MAX, 70_000, &options);
    let counted = Envelope::decode(counted).expect("what was written can be read");
    assert_eq!((counted.failures(), counted.crashes()), (u32::MAX, 70_000));
    assert_whole(input, |bytes| Envelope::decode(bytes).is_ok());
    true
}

/// What was read ends where it ends: with a byte more, or one less, it is refused.
fn assert_whole(input: &[u8], is_read: impl Fn(Bytes) -> bool) {
    let less = Bytes::copy_from_slice(&input[..input.len() - 1]);
    assert!(!is_read(less), "read without its last byte");
    let more = Bytes::from([input, b"\x00"].concat());
    assert!(!is_read(more), "read with a byte behind it");
}

fn parts(envelope: &Envelope) -> (JobId, &str, &[u8], At, u32, u32) {
    let (id, name, args) = (envelope.id(), envelope.name(), envelope.args());
    let (failures, crashes) = (envelope.failures(), envelope.crashes());
    (id, name, args, envelope.enqueued_at(), failures, crashes)
}

fn arguments_of_a_job(input: &[u8]) -> bool {
    let read = |args: &[u8]| {
        let bytes = Envelope::encode(id(), Probe::NAME, args, At::from_ms(0), &Options::default());
        let envelope = Envelope::decode(bytes).expect("whatever the arguments are");
        envelope.arguments::<Probe>()
    };
    let probe = match read(input) {
        Ok(probe) => probe,
        Err(error) => return is_no_essay(&error),
    };
    assert!(
        probe.weight() <= HELD_PER_BYTE * input.len(),
        "{}",
        probe.weight()
    );
    let write = |probe| rmp_serde::to_vec_named(&probe).expect("it can be written");
    let written = write(probe);
    let again = read(&written).expect("what was written can be read");
    // Not the values: what is no number is not equal to itself.
    assert_eq!(write(again), written);
    assert_whole(input, |bytes| read(&bytes).is_ok());
    true
}

fn dead_records() -> Vec<Vec<u8>> {
    let failure = |number| Failure {
        at: At::from_ms(number),
        error: format!("failure {number}"),
    };
    let record = |(number, bytes): (u64, Vec<u8>)| DeadRecord {
        id: id(),
        died_at: At::from_ms(1_700_000_000_000),
        reason: Reason::Exhausted,
        error: "connection refused".to_owned(),
        envelope: bytes.into(),
        history: (0..number).map(failure).collect(),
    };
    let made = (0..).step_by(3).zip(envelopes()).map(record);
    let made = made.map(|record| record.encode().to_vec());
    made.chain(fixtures(true)).collect()
}

fn dead_record(input: &[u8]) -> bool {
    let read = match DeadRecord::decode(&Bytes::copy_from_slice(input)) {
        Ok(read) => read,
        Err(error) => return is_no_essay(&error),
    };
    let texts: usize = read.history.iter().map(|failure| failure.error.len()).sum();
    assert!(texts + read.error.len() + read.envelope.len() <= input.len());
    let written = read.encode();
    let again = DeadRecord::decode(&written).expect("what was written can be read");
    assert_eq!(again.encode(), written);
    let (id, died_at) = (again.id, again.died_at);
    assert_eq!(
        (id, died_at, again.reason),
        (read.id, read.died_at, read.reason)
    );
    assert_eq!(again.envelope, read.envelope);
    assert!(read.error.starts_with(&again.error));
    assert_whole(input, |bytes| DeadRecord::decode(&bytes).is_ok());
    true
}

const SECRET: &str = "pa55word";

fn urls() -> Vec<Vec<u8>> {
    let urls = [
        "redis://127.0.0.1:6379",
        "redis://:pa55word@localhost/7",
        "redis://user:pa55word@host.example:1/0?namespace=mail",
        "redis://user%40x:pa55word@[::1]:65535?namespace=a-b_c.d",
        "redis://",
    ];
    urls.map(|url| url.as_bytes().to_vec()).into()
}

fn url(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    // In the place of a password, also where something before it ends that place.
    let secret = text.matches(SECRET).count() == 1 && text.contains(&format!(":{SECRET}@"));
    let keeps = |shown: &str| assert!(!secret || !shown.contains(SECRET), "{shown}");
    match RedisConfig::parse(&text, None) {
        Ok(config) => {
            keeps(&format!("{config:?} {}", config.describe()));
            true
        }
        Err(error) => {
            keeps(&format!("{error:?}"));
            keeps(&error.to_string());
            is_no_essay(&error)
        }
    }
}

fn names() -> Vec<Vec<u8>> {
    let names = [
        "default",
        "a.queue:of-the_day",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "17.3",
        "18446744073709551615.4294967295",
        "exhausted",
    ];
    names.map(|name| name.as_bytes().to_vec()).into()
}

fn name(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let queue = told(QueueName::new(&*text));
    let id = told(text.parse::<JobId>());
    let reason = told(text.parse::<Reason>());
    let token = Token::from_stored(&text);
    // What was read says what was written; but an id may be written in several ways.
    assert!(queue.as_ref().is_none_or(|queue| queue.as_str() == text));
    assert!(id.is_none_or(|id| id.to_string().parse() == Ok(id)));
    assert!(reason.is_none_or(|reason| reason.as_str() == text));
    assert!(token.is_none_or(|token| token.to_string() == text));
    queue.is_some() || id.is_some()
}

/// What was read, or nothing and an error in few words.
fn told<T, E: Display>(read: Result<T, E>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            is_no_essay(&error);
            None
        }
    }
}

/// An error quotes little of what was wrong, and nothing that a terminal would act on.
fn is_no_essay(error: &dyn Display) -> bool {
    let text = error.to_string();
    assert!(text.chars().count() < 800, "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    false
}
