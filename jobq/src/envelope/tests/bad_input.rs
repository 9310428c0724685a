//! Bytes that are no envelope: an error or a value, never a panic, never a long wait.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// Reads all there is to read.
fn read_everything(bytes: Bytes) -> Result<(), EnvelopeError> {
    let envelope = Envelope::decode(bytes)?;
    let options = envelope.options();
    let args = decode_args::<Mail>(envelope.args());
    assert!(!envelope.name().is_empty());
    assert_eq!(
        Envelope::decode(envelope.rewrite(1, 1, options.as_ref().unwrap_or(&Options::default())))
            .unwrap()
            .id(),
        envelope.id()
    );
    args.map(drop)
}

#[test]
fn an_envelope_cut_anywhere_is_an_error() {
    for options in [Options::default(), full_options()] {
        let whole = sample(&options);
        for len in 0..whole.len() {
            let error = Envelope::decode(whole.slice(..len)).unwrap_err();
            assert!(
                matches!(error, EnvelopeError::Truncated { at, .. } if at <= len),
                "{len} bytes: {error}"
            );
        }
    }
}

#[test]
fn bytes_behind_an_envelope_are_an_error() {
    let bytes = [&sample(&full_options())[..], &[0xc0, 0xc0]].concat();
    assert_eq!(
        Envelope::decode(bytes.into()),
        Err(EnvelopeError::TrailingBytes { extra: 2 })
    );
}

#[test]
fn mutated_envelopes_are_an_error_or_a_value() {
    let mut rng = StdRng::seed_from_u64(1);
    let samples = [sample(&Options::default()), sample(&full_options())];
    let mut good = 0;
    for round in 0..100_000 {
        let mut bytes = samples[round % 2].to_vec();
        for _ in 0..rng.random_range(1..=4) {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..4) {
                0 => bytes[at] = rng.random(),
                1 => bytes[at] ^= 1 << rng.random_range(0..8),
                2 => bytes.insert(at, rng.random()),
                _ => drop(bytes.remove(at)),
            }
        }
        good += usize::from(read_everything(bytes.into()).is_ok());
    }
    assert!(
        good > 1000,
        "mutations must reach behind the first check: {good}"
    );
}

#[test]
fn random_bytes_are_an_error_or_a_value() {
    let mut rng = StdRng::seed_from_u64(2);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..rng.random_range(0..64)).map(|_| rng.random()).collect();
        drop(read_everything(bytes.clone().into()));
        drop(decode_args::<Mail>(&bytes));
        drop(DeadRecord::decode(&bytes.into()));
    }
}

#[test]
fn no_other_first_byte_makes_an_envelope() {
    for first in 0..=u8::MAX {
        let mut bytes = sample(&Options::default()).to_vec();
        bytes[0] = first;
        let read = Envelope::decode(bytes.into());
        assert_eq!(read.is_ok(), first == 0x98, "{first:#x}: {read:?}");
        for behind in [&[][..], &[0; 40], &[0xff; 40]] {
            let bytes = [&[first][..], behind].concat();
            assert!(Envelope::decode(bytes.into()).is_err(), "{first:#x}");
        }
    }
}

#[test]
fn no_other_first_byte_of_an_element_is_taken_for_it() {
    // What a legal element of each place can begin with.
    let legal: [fn(u8) -> bool; 8] = [
        |b| matches!(b, 0xc4..=0xc6),
        |b| matches!(b, 1 | 0xcc..=0xd3),
        |b| matches!(b, 0xa0..=0xbf | 0xd9..=0xdb),
        |b| matches!(b, 0xc4..=0xc6),
        |b| matches!(b, 0..=0x7f | 0xcc..=0xd3),
        |b| matches!(b, 0..=0x7f | 0xcc..=0xd3),
        |b| matches!(b, 0..=0x7f | 0xcc..=0xd3),
        |b| matches!(b, 0x80..=0x8f | 0xde | 0xdf),
    ];
    for (element, legal) in legal.into_iter().enumerate() {
        for first in (0..=u8::MAX).filter(|&first| !legal(first)) {
            let mut raw = Parts::good().0[element].clone();
            raw[0] = first;
            let read = Parts::good().with(element, raw).decode();
            assert!(read.is_err(), "element {element}: {first:#x}");
        }
    }
}

#[test]
fn an_id_is_16_bytes() {
    for len in [0, 1, 15, 17, 255] {
        let raw = [&[0xc4, len][..], &vec![7; len.into()]].concat();
        let error = Parts::good().with(0, raw).decode().unwrap_err();
        let text = error.to_string();
        assert_eq!(text, "byte 1: expected the id (bin of 16 bytes)");
    }
}

#[test]
fn another_version_is_named() {
    for (raw, found) in [(&[0][..], 0), (&[2], 2), (&[0xcc, 200], 200)] {
        let read = Parts::good().with(1, raw).decode();
        assert_eq!(read, Err(EnvelopeError::UnknownVersion { found }));
    }
    // A later version may have another number of elements.
    let longer = [&b"\x99\xc4\x100123456789abcdef\x02"[..], &[0xc0; 7]].concat();
    let read = Envelope::decode(longer.into());
    assert_eq!(read, Err(EnvelopeError::UnknownVersion { found: 2 }));
}

#[test]
fn other_numbers_of_elements_are_an_error() {
    for (header, extra) in [(0x97, &b""[..]), (0x99, b"\xc0")] {
        let mut bytes = [&sample(&Options::default())[..], extra].concat();
        bytes[0] = header;
        let error = Envelope::decode(bytes.into()).unwrap_err().to_string();
        assert!(error.contains("an array of 8 elements"), "{error}");
    }
}

