//! The options map.

use proptest::prelude::*;

use super::*;
use crate::retry::Strategy;

/// The options of an envelope whose options element is this.
fn read(raw: &[u8]) -> Result<Options, EnvelopeError> {
    Parts::good().with(7, raw).decode()?.options()
}

/// The same, written and read again.
fn again(options: &Options) -> Options {
    let envelope = Envelope::decode(sample(options)).unwrap();
    envelope.options().unwrap()
}

#[test]
fn unset_options_are_not_written() {
    assert_eq!(sample(&Options::default()).last(), Some(&0x80));
}

#[test]
fn unknown_options_are_kept_verbatim() {
    let raw = b"\x84\xa3new\xcd\0\x01\xa7retries\x05\xd9\x01x\x92\xc0\xd4\x07y\xa3new\xc3";
    let mut options = read(raw).unwrap();
    options.retries = None;
    let envelope = Parts::good().with(7, raw).decode().unwrap();
    let rewritten = envelope.rewrite(1, 0, &options);
    assert!(rewritten.ends_with(b"\x83\xa3new\xcd\0\x01\xd9\x01x\x92\xc0\xd4\x07y\xa3new\xc3"));
    let rewritten = Envelope::decode(rewritten).unwrap();
    assert_eq!(rewritten.options().unwrap(), options);
}

#[test]
fn many_unknown_options_are_kept() {
    let mut raw = b"\xde\x01\x2c".to_vec();
    for n in 0..300 {
        raw.extend_from_slice(format!("\u{a4}{n:04}").replace('\u{a4}', "").as_bytes());
        let at = raw.len() - 4;
        raw.insert(at, 0xa4);
        raw.push(0xc0);
    }
    let options = read(&raw).unwrap();
    assert!(sample(&options).ends_with(&raw));
}

#[test]
fn a_known_option_twice_is_an_error() {
    let error = read(b"\x82\xa7retries\x05\xa7retries\x06").unwrap_err();
    assert!(error.to_string().contains("no option twice"), "{error}");
}

#[test]
fn keys_that_are_no_text_are_an_error() {
    for raw in [
        &b"\x81\x01\x02"[..],
        b"\x81\xc4\x01x\x02",
        b"\x81\xc0\xc0",
        b"\x81\xa1\xff\xc0",
    ] {
        assert!(Parts::good().with(7, raw).decode().is_err(), "{raw:x?}");
    }
}

/// Their offsets count from the start of the envelope, as all do; these options begin at byte 31.
#[test]
fn values_out_of_range_are_an_error() {
    for (raw, text) in [
        (
            &b"\x81\xa7retries\xcf\0\0\0\x01\0\0\0\0"[..],
            "retries is 4294967296; expected at most 4294967295",
        ),
        (b"\x81\xa7retries\xff", "byte 40: expected retries (uint)"),
        (b"\x81\xa7unknown\xa1x", "byte 40: expected unknown (uint)"),
        (
            b"\x81\xa7timeout\xca\0\0\0\0",
            "byte 40: expected timeout in ms (uint)",
        ),
        (b"\x81\xa3due\xc0", "byte 36: expected due in ms (uint)"),
        (
            b"\x81\xa7history\x91\x91\x01",
            "byte 41: expected a failure (array of time and text)",
        ),
        (
            b"\x81\xa7history\x80",
            "byte 40: expected the history (array)",
        ),
        (
            b"\x81\xa7backoff\x80",
            "byte 40: expected a backoff with a strategy",
        ),
        (
            b"\x81\xa7backoff\x81\xa8strategy\xa5fixde",
            "strategy is \"fixde\"; expected fixed, linear or exponential",
        ),
    ] {
        assert_eq!(read(raw).unwrap_err().to_string(), text);
    }
}

/// A backoff option with these further settings.
fn backoff(settings: u8, raw: &[u8]) -> Result<Options, EnvelopeError> {
    let head = [
        0x81,
        0xa7,
        b'b',
        b'a',
        b'c',
        b'k',
        b'o',
        b'f',
        b'f',
        0x81 + settings,
    ];
    read(&[&head[..], b"\xa8strategy\xabexponential", raw].concat())
}

