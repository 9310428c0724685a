//! Where a process ends itself, without a word: before or after the nth step of a kind, or at the
//! beginning or the end of the nth run.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// On which side of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before it is sent; of a run, at its beginning.
    Before,
    /// Before its answer is known, if that brought jobs where it may; of a run, at its end.
    After,
}

/// Where a process is to end: `before:settle:3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// On which side.
    pub side: Side,
    /// The step: as in [`Step::is`](support::hooked::Step::is), or `run`.
    pub step: String,
    /// Which of its kind, from 1.
    pub number: u64,
}

static DEATH: OnceLock<(Death, AtomicU64)> = OnceLock::new();

impl Death {
    /// The end of this process.
    ///
    /// # Panics
    ///
    /// When it has one.
    pub fn await_here(self) {
        let set = DEATH.set((self, AtomicU64::new(0)));
        assert!(set.is_ok(), "a process ends once");
    }
}

/// The process comes to a place of one of these kinds: is it the end?
pub fn pass(side: Side, is: impl Fn(&str) -> bool) {
    let Some((death, passed)) = DEATH.get() else {
        return;
    };
    if death.side == side && is(&death.step) {
        let number = passed.fetch_add(1, Ordering::Relaxed) + 1;
        if number == death.number {
            // No drop runs, no buffer is written.
            std::process::abort();
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, step, number } = self;
        let side = match side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(f, "{side}:{step}:{number}")
    }
}

impl FromStr for Death {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text} is not like before:settle:3");
        let mut parts = text.split(':');
        let mut part = || parts.next().ok_or_else(wrong);
        let (side, step, number) = (part()?, part()?, part()?);
        Ok(Self {
            side: match side {
                "before" => Side::Before,
                "after" => Side::After,
                _ => return Err(wrong()),
            },
            step: step.to_owned(),
            number: number.parse().map_err(|_| wrong())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_read_as_it_is_written() {
        for text in ["before:settle:3", "after:run:1"] {
            assert_eq!(text.parse::<Death>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "settle",
            "before:settle",
            "near:settle:1",
            "before:settle:x",
        ] {
            assert!(wrong.parse::<Death>().is_err(), "{wrong}");
        }
    }
}