#[test]
fn names_are_1_to_512_bytes_of_utf8() {
    let long = [&b"\xda\x27\x10"[..], &[b'n'; 10_000]].concat();
    for (raw, value) in [(b"\xa0".to_vec(), "\"\""), (long, "nnn…\"")] {
        let error = Parts::good().with(2, raw).decode().unwrap_err();
        let EnvelopeError::OutOfRange {
            field,
            value: v,
            expected,
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((field, expected), ("name", "1 to 512 bytes"));
        assert!(v.ends_with(value) && v.chars().count() <= 103, "{v}");
    }
    let error = Parts::good().with(2, b"\xa4ma\xff!").decode().unwrap_err();
    assert_eq!(error.to_string(), "byte 23: expected the job's name (str)");
}

#[test]
fn counts_above_32_bits_and_below_zero_are_an_error() {
    for (element, field) in [(5, "failures"), (6, "crashes")] {
        let raw = b"\xcf\0\0\0\x01\0\0\0\0".to_vec();
        let error = Parts::good().with(element, raw).decode().unwrap_err();
        let text = format!("{field} is 4294967296; expected at most 4294967295");
        assert_eq!(error.to_string(), text);
    }
    for raw in [
        &b"\xff"[..],
        b"\xd0\x80",
        b"\xd3\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        for element in [1, 4, 5, 6] {
            let read = Parts::good().with(element, raw).decode();
            assert!(matches!(read, Err(EnvelopeError::Unexpected { .. })));
        }
    }
}

#[test]
fn lengths_of_4_gib_with_five_bytes_behind_them_are_refused_at_once() {
    for marker in [0xc6, 0xc9, 0xdb, 0xdd, 0xdf] {
        let raw = [&[marker, 0xff, 0xff, 0xff, 0xff][..], b"five!"].concat();
        for element in 0..8 {
            let read = Parts::good().with(element, raw.clone()).decode();
            assert!(
                matches!(read, Err(EnvelopeError::Truncated { .. })),
                "{marker:#x} as element {element}: {read:?}"
            );
        }
        let error = decode_args::<Mail>(&raw).unwrap_err();
        assert!(
            matches!(error, EnvelopeError::Truncated { at: 5, .. }),
            "{error}"
        );
    }
}

#[test]
fn counts_that_cannot_fit_are_refused_before_what_they_count() {
    for (head, values) in [
        (&b"\x8f"[..], 30),
        (b"\xde\x01\0", 512),
        (b"\x9f", 15),
        (b"\xdc\x01\0", 256),
    ] {
        let fitting = [head, &vec![0; values]].concat();
        assert_eq!(scan::check_value(&fitting), Ok(()));
        let short = scan::check_value(&fitting[..fitting.len() - 1]);
        let at = head.len();
        assert!(matches!(short, Err(EnvelopeError::Truncated { at: a, .. }) if a == at));
    }
}

#[test]
fn the_scan_allows_64_levels_and_no_more() {
    for (open, close) in [
        (&b"\x91"[..], 0xc0),
        (b"\x81\xa0", 0xc0),
        (b"\x91", 0x90),
        (b"\x91", 0x80),
    ] {
        let inner = usize::from(close != 0xc0);
        for depth in [1, 63, 64, 65, 66, 10_000] {
            let nested = [open.repeat(depth - inner), vec![close]].concat();
            let read = scan::check_value(&nested);
            match depth {
                0..=64 => assert_eq!(read, Ok(()), "{depth}"),
                _ => assert!(
                    matches!(read, Err(EnvelopeError::TooDeep { limit: 64, .. })),
                    "{depth}: {read:?}"
                ),
            }
            // As an option that this build does not know.
            let options = [&b"\x81\xa1x"[..], &nested].concat();
            let read = Parts::good().with(7, options).decode();
            assert_eq!(read.is_ok(), depth <= 64, "{depth}");
        }
    }
}

#[test]
fn the_scan_passes_over_every_kind_of_value() {
    for value in [
        &b"\xc0"[..],
        b"\xc2",
        b"\xca\x7f\xc0\0\0",
        b"\xcb\x7f\xf0\0\0\0\0\0\0",
        b"\xd4\x01x",
        b"\xd8\x010123456789abcdef",
        b"\xc7\0\x01",
        b"\xc8\0\x02\x01xy",
        b"\xc9\0\0\0\x01\x01x",
        b"\x92\x90\x82\x01\x91\x02\xa1k\xc4\x01v",
        b"\xdc\0\x01\xdd\0\0\0\x01\xde\0\x01\x01\xdf\0\0\0\x01\x01\x02",
    ] {
        assert_eq!(scan::check_value(value), Ok(()), "{value:x?}");
        for len in 0..value.len() {
            let cut = scan::check_value(&value[..len]);
            assert!(
                matches!(cut, Err(EnvelopeError::Truncated { .. })),
                "{value:x?}"
            );
        }
        let longer = [value, &[0]].concat();
        let read = scan::check_value(&longer);
        assert_eq!(read, Err(EnvelopeError::TrailingBytes { extra: 1 }));
    }
    for (raw, at) in [(&b"\xc1"[..], 0), (b"\x91\xc1", 1)] {
        let error = scan::check_value(raw).unwrap_err().to_string();
        assert_eq!(error, format!("byte {at}: expected a msgpack value"));
    }
}
