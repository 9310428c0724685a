//! A run of one test program, ended by the first failure.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::Caught;

/// Tests that no script can fail, but a busy machine can.
const OF_NO_SCRIPT: [&str; 3] = ["connections::", "login::", "tls::"];

/// Many times what a suite takes: one that takes longer hangs.
const RUN_WITHIN: Duration = Duration::from_secs(300);

/// Half of the time that the suites give a case: one that takes longer alone can fail on a machine as
/// busy as this, whatever the script.
const SLOW: Duration = Duration::from_secs(30);

/// The seed of the random sequences: the same mutant is caught, or not, in each run.
const SEED: &str = "1";

/// Held while a program is written, and while one is started: what starts has for a moment all files
/// that are open, and a program that is open to be written does not start.
static ONE_PROGRAM: Mutex<()> = Mutex::new(());

pub(super) fn one_program() -> MutexGuard<'static, ()> {
    ONE_PROGRAM.lock().expect("nobody panics while it is held")
}

/// Runs tests until one fails that alone fails again, and passes soon in the program without the
/// mutant: a test that a busy machine fails now and then catches nothing, and hides no other.
pub(super) fn run_thrice(copy: &Path, without: Option<&Path>, tests: &[String]) -> Caught {
    let mut passed: Vec<_> = OF_NO_SCRIPT.map(str::to_owned).into();
    let passes = |program, test: &String| run(program, ["--exact", test]) == Caught::Survived;
    let catches = |test: &String| {
        let passes_without = |without| {
            let start = Instant::now();
            passes(without, test) && start.elapsed() < SLOW
        };
        !passes(copy, test) && without.is_none_or(passes_without)
    };
    loop {
        let skipped = passed.iter().flat_map(|test| ["--skip", test]);
        match run(copy, skipped.chain(tests.iter().map(String::as_str))) {
            Caught::By(test) => {
                if catches(&test) {
                    return Caught::By(test);
                }
                passed.push(test);
            }
            caught => return caught,
        }
    }
}

/// Runs tests until one fails. The servers that they started end with them.
fn run<'a>(copy: &Path, tests: impl IntoIterator<Item = &'a str>) -> Caught {
    let starting = one_program();
    let mut child = Command::new(copy)
        .args(["--test-threads", "8"])
        .args(tests)
        .env("PROPTEST_RNG_SEED", SEED)
        // That it fails is enough; the shortest sequence would take many times as long.
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("the copy can be run");
    drop(starting);
    let output = child.stdout.take().expect("it is piped");
    let caught = first_failure(output);
    end_group(child.id());
    // An error means that it has ended already.
    let _ = child.kill();
    let status = child.wait().expect("it is our child");
    caught.unwrap_or_else(|| Caught::Oddly(format!("ended with {status}")))
}

/// Ends a server too that had just been started, which nothing else would: what ends servers with
/// their test lets no such signal end itself.
fn end_group(id: u32) {
    let group = format!("-{id}");
    let mut kill = Command::new("kill");
    kill.args(["-TERM", "--", &group]).stderr(Stdio::null());
    let _starting = one_program();
    // An error means that all of them have ended already.
    let _ = kill.status();
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
}
