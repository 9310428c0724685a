//! The test programs: built once, copied, and run with a mutant in the place of its script.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::script::{Script, fitted};

/// Suites whose cases of Redis run scripts.
const SUITES: [&str; 3] = ["conformance", "redis_broker", "properties"];

/// Tests that no script can fail.
const OF_NO_SCRIPT: &str = "tls::";

/// Many times what a suite takes: one that takes longer hangs.
const RUN_WITHIN: Duration = Duration::from_secs(300);

/// The seed of the random sequences: the same mutant is caught, or not, in each run.
const SEED: &str = "1";

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
        Self { folder, programs }
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

    /// The cases of the script's own step first: they are few, and most likely to fail.
    fn run(&self, planted: Option<Planted<'_>>) -> Caught {
        let own = planted.map_or("redis::", |planted| &planted.script.name);
        let rounds = [
            ("conformance", format!("redis::{own}::")),
            ("conformance", "redis::".to_owned()),
            ("redis_broker", String::new()),
            ("properties", "redis".to_owned()),
        ];
        for (suite, filter) in rounds {
            let program = self.programs.iter().find(|program| program.suite == suite);
            let program = program.expect("each is built");
            let copy = program.copied(&self.folder, planted);
            let caught = run_twice(&copy, &filter);
            // It may be in use for a moment still; what is left goes with the folder.
            let _ = fs::remove_file(&copy);
            match caught {
                Caught::Survived => {}
                Caught::By(test) => return Caught::By(format!("{suite}: {test}")),
                Caught::Oddly(what) => return Caught::Oddly(format!("{suite}: {what}")),
            }
        }
        Caught::Survived
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

/// Runs the tests whose names hold the filter until one fails, and fails again alone: a test that a
/// busy machine fails now and then catches nothing, and hides no other.
fn run_twice(copy: &Path, filter: &str) -> Caught {
    let mut passed = vec![OF_NO_SCRIPT.to_owned()];
    loop {
        let skipped = passed.iter().flat_map(|test| ["--skip", test]);
        match run(copy, skipped.chain([filter])) {
            Caught::By(test) if run(copy, ["--exact", &test]) == Caught::Survived => {
                passed.push(test);
            }
            caught => return caught,
        }
    }
}

/// Runs tests until one fails. The servers that they started end with them.
fn run<'a>(copy: &Path, tests: impl IntoIterator<Item = &'a str>) -> Caught {
    let mut child = Command::new(copy)
        .args(["--test-threads", "8"])
        .args(tests)
        .env("PROPTEST_RNG_SEED", SEED)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the copy can be run");
    let output = child.stdout.take().expect("it is piped");
    let caught = first_failure(output);
    // An error means that it has ended already.
    let _ = child.kill();
    let status = child.wait().expect("it is our child");
    caught.unwrap_or_else(|| Caught::Oddly(format!("ended with {status}")))
}

/// What the tests' output says, as soon as it does; none if it ends without a result.
fn first_failure(output: impl std::io::Read + Send + 'static) -> Option<Caught> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        // An error means that nobody wants to know any more.
        let _ = lines.map(|line| send.send(line)).find(Result::is_err);
    });
    let deadline = Instant::now() + RUN_WITHIN;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line.starts_with("test result: ok.") => return Some(Caught::Survived),
            Ok(line) => {
                if let Some(failed) = failed_test(&line) {
                    return Some(Caught::By(failed.to_owned()));
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                return Some(Caught::Oddly(format!("no result within {RUN_WITHIN:?}")));
            }
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// The programs of the suites, by name.
fn executables() -> Vec<(&'static str, PathBuf)> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--no-run", "--package", "jobq-tests"]);
    cargo.args(SUITES.iter().flat_map(|suite| ["--test", suite]));
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let built = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be run");
    assert!(built.status.success(), "the suites cannot be built");
    let messages: Vec<Value> = String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let of = |suite: &'static str| {
        let message = messages.iter().find(|message| {
            message["target"]["name"] == suite && message["executable"].is_string()
        });
        let path = message.and_then(|message| message["executable"].as_str());
        let path = path.unwrap_or_else(|| panic!("cargo built no {suite}"));
        (suite, PathBuf::from(path))
    };
    SUITES.into_iter().map(of).collect()
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
    fn the_first_failure_is_named() {
        let output: &[u8] =
            b"running 2 tests\ntest a::b ... ok\ntest a::c ... FAILED\ntest a::d ... ok\n";
        assert_eq!(first_failure(output), Some(Caught::By("a::c".to_owned())));
    }

    #[test]
    fn a_suite_survives_by_its_result_alone() {
        let passed: &[u8] = b"test a ... ok\n\ntest result: ok. 1 passed; 0 failed\n";
        assert_eq!(first_failure(passed), Some(Caught::Survived));
        let aborted: &[u8] = b"test a ... ok\n";
        assert_eq!(first_failure(aborted), None);
    }

    #[test]
    fn every_place_of_a_script_is_found() {
        assert_eq!(places(b"xabcabx", b"ab"), [1, 4]);
        assert!(places(b"xabcabx", b"xx").is_empty());
    }
}
