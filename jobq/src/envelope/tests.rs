mod arguments;
mod bad_input;
mod dead_records;
mod options;

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::error::BoxError;
use crate::job::{Job, JobDefaults};
use crate::retry::{Backoff, Jitter};

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Mail {
    user: u64,
    email: String,
}

impl Job for Mail {
    const NAME: &'static str = "mail";
    const DEFAULTS: JobDefaults = JobDefaults::new();
}

fn id() -> JobId {
    JobId::from_bytes(*b"0123456789abcdef")
}

fn args_of<J: Job>(job: &J) -> Result<Vec<u8>, BoxError> {
    let mut args = b"of another job".to_vec();
    encode_args(job, &mut args).map(|()| args)
}

fn mail() -> Mail {
    Mail {
        user: 7,
        email: "a@b.c".into(),
    }
}

/// Options that set everything.
fn full_options() -> Options {
    let backoff = Backoff::exponential(Duration::from_millis(1500))
        .factor(1.5)
        .max_delay(Duration::from_secs(60))
        .jitter(Jitter::Fraction(0.25));
    let mut options = Options {
        retries: Some(3),
        timeout: Some(Some(Duration::from_secs(90))),
        backoff: Some(backoff),
        due: Some(At::from_ms(1_700_000_060_000)),
        unknown: 2,
        ..Options::default()
    };
    options.push_failure(At::from_ms(1_700_000_000_500), "connection refused");
    options
}

fn sample(options: &Options) -> Bytes {
    let args = args_of(&mail()).unwrap();
    Envelope::encode(id(), "mail", &args, At::from_ms(1_700_000_000_000), options)
}

/// The elements of an envelope, each as raw msgpack, to be replaced one by one.
struct Parts([Vec<u8>; 8]);

impl Parts {
    fn good() -> Self {
        let mut id = vec![0xc4, 16];
        id.extend_from_slice(b"0123456789abcdef");
        Self([
            id,
            vec![1],
            b"\xa4mail".to_vec(),
            vec![0xc4, 1, 0x80],
            vec![0],
            vec![0],
            vec![0],
            vec![0x80],
        ])
    }

    fn with(mut self, element: usize, raw: impl Into<Vec<u8>>) -> Self {
        self.0[element] = raw.into();
        self
    }

    fn decode(&self) -> Result<Envelope, EnvelopeError> {
        Envelope::decode([&[0x98][..], &self.0.concat()].concat().into())
    }
}

#[test]
fn an_envelope_is_read_as_it_was_written() {
    let envelope = Envelope::decode(sample(&full_options())).unwrap();
    assert_eq!(envelope.id(), id());
    assert_eq!(envelope.name(), "mail");
    assert_eq!(envelope.enqueued_at(), At::from_ms(1_700_000_000_000));
    assert_eq!((envelope.failures(), envelope.crashes()), (0, 0));
    assert_eq!(decode_args::<Mail>(envelope.args()).unwrap(), mail());
    assert!(envelope.has_options());
    assert_eq!(envelope.options().unwrap(), full_options());
}

#[test]
fn arguments_are_read_as_the_job_they_were_written_from() {
    let envelope = Envelope::decode(sample(&full_options())).unwrap();
    assert_eq!(envelope.arguments::<Mail>(), Ok(mail()));
    let other = Parts::good().decode().unwrap();
    let error = other.arguments::<Mail>().unwrap_err();
    assert!(
        matches!(error, EnvelopeError::Arguments { job: "mail", .. }),
        "{error}"
    );
}

#[test]
fn an_envelope_is_shown_without_its_payload() {
    let envelope = Envelope::decode(sample(&full_options())).unwrap();
    let shown = format!("{envelope:?}");
    for part in [
        r#"name: "mail""#,
        &id().to_string(),
        "enqueued_at: At(2023-11-14T22:13:20Z)",
        "failures: 0, crashes: 0",
        &format!("args_len: {}", envelope.args().len()),
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("a@b.c"), "{shown}");
}

