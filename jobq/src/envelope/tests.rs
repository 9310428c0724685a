use std::time::Duration;

use bytes::Bytes;

use super::*;
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

fn mail() -> Mail {
    Mail {
        user: 7,
        email: "a@b.c".into(),
    }
}

/// Options that set everything.
fn full_options() -> Options {
    let mut options = Options::default();
    options.retries = Some(3);
    options.timeout = Some(Some(Duration::from_secs(90)));
    options.backoff = Some(
        Backoff::exponential(Duration::from_millis(1500))
            .factor(1.5)
            .max_delay(Duration::from_secs(60))
            .jitter(Jitter::Fraction(0.25)),
    );
    options.due = Some(At::from_ms(1_700_000_060_000));
    options.unknown = 2;
    options.push_failure(At::from_ms(1_700_000_000_500), "connection refused");
    options
}

fn sample(options: &Options) -> Bytes {
    let args = encode_args(&mail()).unwrap();
    Envelope::encode(id(), "mail", &args, At::from_ms(1_700_000_000_000), options)
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
    let again = Envelope::decode(envelope.rewrite(u32::MAX, 2, &Options::default())).unwrap();
    assert_eq!((again.failures(), again.crashes()), (u32::MAX, 2));
    assert_eq!(
        (again.args(), again.has_options()),
        (envelope.args(), false)
    );
}

#[test]
fn an_envelope_cut_anywhere_is_an_error() {
    for options in [Options::default(), full_options()] {
        let whole = sample(&options);
        for len in 0..whole.len() {
            assert!(Envelope::decode(whole.slice(..len)).is_err(), "{len} bytes");
        }
    }
}
