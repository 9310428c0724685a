//! What a row of the matrix is.

use std::fmt::{self, Display};
use std::thread;

use futures_util::future::BoxFuture;

/// One fault, and what must hold under it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name: `P1`.
    pub id: &'static str,
    /// What is done.
    pub fault: &'static str,
    /// What must hold.
    pub shows: &'static str,
    /// Does it, and panics when that does not hold.
    pub run: fn(Plan) -> BoxFuture<'static, Figures>,
}

/// How large a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// About ten seconds, for every run of the tests.
    Short,
    /// As long as it takes to publish its figures.
    Long,
}

/// What a run of a row is given.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How large.
    pub size: Size,
    /// All chance comes from it.
    pub seed: u64,
    /// How long rows run whose length is a time.
    pub minutes: Option<u64>,
}

impl Plan {
    /// A short one, of the seed in `JOBQ_FAULTS_SEED` or any.
    ///
    /// # Panics
    ///
    /// When the variable holds no seed.
    #[must_use]
    pub fn short() -> Self {
        let seed = seed().unwrap_or_else(|wrong| panic!("{wrong}"));
        Self {
            size: Size::Short,
            seed,
            minutes: None,
        }
    }

    /// One of two values.
    #[must_use]
    pub fn of<T>(&self, short: T, long: T) -> T {
        match self.size {
            Size::Short => short,
            Size::Long => long,
        }
    }
}

/// The seed in `JOBQ_FAULTS_SEED`, or any.
///
/// # Errors
///
/// What is wrong with the variable, when it holds no seed.
pub fn seed() -> Result<u64, String> {
    match std::env::var_os(SEED) {
        Some(text) => seed_of(&text.to_string_lossy()),
        // Short, for it is typed.
        None => Ok(u64::from(rand::random::<u16>())),
    }
}

const SEED: &str = "JOBQ_FAULTS_SEED";

fn seed_of(text: &str) -> Result<u64, String> {
    let wrong = |_| {
        format!(
            "{SEED} is {text:?}; expected a whole number from 0 to {}",
            u64::MAX
        )
    };
    text.parse().map_err(wrong)
}

impl Row {
    /// Runs it. When it panics, how to run it again is printed.
    pub async fn run(&self, plan: Plan) -> Figures {
        let _replay = Replay(self.id, plan);
        (self.run)(plan).await
    }
}

struct Replay(&'static str, Plan);

impl Drop for Replay {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self(id, Plan { size, seed, .. }) = self;
            let long = if *size == Size::Long { " --long" } else { "" };
            eprintln!("row {id} failed; run it again: ./scripts/faults{long} {id} --seed {seed}");
        }
    }
}

/// What a row measured, in the order of the sheet.
#[derive(Debug, Clone, Default)]
pub struct Figures(Vec<(String, String)>);

impl Figures {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    /// What was measured by a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|(of, _)| of == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// With those of another.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "; " } else { "" };
            write!(f, "{comma}{name}: {value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_seed_is_told_with_what_would_be_one() {
        assert_eq!(seed_of("17"), Ok(17));
        for wrong in ["", "abc", "-1", "18446744073709551616"] {
            let told = seed_of(wrong).expect_err(wrong);
            assert!(
                told.contains(&format!("{wrong:?}; expected a whole number")),
                "{told}"
            );
        }
    }
}
