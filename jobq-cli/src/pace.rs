//! How fast many things are done: at a rate, in parts.

use std::time::{Duration, Instant};

use crate::interrupt::Interrupt;

/// Parts a second, where the rate allows several: a smooth flow, in few round trips.
const PARTS_PER_SECOND: u32 = 10;

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    count: u32,
    per: Duration,
}

impl Rate {
    /// Reads `100/s`, `5/m`, `1000/h`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected a number and a unit of time: 100/s, 30/m, 1000/h";
        let (count, unit) = text.split_once('/').ok_or(EXPECTED)?;
        let secs = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(EXPECTED.to_owned()),
        };
        let digits = !count.is_empty() && count.bytes().all(|c| c.is_ascii_digit());
        let count = match (digits, count.parse()) {
            (true, Ok(count)) if (1..=1_000_000).contains(&count) => count,
            (true, _) => return Err("expected 1 to 1000000 of them".to_owned()),
            _ => return Err(EXPECTED.to_owned()),
        };
        let per = Duration::from_secs(secs);
        Ok(Self { count, per })
    }

    /// How many are done at once, and how long after the last.
    fn part(self) -> (u32, Duration) {
        let per_second = u64::from(self.count) / self.per.as_secs();
        let at_once = u32::try_from(per_second / u64::from(PARTS_PER_SECOND)).unwrap_or(u32::MAX);
        let at_once = at_once.max(1);
        (at_once, self.per * at_once / self.count)
    }
}

/// Gives out how many may be done next, at a rate or at once.
#[derive(Debug)]
pub(crate) struct Pace {
    part: Option<(u32, Duration)>,
    next: Instant,
}

impl Pace {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self {
            part: rate.map(Rate::part),
            next: Instant::now(),
        }
    }

    /// How many at most are done at once.
    pub(crate) fn at_once(&self) -> usize {
        self.part
            .map_or(usize::MAX, |(at_once, _)| at_once as usize)
    }

    /// Waits for the turn of so many; `false` if the command was asked to end.
    pub(crate) async fn turn(&mut self, count: usize, interrupt: &Interrupt) -> bool {
        let Some((at_once, interval)) = self.part else {
            return !interrupt.is_set();
        };
        let wait = self.next.saturating_duration_since(Instant::now());
        tokio::select! {
            biased;
            () = interrupt.reached() => return false,
            () = tokio::time::sleep(wait) => {}
        }
        let share = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / f64::from(at_once);
        // From now on, not from when it was due: what was missed is not made up for.
        self.next = Instant::now() + interval.mul_f64(share.min(1.0));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        for (text, count, secs) in [("100/s", 100, 1), ("5/m", 5, 60), ("1000/h", 1000, 3600)] {
            let per = Duration::from_secs(secs);
            assert_eq!(Rate::parse(text), Ok(Rate { count, per }), "{text}");
        }
        for bad in [
            "",
            "100",
            "/s",
            "s",
            "100/",
            "100/d",
            "-1/s",
            "0/s",
            "1.5/s",
            "+1/s",
            "1000001/s",
            "99999999999/s",
            "1/s/s",
            " 1/s",
        ] {
            assert!(Rate::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rate_is_kept_in_parts() {
        for (text, at_once, ms) in [
            ("1/s", 1, 1000),
            ("10/s", 1, 100),
            ("100/s", 10, 100),
            ("1000/s", 100, 100),
            ("30/m", 1, 2000),
            ("1/h", 1, 3_600_000),
        ] {
            let part = Rate::parse(text).unwrap().part();
            assert_eq!(part, (at_once, Duration::from_millis(ms)), "{text}");
        }
    }
}
