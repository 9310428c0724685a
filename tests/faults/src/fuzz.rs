//! Bytes and texts that nobody meant: valid ones, broken. Every reader must give an error or a
//! value, at once; a value must be one that can be written and read again.
//!
//! Engines that are led by coverage need a compiler that is not stable; led by valid input, most
//! mutations get as far as the first few checks, and one in some gets through all.

mod mutate;
mod probe;
mod target;

use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use self::target::TARGETS;

/// The longest a reader may take for one input.
const AT_ONCE: Duration = Duration::from_secs(1);

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After so many inputs for each reader.
    Inputs(u64),
    /// After so long for all readers together.
    Time(Duration),
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The reader.
    pub(crate) name: &'static str,
    /// Inputs it was given.
    pub(crate) inputs: u64,
    /// Those that it took.
    pub(crate) values: u64,
    /// The longest it took for one.
    pub(crate) slowest: Duration,
}

/// Runs every reader; one that panics, hangs or reads what it cannot write ends it.
pub(crate) fn run(seed: u64, until: Until) -> Vec<Outcome> {
    let each = |(number, target): (usize, &target::Target)| {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
        let corpus = (target.corpus)();
        let mut outcome = Outcome {
            name: target.name,
            inputs: 0,
            values: 0,
            slowest: Duration::ZERO,
        };
        for valid in &corpus {
            assert!(outcome.put(target, valid), "{} is refused", shown(valid));
        }
        let began = Instant::now();
        while !until.is_over(outcome.inputs, began) {
            let input = mutate::one_of(&corpus, &mut random);
            outcome.put(target, &input);
        }
        outcome
    };
    TARGETS.iter().enumerate().map(each).collect()
}

impl Until {
    fn is_over(self, inputs: u64, began: Instant) -> bool {
        match self {
            Self::Inputs(most) => inputs >= most,
            // The clock is asked seldom.
            Self::Time(all) => {
                inputs.is_multiple_of(64) && began.elapsed() >= all / TARGETS.len() as u32
            }
        }
    }
}

impl Outcome {
    /// Gives the reader one input; answers whether it took it.
    fn put(&mut self, target: &target::Target, input: &[u8]) -> bool {
        let _named = Named(target.name, input);
        let (taken, mut took) = timed(target, input);
        // Another program may have had the core meanwhile: it is slow only if it is so again.
        for _ in 0..3 {
            if took >= AT_ONCE {
                took = took.min(timed(target, input).1);
            }
        }
        assert!(took < AT_ONCE, "took {took:?}");
        self.inputs += 1;
        self.values += u64::from(taken);
        self.slowest = self.slowest.max(took);
        taken
    }
}

fn timed(target: &target::Target, input: &[u8]) -> (bool, Duration) {
    let began = Instant::now();
    let taken = (target.read)(input);
    (taken, began.elapsed())
}

/// Shows an input if its reader panics.
struct Named<'a>(&'static str, &'a [u8]);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the reader of {} was given {}", self.0, shown(self.1));
        }
    }
}

/// As it can be pasted into a test.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::from("b\"");
    for byte in bytes {
        let _ = write!(text, "{}", byte.escape_ascii());
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_are_taken_and_refused() {
        for outcome in run(1, Until::Inputs(3_000)) {
            let Outcome { inputs, values, .. } = outcome;
            assert!(values > inputs / 100 && values < inputs, "{outcome:?}");
        }
    }
}