#[test]
fn a_rewrite_changes_counts_and_options_only() {
    let before = Envelope::decode(sample(&full_options())).unwrap();
    let after = Envelope::decode(before.rewrite(u32::MAX, 2, &Options::default())).unwrap();
    assert_eq!((after.failures(), after.crashes()), (u32::MAX, 2));
    assert!(!after.has_options());
    assert_eq!(after.options().unwrap(), Options::default());
    assert_eq!(after.id(), before.id());
    assert_eq!(after.name(), before.name());
    assert_eq!(after.args(), before.args());
    assert_eq!(after.enqueued_at(), before.enqueued_at());
}

#[test]
fn the_id_stands_at_a_fixed_offset() {
    let bytes = sample(&full_options());
    assert_eq!(bytes[..3], [0x98, 0xc4, 0x10]);
    assert_eq!(bytes[3..19], *id().as_bytes());
}

#[test]
fn the_id_is_read_without_the_rest() {
    let whole = sample(&full_options());
    for len in 0..whole.len() {
        let found = Envelope::id_of(&whole[..len]);
        assert_eq!(found, (len >= 19).then(id), "{len} bytes");
    }
    for other in [
        &b"\x98\xc4\x0f0123456789abcdef"[..],
        b"\x80\xc4\x100123456789abcdef",
    ] {
        assert_eq!(Envelope::id_of(other), None, "{other:?}");
    }
}

#[test]
fn every_legal_width_of_a_number_text_or_bin_is_read() {
    let wide_id = [b"\xc6\0\0\0\x10", &b"0123456789abcdef"[..]].concat();
    let middle_id = [b"\xc5\0\x10", &b"0123456789abcdef"[..]].concat();
    for wide_id in [wide_id, middle_id] {
        let envelope = Parts::good().with(0, wide_id).decode().unwrap();
        assert_eq!(envelope.id(), id());
        assert_eq!(Envelope::id_of(envelope.bytes()), Some(id()));
    }
    for raw in [
        &b"\x01"[..],
        b"\xcc\x01",
        b"\xcd\0\x01",
        b"\xce\0\0\0\x01",
        b"\xcf\0\0\0\0\0\0\0\x01",
        b"\xd0\x01",
        b"\xd1\0\x01",
        b"\xd2\0\0\0\x01",
        b"\xd3\0\0\0\0\0\0\0\x01",
    ] {
        let mut parts = Parts::good();
        for element in [1, 4, 5, 6] {
            parts = parts.with(element, raw);
        }
        let envelope = parts.decode().unwrap();
        let counts = (envelope.failures(), envelope.crashes());
        assert_eq!((envelope.enqueued_at().as_ms(), counts), (1, (1, 1)));
    }
    for raw in [&b"\xd9\x01n"[..], b"\xda\0\x01n", b"\xdb\0\0\0\x01n"] {
        assert_eq!(Parts::good().with(2, raw).decode().unwrap().name(), "n");
    }
    for raw in [&b"\xc5\0\x01\x80"[..], b"\xc6\0\0\0\x01\x80"] {
        assert_eq!(Parts::good().with(3, raw).decode().unwrap().args(), b"\x80");
    }
    for raw in [&b"\xde\0\0"[..], b"\xdf\0\0\0\0"] {
        let envelope = Parts::good().with(7, raw).decode().unwrap();
        assert_eq!(envelope.options().unwrap(), Options::default());
    }
}

#[test]
fn times_and_counts_reach_their_ends() {
    let most = b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff".to_vec();
    let envelope = Parts::good().with(4, most).decode().unwrap();
    assert_eq!(envelope.enqueued_at(), At::from_ms(u64::MAX));
    let most = b"\xce\xff\xff\xff\xff".to_vec();
    let envelope = Parts::good().with(5, most.clone()).with(6, most).decode();
    let envelope = envelope.unwrap();
    assert_eq!(envelope.failures(), u32::MAX);
    assert_eq!(envelope.crashes(), u32::MAX);
}

#[test]
fn names_of_1_to_512_bytes_are_read() {
    for len in [1, 31, 32, 255, 256, 512] {
        let name = "é".repeat(len / 2) + &"n".repeat(len % 2);
        let bytes = Envelope::encode(id(), &name, &[0x80], At::default(), &Options::default());
        assert_eq!(Envelope::decode(bytes).unwrap().name(), name);
    }
}
