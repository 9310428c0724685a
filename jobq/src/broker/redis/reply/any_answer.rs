//! Whatever a server answers, it is read or refused: no answer is worth a panic.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any};
use proptest::{prop_assert_eq, prop_oneof, proptest};

use super::*;

/// The words that answers begin with, and what might stand behind them.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "reaped",
        "granted",
        "alive",
        "taken",
        "settled",
        "counted",
        "missing",
        "timekeeper",
        "other",
        "left",
        "owner",
        "-1",
        "0",
        "1",
        "18446744073709551615",
        "18446744073709551616",
        "1e300",
        "-inf",
        "nan",
        "1.1",
        "0.0",
    ];
    let word = proptest::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    prop_oneof![6 => word, 1 => vec(any::<u8>(), 0..8)]
}

fn plain() -> impl Strategy<Value = Value> {
    prop_oneof![
        5 => text().prop_map(Value::BulkString),
        4 => prop_oneof![Just(0), Just(1), Just(i64::MIN), Just(i64::MAX), any::<i64>()]
            .prop_map(Value::Int),
        2 => Just(Value::Nil),
        1 => any::<f64>().prop_map(Value::Double),
        1 => any::<bool>().prop_map(Value::Boolean),
        1 => Just(Value::Okay),
        1 => "[a-z]{0,8}".prop_map(Value::SimpleString),
    ]
}

/// An answer that begins as one should.
fn answer() -> impl Strategy<Value = Value> {
    let nested = plain().prop_recursive(2, 24, 8, |inner| vec(inner, 0..8).prop_map(Value::Array));
    let begun = (text(), vec(nested.clone(), 0..12)).prop_map(|(word, rest)| {
        let items = [Value::BulkString(word)].into_iter().chain(rest);
        Value::Array(items.collect())
    });
    prop_oneof![3 => begun, 1 => nested]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn is_read_or_refused(answer in answer(), places in vec(0..4_usize, 0..4)) {
        let places: Vec<usize> = (0..places.len()).collect();
        let read = || answer.clone();
        if let Ok(settled) = settled(read(), &places) {
            prop_assert_eq!(settled.accepted.len(), places.len());
        }
        if let Ok(cancelled) = cancelled(read(), places.len(), At::from_ms(1)) {
            prop_assert_eq!(cancelled.len(), places.len());
        }
        let _ = claimed(read());
        let _ = renewed(read());
        let _ = promoted(read());
        let _ = adopted(read());
        let _ = counted(read());
        let _ = how_many(read(), b"left");
        let _ = one_of(read(), b"left", b"owner");
        let _ = missing_rights(read());
        if let Ok((_, found)) = scanned(read()) {
            let _ = tokens(found.iter());
        }
    }
}
