//! Seeded simulations: real workers over the broker in this process, in paused time, with faults
//! drawn from a seed. Each step of each worker goes over a link that may lose it, its answer, or its
//! sender; workers are killed, stand still and come back, stop and are started again. Then all
//! heals, everything is worked off, and the ledger says what went wrong on the way.
//!
//! All chance comes from the seed and all time is tokio's: the same seed gives the same trace. What
//! draws lots by itself has no place here: jobs on blocking threads, `select!` without an order.
//!
//! | file | knows |
//! | --- | --- |
//! | `plan.rs` | what happens, drawn from the seed |
//! | `world.rs` | workers, started and stopped by that plan, and the end |
//! | `process.rs`, `link.rs` | one worker's process, and its way to the broker |
//! | `work.rs` | the job |
//! | `sim.rs` | what all share |
//! | `ledger.rs`, `ledger/` | what was carried out, and whether that was right |
//! | `trace.rs` | the same in words |

mod ledger;
mod link;
mod plan;
mod process;
mod sim;
mod trace;
mod work;
mod world;

use std::cell::RefCell;
use std::sync::Once;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub(crate) use self::ledger::Figures;
use self::plan::Plan;
use self::world::World;

/// So many lines of a trace are printed.
const TAIL: usize = 120;

/// What one simulation came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    plan: Plan,
    pub(crate) trace: Vec<String>,
    pub(crate) wrongs: Vec<String>,
    pub(crate) figures: Figures,
}

thread_local! {
    /// Panics that nobody meant, on a thread that simulates.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs the simulation of a seed on this thread.
pub(crate) fn simulate(seed: u64) -> Outcome {
    keep_panics();
    PANICS.set(Some(Vec::new()));
    let plan = Plan::new(seed);
    let mut chance = StdRng::seed_from_u64(seed.rotate_left(32));
    jobq_worker::chance::replace(Some(Box::new(move || chance.random())));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
    let sim = runtime.block_on(async { World::new(plan.clone()).run().await });
    drop(runtime);
    jobq_worker::chance::replace(None);
    let (mut wrongs, figures) =
        sim.with_ledger(|ledger| (std::mem::take(&mut ledger.wrongs), ledger.figures));
    wrongs.extend(PANICS.take().unwrap_or_default());
    Outcome {
        plan,
        trace: sim.take_trace(),
        wrongs,
        figures,
    }
}

/// Panics of simulated jobs are not told; others are faults.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let simulates = PANICS.with_borrow_mut(|panics| {
                let text = info.to_string();
                let meant = text.contains(work::MEANT);
                panics
                    .as_mut()
                    .map(|panics| panics.extend((!meant).then_some(text)))
            });
            if simulates.is_none() {
                before(info);
            }
        }));
    });
}

impl Outcome {
    /// What a person needs who looks for the fault.
    pub(crate) fn report(&self) -> String {
        let Self {
            plan,
            trace,
            wrongs,
            ..
        } = self;
        let first_wrong = trace.iter().position(|line| line.contains("WRONG"));
        let end = first_wrong.map_or(trace.len(), |at| at + 1);
        let before = &trace[end.saturating_sub(TAIL)..end];
        format!(
            "{plan}of {} lines those that end with the first wrong, number {end}:\n{}\n\n{}\n",
            trace.len(),
            before.join("\n"),
            wrongs.join("\n"),
        )
    }
}
