//! Dead records.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

fn record(failures: u64) -> DeadRecord {
    let failure = |n| Failure {
        at: At::from_ms(n),
        error: format!("failure {n}"),
    };
    DeadRecord {
        id: id(),
        died_at: At::from_ms(7),
        reason: Reason::Exhausted,
        error: "connection refused".into(),
        envelope: sample(&full_options()),
        history: (0..failures).map(failure).collect(),
    }
}

#[test]
fn a_record_is_read_as_it_was_written() {
    for failures in 0..=10 {
        let record = record(failures);
        assert_eq!(DeadRecord::decode(&record.encode()), Ok(record));
    }
}

#[test]
fn a_record_keeps_bytes_that_are_no_envelope() {
    let mut record = record(0);
    record.reason = Reason::Undecodable;
    record.id = JobId::from_bytes([0; 16]);
    record.envelope = Bytes::from_static(b"\xc1 junk \xff");
    assert_eq!(DeadRecord::decode(&record.encode()), Ok(record));
}

#[test]
fn id_and_time_of_death_stand_at_fixed_offsets() {
    for (failures, died_at) in [(0, 0), (5, 1), (50, u64::MAX)] {
        let mut record = record(failures);
        record.died_at = At::from_ms(died_at);
        let bytes = record.encode();
        assert_eq!(bytes[0], 0x95 + u8::try_from(failures.min(10)).unwrap());
        assert_eq!(bytes[1..3], [0xc4, 0x10]);
        assert_eq!(bytes[3..19], *id().as_bytes());
        assert_eq!(bytes[19], 0xcf);
        assert_eq!(bytes[20..28], died_at.to_be_bytes());
    }
}

#[test]
fn the_latest_ten_failures_and_4096_bytes_of_error_are_kept() {
    let mut record = record(50);
    record.error = "é".repeat(1 << 20);
    let read = DeadRecord::decode(&record.encode()).unwrap();
    assert_eq!(read.history, record.history[40..]);
    assert_eq!(read.error, "é".repeat(2048));
}

#[test]
fn a_record_cut_anywhere_or_too_long_is_an_error() {
    let whole = record(3).encode();
    for len in 0..whole.len() {
        assert!(
            DeadRecord::decode(&whole.slice(..len)).is_err(),
            "{len} bytes"
        );
    }
    let longer = [&whole[..], &[0xc0]].concat();
    let read = DeadRecord::decode(&longer.into());
    assert_eq!(read, Err(EnvelopeError::TrailingBytes { extra: 1 }));
}

#[test]
fn mutated_records_are_an_error_or_a_value() {
    let mut rng = StdRng::seed_from_u64(3);
    let whole = record(3).encode();
    for _ in 0..20_000 {
        let mut bytes = whole.to_vec();
        for _ in 0..rng.random_range(1..=3) {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
        }
        if let Ok(read) = DeadRecord::decode(&bytes.into()) {
            assert_eq!(DeadRecord::decode(&read.encode()).unwrap().id, read.id);
        }
    }
}

#[test]
fn other_bytes_at_the_fixed_offsets_are_an_error() {
    let whole = record(0).encode();
    for (at, legal) in [
        (0, 0x95..=0x95),
        (1, 0xc4..=0xc4),
        (2, 16..=16),
        (19, 0xcf..=0xcf),
    ] {
        for byte in (0..=u8::MAX).filter(|byte| !legal.contains(byte)) {
            let mut bytes = whole.to_vec();
            bytes[at] = byte;
            assert!(
                DeadRecord::decode(&bytes.into()).is_err(),
                "{byte:#x} at {at}"
            );
        }
    }
}

#[test]
fn reasons_survive_text() {
    for reason in Reason::ALL {
        assert_eq!(reason.to_string().parse(), Ok(reason));
    }
    let error = "bored".parse::<Reason>().unwrap_err().to_string();
    assert!(
        error.starts_with("reason is \"bored\"; expected exhausted,"),
        "{error}"
    );
}
