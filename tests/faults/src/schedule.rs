//! Chance, from a seed, and what was done by it: printed when a row fails.

use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The most steps that are printed: the last ones.
const PRINTED: usize = 200;

/// What decides when harm is done, and to whom.
#[derive(Debug)]
pub struct Schedule {
    random: StdRng,
    began: Instant,
    done: Vec<(Duration, String)>,
}

impl Schedule {
    /// The same for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            began: Instant::now(),
            done: Vec::new(),
        }
    }

    /// A number of a range.
    pub fn draw(&mut self, range: RangeInclusive<u64>) -> u64 {
        self.random.random_range(range)
    }

    /// One of so many, from 0.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn pick(&mut self, count: usize) -> usize {
        self.random.random_range(0..count)
    }

    /// Lets so many ms pass: a part of the schedule, never a wait for an event.
    pub async fn pause(&mut self, ms: RangeInclusive<u64>) {
        let ms = self.draw(ms);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    /// Notes a step, for whoever has to understand a failure.
    pub fn note(&mut self, step: impl Into<String>) {
        self.done.push((self.began.elapsed(), step.into()));
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let skipped = self.done.len().saturating_sub(PRINTED);
        eprintln!("the schedule ({skipped} steps before it left out):");
        for (at, step) in &self.done[skipped..] {
            eprintln!("  {:9.3} s  {step}", at.as_secs_f64());
        }
    }
}
