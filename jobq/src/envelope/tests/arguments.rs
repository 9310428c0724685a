//! Arguments: what fits, what does not, and types that could recurse for ever.

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::*;

/// A job with one argument of any type.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Serialize + DeserializeOwned")]
struct With<T> {
    value: T,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Job for With<T> {
    const NAME: &'static str = "with";
    const DEFAULTS: JobDefaults = JobDefaults::new();
}

/// `{"value": …}`
fn with(raw: &[u8]) -> Vec<u8> {
    [b"\x81\xa5value", raw].concat()
}

fn read<T: Serialize + DeserializeOwned + Send + 'static>(raw: &[u8]) -> Result<T, EnvelopeError> {
    decode_args::<With<T>>(&with(raw)).map(|with| with.value)
}

fn survives<T>(value: T)
where
    T: Serialize + DeserializeOwned + PartialEq + fmt::Debug + Send + 'static,
{
    let job = With { value };
    let args = args_of(&job).unwrap();
    assert_eq!(args, rmp_serde::to_vec_named(&job).unwrap());
    assert_eq!(decode_args::<With<T>>(&args).unwrap(), job);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(u8),
    Tuple(u8, String),
    Struct { x: i64 },
    Inside(Box<Shape>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct UnitStruct;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    A { x: u8 },
    B,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[test]
fn what_serde_writes_it_reads_again() {
    survives((u64::MAX, i64::MIN, u128::MAX, i128::MIN, 'ß', true));
    survives((1.5f32, f64::MAX, f64::INFINITY, f64::NEG_INFINITY));
    survives((Some(3), None::<u8>, (), UnitStruct, vec![0u8, 255]));
    survives(HashMap::from([(7u64, vec!["a".to_owned()]), (9, vec![])]));
    survives(vec![
        Shape::Unit,
        Shape::Newtype(1),
        Shape::Tuple(2, "t".into()),
        Shape::Struct { x: -1 },
        Shape::Inside(Box::new(Shape::Newtype(3))),
    ]);
    survives(vec![Tagged::A { x: 1 }, Tagged::B]);
    survives(Flattened {
        rest: BTreeMap::from([("k".into(), 1)]),
    });
    survives(std::net::IpAddr::from([127, 0, 0, 1]));
    survives(std::path::PathBuf::from("/tmp/x"));
    survives(Duration::from_millis(1500));
    let nan = args_of(&With { value: f64::NAN }).unwrap();
    assert!(decode_args::<With<f64>>(&nan).unwrap().value.is_nan());
}

#[test]
fn integers_are_read_up_to_their_borders_and_no_further() {
    assert_eq!(read::<u8>(b"\xcc\xff"), Ok(255));
    assert_eq!(
        read::<u64>(b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
        Ok(u64::MAX)
    );
    assert_eq!(read::<i64>(b"\xd3\x80\0\0\0\0\0\0\0"), Ok(i64::MIN));
    for error in [
        read::<u8>(b"\xcd\x01\0").map(drop),
        read::<u32>(b"\xff").map(drop),
        read::<i8>(b"\xcc\x80").map(drop),
    ] {
        assert!(matches!(
            error,
            Err(EnvelopeError::Arguments { job: "with", .. })
        ));
    }
}

#[test]
fn what_other_languages_write_otherwise_is_read_too() {
    assert_eq!(read::<Vec<u8>>(b"\xc4\x02\x01\xff"), Ok(vec![1, 255]));
    assert_eq!(read::<f64>(b"\x03"), Ok(3.0));
    assert_eq!(read::<f64>(b"\xca\x3f\xc0\0\0"), Ok(1.5));
    assert_eq!(read::<u8>(b"\xd3\0\0\0\0\0\0\0\x07"), Ok(7));
    assert_eq!(read::<String>(b"\xdb\0\0\0\x01x"), Ok("x".to_owned()));
    assert_eq!(
        read::<Shape>(b"\x81\xa6Struct\x91\x05"),
        Ok(Shape::Struct { x: 5 })
    );
    assert_eq!(read::<Shape>(b"\x81\xa4Unit\xc0"), Ok(Shape::Unit));
    assert!(read::<Shape>(b"\x81\xa4Unit\x05").is_err());
}

#[test]
fn a_job_without_arguments_is_an_empty_map() {
    #[derive(Serialize, Deserialize)]
    struct Tick {}
    #[derive(Serialize, Deserialize)]
    struct Tock;
    impl Job for Tick {
        const NAME: &'static str = "tick";
        const DEFAULTS: JobDefaults = JobDefaults::new();
    }
    impl Job for Tock {
        const NAME: &'static str = "tock";
        const DEFAULTS: JobDefaults = JobDefaults::new();
    }
    assert_eq!(args_of(&Tick {}).unwrap(), [0x80]);
    assert_eq!(args_of(&Tock).unwrap(), [0x80]);
    assert!(decode_args::<Tick>(&[0x80]).is_ok());
    assert!(decode_args::<Tock>(&[0x80]).is_ok());
}

#[test]
fn arguments_are_a_map_and_nothing_else() {
    for raw in [
        &b""[..],
        b"\xc0",
        b"\x90",
        b"\x92\x07\xa1x",
        b"\x01",
        b"\xa1x",
        b"\xc4\x01\x80",
        b"\xd4\x01\x80",
    ] {
        let error = decode_args::<Mail>(raw).unwrap_err();
        assert!(error.to_string().contains("expected"), "{raw:x?}: {error}");
    }
    #[derive(Serialize, Deserialize)]
    struct Bare(u64);
    impl Job for Bare {
        const NAME: &'static str = "bare";
        const DEFAULTS: JobDefaults = JobDefaults::new();
    }
    let error = args_of(&Bare(1)).unwrap_err().to_string();
    assert!(error.contains("a struct with named fields"), "{error}");
}

#[test]
fn missing_duplicate_and_unknown_arguments() {
    let reason = |raw: &[u8]| match decode_args::<Mail>(raw) {
        Err(EnvelopeError::Arguments {
            job: "mail",
            reason,
        }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(b"\x81\xa4user\x07"), "missing field `email`");
    assert_eq!(reason(b"\x80"), "missing field `user`");
    assert_eq!(
        reason(b"\x83\xa4user\x07\xa4user\x08\xa5email\xa1x"),
        "duplicate field `user`"
    );
    let deep = [
        &b"\x83\xa4user\x07\xa3new"[..],
        &b"\x91".repeat(60),
        b"\xc0\xa5email\xa5a@b.c",
    ];
    assert_eq!(decode_args::<Mail>(&deep.concat()), Ok(mail()));
    assert_eq!(read::<Option<u8>>(b"\xc0"), Ok(None));
}

#[test]
fn a_parameter_added_as_an_option_may_be_missing() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Later {
        email: String,
        subject: Option<String>,
        user: u64,
    }
    impl Job for Later {
        const NAME: &'static str = "mail";
        const DEFAULTS: JobDefaults = JobDefaults::new();
    }
    let later: Later = decode_args(&args_of(&mail()).unwrap()).unwrap();
    assert_eq!((later.user, later.subject), (7, None));
}

#[test]
fn texts_that_are_not_utf8_do_not_fit() {
    assert!(matches!(
        read::<String>(b"\xa2\xc3\x28"),
        Err(EnvelopeError::Arguments { .. })
    ));
    assert!(decode_args::<Mail>(b"\x81\xa2\xc3\x28\x01").is_err());
}

#[test]
fn the_reason_is_short_and_printable() {
    let text = "\u{1b}[31m".repeat(10_000);
    let mut raw = b"\xdb".to_vec();
    raw.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
    raw.extend(text.as_bytes());
    let Err(EnvelopeError::Arguments { reason, .. }) = read::<Shape>(&raw) else {
        panic!("a text is no shape");
    };
    assert!(reason.chars().count() <= 200, "{reason}");
    assert!(!reason.contains(char::is_control), "{reason}");
}

/// Reads itself without taking a byte.
#[derive(Debug, Serialize, Deserialize)]
struct Layers(Option<Box<Layers>>);

#[derive(Debug, Serialize, Deserialize)]
struct Chain {
    next: Option<Box<Chain>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Tree(Vec<Tree>);

#[derive(Debug, Serialize, Deserialize)]
struct Dict(HashMap<String, Dict>);

fn layers(depth: usize) -> Layers {
    (0..depth).fold(Layers(None), |inner, _| Layers(Some(Box::new(inner))))
}

#[test]
fn a_type_that_recurses_without_taking_a_byte_ends() {
    for raw in [&b"\x01"[..], b"\x90", b"\x91\xc0", b"\xa1x", b"\x80"] {
        let error = read::<Layers>(raw).unwrap_err().to_string();
        assert!(error.contains("values nest too deep"), "{error}");
    }
    assert!(read::<Layers>(b"\xc0").is_ok());
}

#[test]
fn variants_that_read_their_siblings_end() {
    // rmp-serde takes an array of one element for a variant, and its value from behind it.
    let raw = [&b"\xdc\x27\x10"[..], &b"\x91\xa6Inside".repeat(10_000)].concat();
    assert!(read::<Vec<Shape>>(&raw).is_err());
    assert!(read::<Shape>(&raw).is_err());
}

#[test]
fn ten_thousand_nested_values_are_refused_when_read() {
    let too_deep = |error: EnvelopeError| matches!(error, EnvelopeError::TooDeep { .. });
    let arrays = [b"\x91".repeat(10_000), vec![0x90]].concat();
    assert!(too_deep(read::<Tree>(&arrays).unwrap_err()));
    assert!(too_deep(read::<Layers>(&arrays).unwrap_err()));
    let maps = [b"\x81\xa4next".repeat(10_000), vec![0xc0]].concat();
    assert!(too_deep(read::<Chain>(&maps).unwrap_err()));
    assert!(too_deep(read::<Dict>(&maps).unwrap_err()));
    let variants = [b"\x81\xa6Inside".repeat(10_000), b"\xa4Unit".to_vec()].concat();
    assert!(too_deep(read::<Shape>(&variants).unwrap_err()));
}

#[test]
fn ten_thousand_nested_values_are_refused_when_written() {
    fn refused<T: Serialize + DeserializeOwned + Send + 'static>(value: T) {
        let job = With { value };
        let error = args_of(&job).unwrap_err().to_string();
        assert!(error.contains("nest"), "{error}");
        // Dropping ten thousand boxes recurses, which is no part of this test.
        mem::forget(job);
    }
    refused(layers(10_000));
    refused((0..10_000).fold(Chain { next: None }, |inner, _| Chain {
        next: Some(Box::new(inner)),
    }));
    refused((0..10_000).fold(Tree(vec![]), |inner, _| Tree(vec![inner])));
    refused((0..10_000).fold(Dict(HashMap::new()), |inner, _| {
        Dict(HashMap::from([(String::new(), inner)]))
    }));
    refused((0..10_000).fold(Shape::Unit, |inner, _| Shape::Inside(Box::new(inner))));
}

#[test]
fn what_may_be_written_may_be_read() {
    // The map of the arguments is the first of 64 levels.
    let chain = |depth| {
        (0..depth).fold(Chain { next: None }, |inner, _| Chain {
            next: Some(Box::new(inner)),
        })
    };
    let args = args_of(&With { value: chain(62) }).unwrap();
    assert!(decode_args::<With<Chain>>(&args).is_ok());
    let error = args_of(&With { value: chain(63) }).unwrap_err();
    assert!(error.downcast::<EnvelopeError>().is_ok());
    for depth in 0..300 {
        let Ok(args) = args_of(&With {
            value: layers(depth),
        }) else {
            continue;
        };
        assert!(decode_args::<With<Layers>>(&args).is_ok(), "{depth}");
    }
}
