//! Random sequences of steps, driven at once through the rules of `jobq_model`, the in-process
//! broker and Redis: every answer and the whole state after each step must be equal. Among the steps
//! are ones sent again, at any later time, and ones whose answer the worker never sees.

mod calendar;
mod model;
mod request;
mod run;
mod state;
mod step;
mod subject;

use std::ops::Range;

use proptest::collection::vec;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tokio::runtime::{Builder, Runtime};

use self::run::Run;
use self::step::Step;
use self::subject::Subject;

/// Which sequences: so many, of this seed.
#[derive(Debug, Clone, Copy)]
pub struct Sequences {
    /// How many.
    pub count: u32,
    /// What they are drawn from.
    pub seed: u64,
}

impl Sequences {
    /// Of up to 120 steps, put to the rules and the in-process broker.
    ///
    /// # Panics
    ///
    /// When they differ, with the shortest sequence that shows it.
    pub fn on_memory(self) {
        let runtime = runtime(true);
        self.check(1..120, |steps| {
            let subjects = vec![Subject::memory()];
            runtime.block_on(Run::new(subjects).all(steps))
        });
    }

    /// Of up to 60 steps, put to the rules, the in-process broker and Redis.
    ///
    /// # Panics
    ///
    /// When they differ, with the shortest sequence that shows it.
    pub fn on_memory_and_redis(self) {
        let runtime = runtime(false);
        let redis = runtime.block_on(subject::Redis::connect());
        self.check(1..60, |steps| {
            let subjects = vec![Subject::memory(), redis.new_queue()];
            runtime.block_on(Run::new(subjects).all(steps))
        });
    }

    /// Runs sequences until one fails, and shows the shortest that does.
    fn check(self, length: Range<usize>, sequence: impl Fn(&[Step]) -> Result<(), String>) {
        let mut runner = TestRunner::new(Config {
            cases: self.count,
            rng_seed: RngSeed::Fixed(self.seed),
            // The seed replays a failure; a step may mean another one after a change of the code.
            failure_persistence: None,
            ..Config::default()
        });
        let outcome = runner.run(&vec(step::any(), length), |steps| {
            sequence(&steps).map_err(TestCaseError::fail)
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(why, steps)) => {
                panic!(
                    "{why}\nof {steps:#?}\nreplay with PROPTEST_RNG_SEED={}",
                    self.seed
                )
            }
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
    }
}

fn runtime(virtual_time: bool) -> Runtime {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(virtual_time).build();
    runtime.expect("a runtime can be built")
}
