//! M3: seeded simulations of whole workers in paused time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futures_util::FutureExt as _;

use crate::row::{Figures, Plan, Row};
use crate::simulation::{self, simulate};

/// The row.
pub const ROW: Row = Row {
    id: "M3",
    fault: "seeded simulations in paused time: processes killed, stopped and frozen, requests and \
            answers lost, slow, late or sent twice, the broker away",
    shows: "lost 0; accepted outcomes per claim at most 1; nothing early; no false adoption; the \
            same seed, the same trace",
    run: |plan| run(plan).boxed(),
};

/// Every so many seeds one is run twice, and the traces are compared.
const TWICE_EVERY: u64 = 20;

async fn run(plan: Plan) -> Figures {
    let seeds = plan.seed..plan.seed + plan.of(1_000, 100_000);
    let count = seeds.end - seeds.start;
    let all = tokio::task::spawn_blocking(move || run_all(&AtomicU64::new(seeds.start), seeds.end));
    let figures = match all.await {
        Ok(figures) => figures,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    Figures::new()
        .with("seeds", count)
        .with("run twice", count.div_ceil(TWICE_EVERY))
        .with("steps", figures.steps)
        .with("enqueued", figures.enqueued)
        .with("kills", figures.kills)
        .with("adopted", figures.adoptions)
        .with("starts", figures.starts)
        .with("accepted outcomes", figures.outcomes)
        .with("stale", figures.stale)
        .with("lost", figures.lost)
}

/// On as many threads as there are cores.
fn run_all(next: &AtomicU64, end: u64) -> simulation::Figures {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| run_some(next, end)))
            .collect();
        let sums = runs.into_iter().map(|run| match run.join() {
            Ok(sum) => sum,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        sums.fold(simulation::Figures::default(), simulation::Figures::and)
    })
}

fn run_some(next: &AtomicU64, end: u64) -> simulation::Figures {
    let mut sum = simulation::Figures::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return sum;
        }
        let outcome = simulate(seed);
        if !outcome.wrongs.is_empty() {
            next.store(end, Ordering::Relaxed);
            eprintln!("{}", outcome.report());
            panic!("simulation {seed} failed: ./scripts/faults M3 --seed {seed}");
        }
        if seed.is_multiple_of(TWICE_EVERY) {
            assert_same(seed, &outcome.trace, &simulate(seed).trace);
        }
        sum = sum.and(outcome.figures);
    }
}

fn assert_same(seed: u64, one: &[String], other: &[String]) {
    let differs = one.iter().zip(other).position(|(one, other)| one != other);
    let differs = differs.or((one.len() != other.len()).then_some(one.len().min(other.len())));
    if let Some(at) = differs {
        let (one, other) = (one.get(at), other.get(at));
        panic!("seed {seed}: run twice, line {at} is {one:?} and {other:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker that has a new id, sends the claim that lets it in, and is answered an adoption first.
    #[test]
    fn a_declined_adoption_gives_no_lease_to_one_who_joins() {
        let outcome = simulate(119_521);
        assert!(outcome.wrongs.is_empty(), "{}", outcome.report());
    }
}
