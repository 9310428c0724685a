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
        return Err(format!("a duration has no space: `\"{without}\"`"));
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
        return Err(format!(
            "unknown unit `{unit}`; expected ms, s, m, h or d: `\"10m\"`"
        ));
    };
    let total = number.parse().ok().and_then(|n: u64| n.checked_mul(*ms));
    match total {
        Some(0) => Err("expected a duration above zero: `\"10m\"`".to_owned()),
        Some(ms) if ms <= LONGEST_DAYS * 86_400_000 => Ok(Duration::from_millis(ms)),
        _ => Err(format!("expected at most 100 years: `\"{LONGEST_DAYS}d\"`")),
    }
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
    use super::*;

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
            ("10", "`\"10s\"`"),
            ("10 s", "no space: `\"10s\"`"),
            ("1.5h", "a smaller unit"),
            ("1,5s", "a smaller unit"),
            ("10min", "unknown unit"),
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
