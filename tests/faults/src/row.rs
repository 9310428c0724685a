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
    /// When the variable holds no number.
    #[must_use]
    pub fn short() -> Self {
        Self {
            size: Size::Short,
            seed: seed(),
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
/// # Panics
///
/// When the variable holds no number.
#[must_use]
pub fn seed() -> u64 {
    match std::env::var("JOBQ_FAULTS_SEED") {
        Ok(text) => text.parse().expect("JOBQ_FAULTS_SEED is a number"),
        // Short, for it is typed.
        Err(_) => u64::from(rand::random::<u16>()),
    }
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
