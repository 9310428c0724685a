//! M4: the guards of the Lua scripts, broken one at a time.

use futures_util::FutureExt as _;
use jobq_mutants::{Candidate, Server, Suites, Totals, candidates, round};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use crate::row::{Figures, Plan, Row, Size};

/// The row.
pub const ROW: Row = Row {
    id: "M4",
    fault: "each guard of each Lua script broken in turn: a condition, a border, a write left out, \
            an early end",
    shows: "a test fails for each; those that do what their script does are listed with the reason",
    run: |plan| run(plan).boxed(),
};

/// How many the short form tries.
const SAMPLE: usize = 6;

async fn run(plan: Plan) -> Figures {
    let tried = tokio::task::spawn_blocking(move || try_all(&chosen(plan), plan.size));
    let totals = match tried.await {
        Ok(totals) => totals,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    Figures::new()
        .with("mutants", totals.mutants)
        .with("caught", totals.caught)
        .with("equivalent", totals.equivalent)
        .with("survived", totals.survived())
}

fn chosen(plan: Plan) -> Vec<Candidate> {
    let mut chosen = candidates();
    if plan.size == Size::Short {
        let (sample, _) = chosen.partial_shuffle(&mut StdRng::seed_from_u64(plan.seed), SAMPLE);
        return sample.to_vec();
    }
    chosen
}

fn try_all(chosen: &[Candidate], size: Size) -> Totals {
    let (server, suites) = (Server::start(), Suites::build());
    // In the short form they are among the tests that run anyway.
    if size == Size::Long {
        suites.pass().unwrap_or_else(|failed| panic!("{failed}"));
    }
    let mut survivors = Vec::new();
    let totals = round(chosen, &server, &suites, |candidate, verdict| {
        eprintln!("{candidate}: {verdict}");
        if !verdict.is_shown() {
            survivors.push(format!("{candidate}: {verdict}"));
        }
    });
    assert!(
        survivors.is_empty(),
        "no test failed for\n{}",
        survivors.join("\n")
    );
    totals
}
