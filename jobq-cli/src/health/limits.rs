//! Limits: how they are written, and what of them is passed. `1000` is an error when it is passed;
//! `800,1000` a warning beyond the first and an error beyond the second.

use std::cmp::Reverse;
use std::str::FromStr;
use std::time::Duration;

use crate::doctor::finding::Level;
use crate::values;

/// A limit of one kind of figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limit<T> {
    pub(crate) warning: Option<T>,
    pub(crate) error: T,
}

impl<T: PartialOrd + Copy> Limit<T> {
    /// How bad a figure is, and the border that it has passed.
    pub(crate) fn judge(self, figure: T) -> Option<(Level, T)> {
        if figure > self.error {
            return Some((Level::Error, self.error));
        }
        let warning = self.warning.filter(|warning| figure > *warning)?;
        Some((Level::Warning, warning))
    }
}

fn limit<T: PartialOrd>(
    text: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Limit<T>, String> {
    let (warning, error) = match text.split_once(',') {
        Some((warning, error)) => (Some(read(warning)?), read(error)?),
        None => (None, read(text)?),
    };
    match &warning {
        Some(warning) if *warning > error => Err(
            "expected the border of the warning first, and then that of the error, which is worse"
                .to_owned(),
        ),
        _ => Ok(Limit { warning, error }),
    }
}

/// A number of jobs.
pub(crate) fn count(text: &str) -> Result<Limit<u64>, String> {
    limit(text, |text| whole(text, "1000 or 800,1000"))
}

/// The least that there should be: less is worse.
pub(crate) fn least(text: &str) -> Result<Limit<Reverse<u64>>, String> {
    limit(text, |text| whole(text, "1 or 4,1").map(Reverse))
}

fn whole(text: &str, example: &str) -> Result<u64, String> {
    u64::from_str(text).map_err(|_| format!("expected a whole number, as in {example}"))
}

/// A length of time.
pub(crate) fn time(text: &str) -> Result<Limit<Duration>, String> {
    limit(text, values::duration)
}

/// A share, from 0 to 1.
pub(crate) fn share(text: &str) -> Result<Limit<f64>, String> {
    limit(text, |text| {
        let number = text
            .strip_suffix('%')
            .and_then(|text| f64::from_str(text).ok());
        let percent = number.filter(|percent| (0.0..=100.0).contains(percent));
        let share = percent.map(|percent| percent / 100.0);
        share.ok_or_else(|| "expected 0% to 100%, as in 5% or 1%,5%".to_owned())
    })
}

/// An amount of memory, or a share of what there may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum MemoryLimit {
    Bytes(Limit<u64>),
    Share(Limit<f64>),
}

pub(crate) fn memory(text: &str) -> Result<MemoryLimit, String> {
    match text.contains('%') {
        true => share(text).map(MemoryLimit::Share),
        false => limit(text, bytes).map(MemoryLimit::Bytes),
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    const EXPECTED: &str = "expected a number with a unit (KiB, MiB, GiB), or a share of maxmemory: \
                            512MiB, 80%";
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit: u64 = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(EXPECTED.to_owned()),
    };
    let number = u64::from_str(number).ok();
    let bytes = number.and_then(|number| number.checked_mul(unit));
    bytes.ok_or_else(|| EXPECTED.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_border_is_that_of_the_error_and_two_are_both() {
        let one = Limit {
            warning: None,
            error: 5,
        };
        assert_eq!(count("5"), Ok(one));
        let two = Limit {
            warning: Some(3),
            error: 5,
        };
        assert_eq!(count("3,5"), Ok(two));
        for (figure, one_is, two_is) in [
            (3, None, None),
            (4, None, Some((Level::Warning, 3))),
            (5, None, Some((Level::Warning, 3))),
            (6, Some((Level::Error, 5)), Some((Level::Error, 5))),
        ] {
            assert_eq!(
                (one.judge(figure), two.judge(figure)),
                (one_is, two_is),
                "{figure}"
            );
        }
    }

    #[test]
    fn of_the_least_that_there_should_be_less_is_worse() {
        let limit = least("4,1").unwrap();
        for (figure, is) in [
            (4, None),
            (3, Some((Level::Warning, Reverse(4)))),
            (1, Some((Level::Warning, Reverse(4)))),
            (0, Some((Level::Error, Reverse(1)))),
        ] {
            assert_eq!(limit.judge(Reverse(figure)), is, "{figure}");
        }
        for text in ["", "1,4", "-1", "x"] {
            assert!(least(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in [
            "",
            ",",
            "5,",
            ",5",
            "5,3",
            "-1",
            "1.5",
            "1,2,3",
            "99999999999999999999",
            "x",
        ] {
            assert!(count(text).is_err(), "{text}");
        }
        for text in ["", "5", "101%", "-1%", "NaN%", "inf%", "%", "5%,1%", "1%,5"] {
            assert!(share(text).is_err(), "{text}");
        }
        for text in [
            "",
            "5",
            "MiB",
            "5MB",
            "-1MiB",
            "99999999999999999999KiB",
            "20000000TiB",
            "5MiB,1MiB",
        ] {
            assert!(memory(text).is_err(), "{text}");
        }
        for text in ["", "5", "5m,1m", "1m,"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_amounts_and_times_have_their_units() {
        assert_eq!(share("2.5%").map(|limit| limit.error), Ok(0.025));
        let minutes = time("1m,5m").map(|limit| limit.error);
        assert_eq!(minutes, Ok(Duration::from_secs(300)));
        let of = |text| memory(text).unwrap();
        let error = 512 << 20;
        assert_eq!(
            of("512MiB"),
            MemoryLimit::Bytes(Limit {
                warning: None,
                error
            })
        );
        let (warning, error) = (Some(0.8), 0.95);
        assert_eq!(of("80%,95%"), MemoryLimit::Share(Limit { warning, error }));
    }
}
