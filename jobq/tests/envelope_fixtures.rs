//! Envelopes and dead records of version 1 as other programs, and earlier builds, left them in a
//! queue. The files are never edited: a build that cannot read one loses jobs.

use std::time::Duration;

use bytes::Bytes;
use jobq::{At, Backoff, DeadRecord, Envelope, Failure, Jitter, JobId, Reason};

const ENQUEUED: u64 = 1_700_000_000_000;
const ARGS: &[u8] = b"\x82\xa7user_id\x07\xa5email\xa5a@b.c";

macro_rules! fixture {
    ($name:literal) => {
        Bytes::from_static(include_bytes!(concat!("fixtures/envelope/", $name)))
    };
}

fn id() -> JobId {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    id.parse().expect("a UUID")
}

fn failure(after: u64, error: &str) -> Failure {
    Failure {
        at: At::from_ms(ENQUEUED + after),
        error: error.to_owned(),
    }
}

#[test]
fn a_plain_envelope_is_read_and_written_to_the_byte() {
    let bytes = fixture!("v1-plain.bin");
    let envelope = Envelope::decode(bytes.clone()).unwrap();
    assert_eq!(envelope.id(), id());
    assert_eq!(envelope.name(), "send_welcome");
    assert_eq!(envelope.args(), ARGS);
    assert_eq!(envelope.enqueued_at(), At::from_ms(ENQUEUED));
    assert_eq!((envelope.failures(), envelope.crashes()), (0, 0));
    assert!(!envelope.has_options());
    let options = envelope.options().unwrap();
    let at = At::from_ms(ENQUEUED);
    let written = Envelope::encode(id(), "send_welcome", ARGS, at, &options);
    assert_eq!(written, bytes);
}

#[test]
fn every_option_is_read_and_an_unknown_one_is_kept() {
    let bytes = fixture!("v1-options.bin");
    let envelope = Envelope::decode(bytes.clone()).unwrap();
    assert_eq!((envelope.failures(), envelope.crashes()), (2, 1));
    let options = envelope.options().unwrap();
    assert_eq!(options.retries, Some(3));
    assert_eq!(options.timeout, Some(Some(Duration::from_secs(90))));
    assert_eq!(options.due, Some(At::from_ms(ENQUEUED + 60_000)));
    assert_eq!(options.unknown, 2);
    let backoff = Backoff::exponential(Duration::from_millis(1500))
        .max_delay(Duration::from_secs(60))
        .factor(1.5)
        .jitter(Jitter::Fraction(0.25));
    assert_eq!(options.backoff, Some(backoff));
    let history = [
        failure(500, "connection refused"),
        failure(2500, "timed out after 90s"),
    ];
    assert_eq!(options.history, history);
    // Known options in the order they are written in, the unknown one behind them.
    assert_eq!(envelope.rewrite(2, 1, &options), bytes);
}

#[test]
fn widest_forms_are_read_and_shortened_when_written() {
    let envelope = Envelope::decode(fixture!("v1-wide.bin")).unwrap();
    assert_eq!((envelope.id(), envelope.name()), (id(), "ping"));
    assert_eq!(envelope.enqueued_at(), At::from_ms(ENQUEUED));
    assert_eq!((envelope.failures(), envelope.crashes()), (4, 0));
    assert_eq!(envelope.args(), b"\xdf\0\0\0\0");
    let options = envelope.options().unwrap();
    assert_eq!(options.timeout, Some(None));
    let backoff = Backoff::fixed(Duration::from_secs(5)).jitter(Jitter::None);
    assert_eq!(options.backoff, Some(backoff));
    let written = envelope.rewrite(4, 0, &options);
    assert!(written.len() < envelope.bytes().len());
    let again = Envelope::decode(written).unwrap();
    assert_eq!(again.options().unwrap(), options);
}

#[test]
fn a_dead_record_is_read_and_written_to_the_byte() {
    let bytes = fixture!("v1-dead.bin");
    let record = DeadRecord::decode(&bytes).unwrap();
    let expected = DeadRecord {
        id: id(),
        died_at: At::from_ms(ENQUEUED + 9000),
        reason: Reason::Exhausted,
        error: "connection refused: port 25".to_owned(),
        envelope: fixture!("v1-plain.bin"),
        history: vec![failure(500, "connection refused")],
    };
    assert_eq!(record, expected);
    assert_eq!(record.encode(), bytes);
}

#[test]
fn a_dead_record_of_what_was_no_envelope_keeps_the_bytes() {
    let bytes = fixture!("v1-dead-undecodable.bin");
    let record = DeadRecord::decode(&bytes).unwrap();
    assert_eq!(record.id, JobId::from_bytes([0; 16]));
    assert_eq!(record.reason, Reason::Undecodable);
    assert_eq!(record.envelope, &b"{\"not\":\"msgpack\"}"[..]);
    assert_eq!(record.encode(), bytes);
}
