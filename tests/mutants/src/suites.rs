//! The test programs: built once, copied, and run with a mutant in the place of its script.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::script::{Script, fitted};

mod build;
mod process;

use build::executables;
use process::{one_program, run_thrice};

/// Suites whose cases of Redis run scripts.
const SUITES: [&str; 3] = ["conformance", "redis_broker", "properties"];

/// What of them runs scripts, the cheapest first.
const ALL: [(&str, &str); 3] = [
    ("conformance", "redis::"),
    ("redis_broker", ""),
    ("properties", "redis"),
];

/// Tests by suite, by script.
type Known = BTreeMap<String, BTreeMap<&'static str, Vec<String>>>;

/// What ended a run over the suites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caught {
    /// This test failed.
    By(String),
    /// All passed.
    Survived,
    /// A suite ended without the name of a test that failed.
    Oddly(String),
}

/// The test programs, and a folder for copies of them.
#[derive(Debug)]
pub struct Suites {
    folder: PathBuf,
    programs: Vec<Program>,
    /// Tests that failed for a mutant, by script: first to be tried on the next.
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Program {
    suite: &'static str,
    built: PathBuf,
    bytes: Vec<u8>,
    /// Where it holds what may be a script.
    starts: Vec<usize>,
}

/// What stands in the place of a script.
#[derive(Debug, Clone, Copy)]
struct Planted<'a> {
    script: &'a Script,
    text: &'a str,
}

impl Suites {
    /// Builds the suites.
    ///
    /// # Panics
    ///
    /// When they cannot be built.
    #[must_use]
    pub fn build() -> Self {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        let folder = target.join(format!("mutants-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("there is room below target");
        let programs = executables().into_iter().map(|(suite, executable)| {
            // Of its own: the next build may replace what cargo has built.
            let built = folder.join(suite);
            fs::copy(executable, &built).expect("there is room below target");
            let bytes = fs::read(&built).expect("the copy can be read");
            let starts = places(&bytes, b"#!lua");
            Program {
                suite,
                built,
                bytes,
                starts,
            }
        });
        let programs = programs.collect();
        let known = Mutex::default();
        Self {
            folder,
            programs,
            known,
        }
    }

    /// Runs all suites as they were built: what fails then says nothing of mutants.
    ///
    /// # Errors
    ///
    /// When a test fails.
    pub fn pass(&self) -> Result<Duration, String> {
        let start = Instant::now();
        match self.run(None) {
            Caught::Survived => Ok(start.elapsed()),
            failed => Err(format!("without any mutant: {failed:?}")),
        }
    }

    /// Runs the suites with a text in the place of a script, until a test fails.
    ///
    /// # Panics
    ///
    /// When a program does not hold the script exactly once, or the text has no room in its place.
    #[must_use]
    pub fn run_with(&self, script: &Script, text: &str) -> Caught {
        let text = fitted(text, script.source.len()).expect("comments leave room for a mutant");
        let text = &text;
        self.run(Some(Planted { script, text }))
    }

    /// The cases of the script's own step first, and the tests that caught others of it: they are
    /// few, and most likely to fail.
    fn run(&self, planted: Option<Planted<'_>>) -> Caught {
        let mut rounds = Vec::new();
        if let Some(Planted { script, .. }) = planted {
            let mut known = self.known().get(&script.name).cloned().unwrap_or_default();
            let own = format!("redis::{}::", script.name);
            known.entry("conformance").or_default().push(own);
            rounds.extend(known);
        }
        rounds.extend(ALL.map(|(suite, filter)| (suite, vec![filter.to_owned()])));
        for (suite, tests) in rounds {
            match self.run_suite(suite, &tests, planted) {
                Caught::Survived => {}
                Caught::By(test) => {
                    let name = format!("{suite}: {test}");
                    self.note(planted, suite, test);
                    return Caught::By(name);
                }
                Caught::Oddly(what) => return Caught::Oddly(format!("{suite}: {what}")),
            }
        }
        Caught::Survived
    }

    fn run_suite(&self, suite: &str, tests: &[String], planted: Option<Planted<'_>>) -> Caught {
        let program = self.programs.iter().find(|program| program.suite == suite);
        let program = program.expect("each is built");
        let copy = program.copied(&self.folder, planted);
        let caught = run_thrice(&copy, planted.map(|_| &*program.built), tests);
        // It may be in use for a moment still; what is left goes with the folder.
        let _ = fs::remove_file(&copy);
        caught
    }

    fn note(&self, planted: Option<Planted<'_>>, suite: &'static str, test: String) {
        // The sequences are dear, and what they catch is no less often caught by a case.
        let Some(Planted { script, .. }) = planted.filter(|_| suite != "properties") else {
            return;
        };
        let mut known = self.known();
        let of_script = known.entry(script.name.clone()).or_default();
        let tests = of_script.entry(suite).or_default();
        if !tests.contains(&test) {
            tests.push(test);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nobody panics while it is held")
    }
}

impl Drop for Suites {
    fn drop(&mut self) {
        // What is left lies below `target`.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Program {
    /// A copy in which the text stands in the place of the script. Never the same file: one that
    /// has run cannot be written while a process of it ends.
    fn copied(&self, folder: &Path, planted: Option<Planted<'_>>) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let copy = folder.join(format!("{}-{number}", self.suite));
        let _writing = one_program();
        fs::copy(&self.built, &copy).expect("there is room below target");
        let Some(Planted { script, text }) = planted else {
            return copy;
        };
        let place = self.place(script);
        let file = File::options().write(true).open(&copy);
        let mut file = file.expect("the copy is new");
        file.seek(SeekFrom::Start(place as u64))
            .and_then(|_| file.write_all(text.as_bytes()))
            .expect("the copy can be written");
        copy
    }

    fn place(&self, script: &Script) -> usize {
        let source = script.source.as_bytes();
        let holds = |start: &&usize| self.bytes[**start..].starts_with(source);
        let places: Vec<_> = self.starts.iter().filter(holds).collect();
        let (suite, name, times) = (self.suite, &script.name, places.len());
        assert_eq!(times, 1, "how often {suite} holds {name}.lua");
        *places[0]
    }
}

/// Where the needle stands in the hay.
fn places(hay: &[u8], needle: &[u8]) -> Vec<usize> {
    let found = hay.windows(needle.len()).enumerate();
    found
        .filter(|(_, window)| *window == needle)
        .map(|(place, _)| place)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_script_is_found() {
        assert_eq!(places(b"xabcabx", b"ab"), [1, 4]);
        assert!(places(b"xabcabx", b"xx").is_empty());
    }
}
