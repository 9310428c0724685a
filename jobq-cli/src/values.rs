//! Reads the values of flags, and says what would be right where it cannot.

use std::time::Duration;

use jobq::Timestamp;
use jobq::runtime::text::escaped;
use serde_json::{Map, Value};

/// The longest time that is taken: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

const EXPECTED: &str = "expected a number with a unit: 500ms, 10s, 5m, 1h, 30d";

/// The units of a time, the largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads a time: a whole number with a unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(split.unwrap_or(text.len()));
    let known = UNITS.into_iter().find(|(name, _)| *name == unit);
    let Some((_, ms_per_unit)) = known.filter(|_| !number.is_empty()) else {
        return Err(EXPECTED.to_owned());
    };
    let number = number.parse::<u64>().ok();
    let ms = number.and_then(|number| number.checked_mul(ms_per_unit));
    ms.map(Duration::from_millis)
        .filter(|time| *time <= LONGEST)
        .ok_or_else(|| "expected at most 3650d".to_owned())
}

/// A time as [`duration`] reads it, in the largest unit that is exact.
pub(crate) fn written(time: Duration) -> String {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let exact = UNITS.into_iter().find(|(_, unit)| ms % unit == 0);
    let (name, unit) = exact.unwrap_or(("ms", 1));
    format!("{}{name}", ms / unit)
}

/// Reads a point in time.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let read = text.parse::<Timestamp>();
    read.map_err(|error| format!("{error}; expected a time such as 2026-11-30T20:00:00Z"))
}

/// Reads a JSON object.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => unrounded(text).map(|()| object),
        Ok(_) => Err("expected a JSON object: {\"name\": value, …}".to_owned()),
        Err(error) => Err(format!(
            "{error}; expected a JSON object: {{\"name\": value, …}}"
        )),
    }
}

/// Refuses JSON in which a whole number is larger than any that a job can be given, so that it would be
/// rounded: an id that is another one helps nobody. One that a float has exactly is that float.
pub(crate) fn unrounded(json: &str) -> Result<(), String> {
    let is_exact = |number: &str| {
        let float = number.parse::<f64>().map(|float| format!("{float:.0}"));
        number.parse::<i64>().is_ok()
            || number.parse::<u64>().is_ok()
            || float.is_ok_and(|float| float == number)
    };
    match whole_numbers(json).find(|number| !is_exact(number)) {
        None => Ok(()),
        Some(number) => Err(format!(
            "number {} is beyond 64 bits and would be rounded; expected a text, or the same with .0 \
             behind it where that will do",
            escaped(number, 100)
        )),
    }
}

/// The whole numbers in what is JSON, as they stand there.
fn whole_numbers(json: &str) -> impl Iterator<Item = &str> {
    let mut in_text = false;
    let mut escaped = false;
    let parts = json.split(move |c: char| {
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' => escaped = in_text,
            '"' => in_text = !in_text,
            _ => {}
        }
        in_text || !(c.is_ascii_digit() || "+-.eE".contains(c))
    });
    parts.filter(|part| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit())
    })
}

/// Reads a time that is not zero; a bare number is one of seconds.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    // `--watch 2` is what people type, of seconds.
    let bare = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let time = match bare {
        true => duration(&format!("{text}s"))?,
        false => duration(text)?,
    };
    match time.is_zero() {
        true => Err("expected more than zero".to_owned()),
        false => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_a_number_and_a_unit() {
        for (text, secs) in [("0s", 0), ("5m", 300), ("2h", 7200), ("30d", 2_592_000)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("3650d"), Ok(LONGEST));
        for bad in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "10 s",
            "10w",
            "3651d",
            "99999999999999999999s",
            "1S",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_is_read() {
        for text in ["1ms", "1500ms", "7s", "90s", "5m", "25h", "30d"] {
            assert_eq!(duration(text).map(written).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_moment_that_is_none_says_how_one_is_written() {
        assert!(moment("2026-11-30T20:00:00Z").is_ok());
        for bad in ["", "soon", "2026-13-01T00:00:00Z", "20:00"] {
            let said = moment(bad).unwrap_err();
            assert!(said.ends_with("such as 2026-11-30T20:00:00Z"), "{said}");
        }
    }

    #[test]
    fn numbers_that_would_be_rounded_are_refused() {
        for good in [
            "{}",
            r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":[1,2.5,-0]}"#,
            r#"{"a":18446744073709551616,"b":100000000000000000000}"#,
            r#"{"a":1e30,"b":18446744073709551617.0,"c":1E-7}"#,
            r#"{"18446744073709551617":"18446744073709551617","b":"\"18446744073709551617"}"#,
            r#"{"a":"\\","b":[true,false,null]}"#,
        ] {
            assert!(object(good).is_ok(), "{good}: {:?}", object(good));
        }
        for bad in [
            r#"{"a":18446744073709551617}"#,
            r#"{"a":-9223372036854775809}"#,
            r#"{"a":[{"b":123456789012345678901234567890}]}"#,
            r#"{"a":"\\","b":18446744073709551617}"#,
        ] {
            assert!(object(bad).unwrap_err().contains("rounded"), "{bad}");
        }
    }

    #[test]
    fn intervals_may_go_without_a_unit_and_not_be_zero() {
        assert_eq!(interval("2"), Ok(Duration::from_secs(2)));
        assert_eq!(interval("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "0", "0s", "x", "-1", "99999999999999999999"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }
}