#[test]
fn numbers_that_are_none_are_an_error() {
    for n in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        for key in [&b"\xa6factor"[..], b"\xa6jitter"] {
            let raw = [key, b"\xcb", &n.to_be_bytes()].concat();
            let read = backoff(1, &raw);
            assert!(
                matches!(read, Err(EnvelopeError::OutOfRange { .. })),
                "{n}: {read:?}"
            );
        }
    }
    for raw in [
        &b"\xa6factor\0"[..],
        b"\xa6jitter\x02",
        b"\xa6jitter\xff",
        b"\xa6jitter\xa4some",
    ] {
        let read = backoff(1, raw);
        assert!(
            matches!(read, Err(EnvelopeError::OutOfRange { .. })),
            "{read:?}"
        );
    }
    for raw in [
        &b"\xa6factor\xa12"[..],
        b"\xa6jitter\xc0",
        b"\xa4base\xcb\0\0\0\0\0\0\0\0",
    ] {
        let read = backoff(1, raw);
        assert!(
            matches!(read, Err(EnvelopeError::Unexpected { .. })),
            "{read:?}"
        );
    }
}

#[test]
fn a_backoff_that_says_little_has_the_defaults_of_its_strategy() {
    for (name, strategy) in [
        ("fixed", Strategy::Fixed),
        ("linear", Strategy::Linear),
        ("exponential", Strategy::Exponential),
    ] {
        let mut raw = b"\x81\xa7backoff\x81\xa8strategy".to_vec();
        raw.push(0xa0 + u8::try_from(name.len()).unwrap());
        raw.extend_from_slice(name.as_bytes());
        assert_eq!(read(&raw).unwrap().backoff, Some(Backoff::from(strategy)));
    }
    let read = backoff(3, b"\xa6factor\x03\xa6jitter\x01\xa5later\x91\xc0").unwrap();
    let expected = Backoff::DEFAULT.factor(3.0).jitter(Jitter::Fraction(1.0));
    assert_eq!(read.backoff, Some(expected));
}

#[test]
fn a_factor_of_what_does_not_grow_is_left_out_like_any_other_key() {
    let raw = b"\x81\xa7backoff\x82\xa8strategy\xa5fixed\xa6factor\x03";
    assert_eq!(
        read(raw).unwrap().backoff,
        Some(Backoff::from(Strategy::Fixed))
    );
}

#[test]
fn a_timeout_of_zero_is_none() {
    assert_eq!(read(b"\x81\xa7timeout\0").unwrap().timeout, Some(None));
    let options = Options {
        timeout: Some(None),
        ..Options::default()
    };
    assert_eq!(again(&options), options);
}

#[test]
fn short_durations_do_not_become_none() {
    let mut options = Options {
        timeout: Some(Some(Duration::from_nanos(1))),
        backoff: Some(Backoff::fixed(Duration::from_micros(1001))),
        ..Options::default()
    };
    let read = again(&options);
    assert_eq!(read.timeout, Some(Some(Duration::from_millis(1))));
    assert_eq!(read.backoff.unwrap().base, Duration::from_millis(2));
    options.timeout = Some(Some(Duration::MAX));
    let longest = Duration::from_millis(u64::MAX);
    assert_eq!(again(&options).timeout, Some(Some(longest)));
}

#[test]
fn settings_that_no_one_could_read_are_not_written() {
    for factor in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        for jitter in [f64::NAN, f64::INFINITY, -1.0, 7.0] {
            let options = Options {
                backoff: Some(
                    Backoff::DEFAULT
                        .factor(factor)
                        .jitter(Jitter::Fraction(jitter)),
                ),
                ..Options::default()
            };
            let read = again(&options).backoff.unwrap();
            assert_eq!(read.factor, 1.0);
            assert!(
                matches!(read.jitter, Jitter::Fraction(j) if j == jitter.clamp(0.0, 1.0) || j == 0.0)
            );
        }
    }
}

