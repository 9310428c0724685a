//! One round over mutants.

use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::equivalent;
use crate::mutate::{Mutant, mutants};
use crate::script::{Script, scripts};
use crate::server::Server;
use crate::suites::{Caught, Suites};

/// A mutant, and what it is one of.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What it takes the place of.
    pub script: Script,
    /// The mutant.
    pub mutant: Mutant,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, Mutant { line, change, .. }) = (&self.script.name, &self.mutant);
        write!(f, "{name}.lua:{line}: {change}")
    }
}

/// All mutants of all scripts, in the order of their files and lines.
#[must_use]
pub fn candidates() -> Vec<Candidate> {
    let of = |script: Script| {
        let mutants = mutants(&script.source).into_iter();
        mutants.map(move |mutant| Candidate {
            script: script.clone(),
            mutant,
        })
    };
    scripts().into_iter().flat_map(of).collect()
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A test failed.
    Caught(String),
    /// No test failed.
    Survived,
    /// A suite ended without the name of a test that failed: it shows nothing.
    Odd(String),
    /// No script: it shows nothing.
    Invalid(String),
    /// It does what the script does, for this reason.
    Equivalent(&'static str),
}

impl Verdict {
    /// Whether it is settled that the tests miss nothing: a test failed, or none can.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        matches!(self, Self::Caught(_) | Self::Equivalent(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught(test) => write!(f, "caught by {test}"),
            Self::Survived => write!(f, "SURVIVED"),
            Self::Odd(what) => write!(f, "NOT SHOWN: {what}"),
            Self::Invalid(error) => write!(f, "INVALID: {error}"),
            Self::Equivalent(reason) => write!(f, "equivalent: {reason}"),
        }
    }
}

/// How many of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// All of them.
    pub mutants: u32,
    /// A test failed.
    pub caught: u32,
    /// No test can fail.
    pub equivalent: u32,
}

impl Totals {
    /// Those that a test should have caught.
    #[must_use]
    pub fn survived(&self) -> u32 {
        self.mutants - self.caught - self.equivalent
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.mutants += other.mutants;
        self.caught += other.caught;
        self.equivalent += other.equivalent;
    }
}

impl AddAssign<&Verdict> for Totals {
    fn add_assign(&mut self, verdict: &Verdict) {
        self.mutants += 1;
        match verdict {
            Verdict::Caught(_) => self.caught += 1,
            Verdict::Equivalent(_) => self.equivalent += 1,
            Verdict::Survived | Verdict::Odd(_) | Verdict::Invalid(_) => {}
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mutants, caught, equivalent) = (self.mutants, self.caught, self.equivalent);
        let survived = self.survived();
        write!(
            f,
            "{mutants} mutants: {caught} caught, {equivalent} equivalent, {survived} survived"
        )
    }
}

/// How many are tried at once: tests wait more than they compute.
const AT_ONCE: usize = 2;

/// Tries them all, and shows each as soon as it is known.
///
/// # Panics
///
/// As [`Suites::run_with`].
pub fn round(
    candidates: &[Candidate],
    server: &Server,
    suites: &Suites,
    mut show: impl FnMut(&Candidate, &Verdict),
) -> Totals {
    let next = AtomicUsize::new(0);
    let (send, verdicts) = channel();
    let try_all = |send: Sender<_>| {
        while let Some(candidate) = candidates.get(next.fetch_add(1, Ordering::Relaxed)) {
            let verdict = judge(candidate, server, suites);
            send.send((candidate, verdict)).expect("all are received");
        }
    };
    let mut totals = Totals::default();
    thread::scope(|scope| {
        for send in std::iter::repeat_n(send, AT_ONCE) {
            scope.spawn(|| try_all(send));
        }
        for (candidate, verdict) in verdicts {
            totals += &verdict;
            show(candidate, &verdict);
        }
    });
    totals
}

fn judge(Candidate { script, mutant }: &Candidate, server: &Server, suites: &Suites) -> Verdict {
    if let Err(error) = server.load(&mutant.text) {
        return Verdict::Invalid(error);
    }
    if let Some(reason) = equivalent::reason(&script.name, &mutant.was, &mutant.change) {
        return Verdict::Equivalent(reason);
    }
    match suites.run_with(script, &mutant.text) {
        Caught::By(test) => Verdict::Caught(test),
        Caught::Survived => Verdict::Survived,
        Caught::Oddly(what) => Verdict::Odd(what),
    }
}
