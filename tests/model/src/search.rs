//! Every state that any order of steps leads to, breadth first: the first that breaks a promise is
//! one of the shortest ways there.

use std::collections::HashSet;
use std::fmt::{self, Write};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use crate::system::{Marks, Mutant, System};

/// How a search went.
#[derive(Debug)]
pub struct Report {
    /// Different states that were seen.
    pub states: usize,
    /// Steps from the start to the last of them.
    pub depth: usize,
    /// Whether there were no more.
    pub whole: bool,
    /// What happened at least once.
    pub fired: Marks,
    /// The first broken promise, and the way there.
    pub violation: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, depth, .. } = self;
        let all = if self.whole { " (all there are)" } else { "" };
        write!(f, "{states} states{all}, {depth} steps deep")
    }
}

/// A search to be made.
#[derive(Debug, Clone)]
pub struct Search {
    /// Where it begins.
    pub start: System,
    /// A rule to be left out.
    pub mutant: Option<Mutant>,
    /// It ends with so many states.
    pub most: usize,
    /// Every so many states, one is healed and must come to its end; 0 is none.
    pub heal_each: usize,
}

/// How a state was reached: from which, by which of its steps.
#[derive(Debug, Clone, Copy)]
struct Origin {
    parent: u32,
    step: u32,
}

/// Hashes are well mixed already.
#[derive(Debug, Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes are hashed");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Debug, Default)]
struct Seen {
    hashes: HashSet<u64, BuildHasherDefault<Mixed>>,
    origins: Vec<Origin>,
}

impl Seen {
    /// Of two states with one hash the second is not looked at: among ten million, one in
    /// 300,000 searches has such a pair.
    fn is_new(&mut self, system: &System, origin: Origin) -> bool {
        let mut hasher = DefaultHasher::new();
        system.hash(&mut hasher);
        let new = self.hashes.insert(hasher.finish());
        if new {
            self.origins.push(origin);
        }
        new
    }
}

impl Search {
    /// Searches.
    #[must_use]
    pub fn run(&self) -> Report {
        let mut seen = Seen::default();
        seen.is_new(&self.start, Origin { parent: 0, step: 0 });
        let mut report = Report {
            states: 1,
            depth: 0,
            whole: false,
            fired: Marks::default(),
            violation: None,
        };
        let mut level = vec![(0_u32, self.start.clone())];
        while !level.is_empty() {
            let mut following = Vec::new();
            for (number, system) in level {
                if self.is_enough(&seen) {
                    report.states = seen.origins.len();
                    return report;
                }
                let mut fault = None;
                let mut step_number = 0;
                system.steps(self.mutant, &mut |step, next| {
                    report.fired.add(step.marks);
                    let origin = Origin {
                        parent: number,
                        step: step_number,
                    };
                    step_number += 1;
                    if fault.is_none() && seen.is_new(&next, origin) {
                        let own = seen.origins.len() - 1;
                        fault = self.fault(&next, own).map(|what| (what, own));
                        following.push((own as u32, next));
                    }
                });
                if let Some((what, number)) = fault {
                    report.states = seen.origins.len();
                    report.depth += 1;
                    report.violation = Some(self.trace(&seen, number, &what));
                    return report;
                }
            }
            level = following;
            report.depth += usize::from(!level.is_empty());
        }
        report.states = seen.origins.len();
        report.whole = true;
        report
    }

    fn is_enough(&self, seen: &Seen) -> bool {
        seen.origins.len() >= self.most
    }

    fn fault(&self, system: &System, number: usize) -> Option<String> {
        if let Some(what) = system.fault() {
            return Some(what.to_owned());
        }
        if self.heal_each == 0 || !number.is_multiple_of(self.heal_each) {
            return None;
        }
        let undone = system.left_undone(self.mutant);
        let what = undone.or_else(|| system.withheld(self.mutant))?;
        Some(format!("all faults have ended, and {what}"))
    }

    fn trace(&self, seen: &Seen, number: usize, what: &str) -> String {
        let mut way = Vec::new();
        let mut at = number;
        while at > 0 {
            let origin = seen.origins[at];
            way.push(origin.step);
            at = origin.parent as usize;
        }
        let mut text = format!("{what}, after {} steps:\n", way.len());
        let mut system = self.start.clone();
        for wanted in way.into_iter().rev() {
            let mut number = 0;
            let mut found = None;
            system.steps(self.mutant, &mut |step, next| {
                if number == wanted {
                    found = Some((step, next));
                }
                number += 1;
            });
            let (step, next) = found.expect("steps come in the same order each time");
            let _ = writeln!(text, "  {step}");
            system = next;
        }
        text + &format!("which leads to {system:?}")
    }
}
