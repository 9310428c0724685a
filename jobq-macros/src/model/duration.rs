//! Durations as text: a whole number and a unit.

use std::time::Duration;

/// The longest duration a setting may have: 100 years, as in the retry policy.
const LONGEST_DAYS: u64 = 100 * 365;

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Reads `500ms`, `90s`, `10m`, `2h`, `1d`; more than zero, at most 100 years.
///
/// # Errors
///
/// What is wrong, for a person.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if text.contains(char::is_whitespace) && !text.trim().is_empty() {
        let without: String = text.split_whitespace().collect();
        return Err(match spelled(&without) {
            Some(right) => format!("a duration has no space: `\"{right}\"`"),
            None => "a duration is one whole number and one unit, ms, s, m, h or d, without a space: `\"10m\"`"
                .to_owned(),
        });
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("expected a whole number and a unit, ms, s, m, h or d: `\"10m\"`".to_owned());
    }
    if unit.is_empty() {
        return Err(format!(
            "a duration needs a unit, ms, s, m, h or d: `\"{number}s\"`"
        ));
    }
    if unit.starts_with(['.', ',']) {
        return Err(
            "a duration is a whole number and a unit; for a part of one take a smaller unit, ms, s, m, h or d: `\"90m\"`"
                .to_owned(),
        );
    }
    let Some((_, ms)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let right = spelled(text).unwrap_or_else(|| "10m".to_owned());
        return Err(format!(
            "unknown unit `{unit}`; expected ms, s, m, h or d: `\"{right}\"`"
        ));
    };
    let total = number.parse().ok().and_then(|n: u64| n.checked_mul(*ms));
    match total {
        Some(0) => Err("expected a duration above zero: `\"10m\"`".to_owned()),
        Some(ms) if ms <= LONGEST_DAYS * 86_400_000 => Ok(Duration::from_millis(ms)),
        _ => Err(format!("expected at most 100 years: `\"{LONGEST_DAYS}d\"`")),
    }
}

/// The duration that was meant, as it is written here: `1m` for `1minute`.
fn spelled(text: &str) -> Option<String> {
    let (number, word) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let word = word.to_ascii_lowercase();
    let unit = match word.strip_suffix('s').filter(|one| !one.is_empty()) {
        // `ms` is no plural.
        Some(one) if one != "m" => one,
        _ => &word,
    };
    let unit = match unit {
        "ms" | "msec" | "milli" | "millisecond" => "ms",
        "s" | "sec" | "second" => "s",
        "m" | "min" | "minute" => "m",
        "h" | "hr" | "hour" => "h",
        "d" | "day" => "d",
        _ => return None,
    };
    let spelled = format!("{number}{unit}");
    parse(&spelled).is_ok().then_some(spelled)
}

/// A duration as it is written here, in its largest unit but days.
pub(super) fn text(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{}ms", duration.as_millis()),
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_text_is_a_duration_or_an_error(
            text in "\\PC{0,12}|[0-9]{0,25} ?(ms|s|m|h|d|sec|Minutes|days|µs)?[s.,]?",
        ) {
            match parse(&text) {
                Ok(read) => {
                    prop_assert!(!read.is_zero() && read <= Duration::from_secs(LONGEST_DAYS * 86_400));
                    if read.as_millis().is_multiple_of(1000) {
                        prop_assert_eq!(parse(&super::text(read)), Ok(read));
                    }
                }
                Err(error) => prop_assert!(!error.is_empty()),
            }
        }
    }

    #[test]
    fn a_number_and_a_unit_are_a_duration() {
        for (text, seconds) in [
            ("500ms", 0.5),
            ("90s", 90.0),
            ("10m", 600.0),
            ("2h", 7200.0),
            ("36500d", 36500.0 * 86400.0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_what_would_be_right() {
        for (text, expected) in [
            ("", "a whole number and a unit"),
            ("s", "a whole number and a unit"),
            ("-1s", "a whole number and a unit"),
            (" ", "a whole number and a unit"),
            (" 1s", "no space: `\"1s\"`"),
            ("1 minute", "no space: `\"1m\"`"),
            ("2 Hours", "no space: `\"2h\"`"),
            ("1h 30m", "one whole number and one unit"),
            ("1. s", "one whole number and one unit"),
            ("10", "`\"10s\"`"),
            ("10 s", "no space: `\"10s\"`"),
            ("1.5h", "a smaller unit"),
            ("1,5s", "a smaller unit"),
            (
                "5min",
                "unknown unit `min`; expected ms, s, m, h or d: `\"5m\"`",
            ),
            ("1hour", "`\"1h\"`"),
            ("90SECS", "`\"90s\"`"),
            ("20msec", "`\"20ms\"`"),
            ("3weeks", "`\"10m\"`"),
            ("0min", "`\"10m\"`"),
            ("٣s", "a whole number and a unit"),
            ("0s", "above zero"),
            ("0ms", "above zero"),
            ("36501d", "100 years"),
            ("18446744073709551615d", "100 years"),
            ("99999999999999999999999s", "100 years"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
