//! Random sequences of steps, driven at once through a pure model, the in-process broker and
//! Redis: every answer and the whole state after each step must be equal. Among the steps are ones
//! sent again, at any later time, and ones whose answer the worker never sees.
//!
//! A failure prints the seed; `PROPTEST_RNG_SEED=… cargo test -p jobq-tests --test properties`
//! replays it, and `PROPTEST_CASES=10000` looks further.

mod calendar;
mod model;
mod request;
mod run;
mod state;
mod step;
mod subject;

use std::env::var;
use std::ops::Range;

use proptest::collection::vec;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use tokio::runtime::{Builder, Runtime};

use run::Run;
use step::Step;
use subject::Subject;

#[test]
fn the_model_has_the_brokers_bounds() {
    use jobq::broker::{CANCELLED_FOR, MAX_PROMOTE};
    use jobq_model::store;
    assert_eq!(store::MAX_PROMOTE, MAX_PROMOTE as usize);
    assert_eq!(store::CANCELLED_FOR * 3600, CANCELLED_FOR.as_secs());
}

#[test]
fn memory_follows_the_model() {
    let runtime = runtime(true);
    check(256, 1..120, |steps| {
        let subjects = vec![Subject::memory()];
        runtime.block_on(Run::new(subjects).all(steps))
    });
}

#[test]
fn memory_and_redis_follow_the_model() {
    let runtime = runtime(false);
    let redis = runtime.block_on(subject::Redis::connect());
    check(64, 1..60, |steps| {
        let subjects = vec![Subject::memory(), redis.new_queue()];
        runtime.block_on(Run::new(subjects).all(steps))
    });
}

fn runtime(virtual_time: bool) -> Runtime {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(virtual_time).build();
    runtime.expect("a runtime can be built")
}

/// Runs sequences until one fails, and shows the shortest that does.
fn check(cases: u32, length: Range<usize>, sequence: impl Fn(&[Step]) -> Result<(), String>) {
    let seed = number("PROPTEST_RNG_SEED").unwrap_or_else(random);
    let mut runner = TestRunner::new(Config {
        cases: number("PROPTEST_CASES").map_or(cases, |cases| cases as u32),
        rng_seed: RngSeed::Fixed(seed),
        // The seed replays a failure; a step may mean another one after a change of the code.
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&vec(step::any(), length), |steps| {
        sequence(&steps).map_err(proptest::test_runner::TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => {
            panic!("{why}\nof {steps:#?}\nreplay with PROPTEST_RNG_SEED={seed}")
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = var(variable).ok()?;
    Some(value.parse().expect("the variable is a number"))
}

fn random() -> u64 {
    let id = *jobq::JobId::new().as_bytes();
    let (_, random) = id.split_at(8);
    u64::from_be_bytes(random.try_into().expect("an id has 16 bytes"))
}