#[test]
fn due_reaches_from_the_year_1_to_the_year_292277() {
    // What lies before 1970 cannot be said in ms since then.
    let year_1: jiff::Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
    for due in [
        At::from(year_1),
        At::from_ms(9_223_372_036_854_775),
        At::from_ms(u64::MAX),
    ] {
        let options = Options {
            due: Some(due),
            ..Options::default()
        };
        assert_eq!(again(&options).due, Some(due));
    }
    assert_eq!(At::from(year_1).as_ms(), 0);
}

#[test]
fn the_history_keeps_the_latest_five_failures() {
    let mut options = Options::default();
    for n in 0..8 {
        options.push_failure(At::from_ms(n), &format!("failure {n}"));
    }
    let times: Vec<_> = options.history.iter().map(|f| f.at.as_ms()).collect();
    assert_eq!(times, [3, 4, 5, 6, 7]);
    // A field that anyone may fill is bounded when it is written, and when it is read.
    for n in 0..100_000 {
        let error = "x".repeat(3);
        options.history.push(Failure {
            at: At::from_ms(n),
            error,
        });
    }
    let read = again(&options).history;
    assert_eq!(read.len(), Options::MAX_HISTORY);
    assert_eq!(read.last().unwrap().at, At::from_ms(99_999));
    let raw = [
        &b"\x81\xa7history\xdd\0\x01\0\0"[..],
        &b"\x92\x01\xa1e".repeat(65_536),
    ]
    .concat();
    assert_eq!(
        self::read(&raw).unwrap().history.len(),
        Options::MAX_HISTORY
    );
}

#[test]
fn a_failure_is_cut_between_characters() {
    let mut options = Options::default();
    options.push_failure(At::default(), &"é".repeat(150));
    options.push_failure(At::default(), &format!("x{}", "é".repeat(150)));
    options.push_failure(At::default(), "short");
    let lengths: Vec<_> = options.history.iter().map(|f| f.error.len()).collect();
    assert_eq!(lengths, [200, 199, 5]);
}

prop_compose! {
    fn any_backoff()(
        strategy in 0..3usize,
        base in 0..u64::MAX,
        max in 0..u64::MAX,
        factor in 0.001..1000.0f64,
        jitter in 0..4usize,
        fraction in 0.0..=1.0f64,
    ) -> Backoff {
        let base = Duration::from_millis(base);
        let backoff = [
            Backoff::fixed(base),
            Backoff::linear(base),
            Backoff::exponential(base).factor(factor),
        ][strategy];
        backoff.max_delay(Duration::from_millis(max)).jitter(
            [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Fraction(fraction)][jitter],
        )
    }
}

prop_compose! {
    fn any_options()(
        retries: Option<u32>,
        backoff in proptest::option::of(any_backoff()),
        timeout: Option<Option<u64>>,
        due: Option<u64>,
        unknown: u32,
        failures: Vec<(u64, String)>,
    ) -> Options {
        let mut options = Options {
            retries,
            backoff,
            timeout: timeout.map(|t| t.map(|ms| Duration::from_millis(ms.max(1)))),
            due: due.map(At::from_ms),
            unknown,
            ..Options::default()
        };
        for (at, error) in failures {
            options.push_failure(At::from_ms(at), &error);
        }
        options
    }
}

proptest! {
    #[test]
    fn all_options_survive(options in any_options()) {
        prop_assert_eq!(again(&options), options);
    }

    #[test]
    fn all_envelopes_survive(
        id: [u8; 16],
        name in "[^\u{0}]{1,100}",
        args: Vec<u8>,
        at: u64,
        counts: (u32, u32),
        options in any_options(),
    ) {
        let (id, at) = (JobId::from_bytes(id), At::from_ms(at));
        let first = Envelope::decode(Envelope::encode(id, &name, &args, at, &options)).unwrap();
        prop_assert_eq!(first.options().unwrap(), options.clone());
        let second = Envelope::decode(first.rewrite(counts.0, counts.1, &options)).unwrap();
        prop_assert_eq!(second.id(), id);
        prop_assert_eq!(second.name(), name);
        prop_assert_eq!(second.args(), args);
        prop_assert_eq!(second.enqueued_at(), at);
        prop_assert_eq!((second.failures(), second.crashes()), counts);
        prop_assert_eq!(second.options().unwrap(), options);
    }
}
