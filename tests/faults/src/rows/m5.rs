//! M5: valid envelopes, arguments, dead records, URLs and names, broken at random.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::fuzz::{self, Outcome, Until};
use crate::row::{Figures, Plan, Row, Size};

/// The row.
pub const ROW: Row = Row {
    id: "M5",
    fault: "valid envelopes, arguments, dead records, URLs and names, broken at random",
    shows: "crashes 0; hangs over 1 s 0; what is read can be written and read again, and ends where \
            it ends; nothing is made of a mere length; no error shows a password or a control character",
    run: |plan| run(plan).boxed(),
};

/// Inputs for each reader in the short form.
const INPUTS: u64 = 10_000;

/// How long the long form runs unless told.
const MINUTES: u64 = 10;

async fn run(plan: Plan) -> Figures {
    let until = match plan.size {
        Size::Short => Until::Inputs(INPUTS),
        Size::Long => Until::Time(Duration::from_secs(60 * plan.minutes.unwrap_or(MINUTES))),
    };
    let fuzzed = tokio::task::spawn_blocking(move || fuzz::run(plan.seed, until));
    let outcomes = match fuzzed.await {
        Ok(outcomes) => outcomes,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    let slowest = outcomes.iter().map(|outcome| outcome.slowest).max();
    let mut figures = Figures::new();
    for Outcome {
        name,
        inputs,
        values,
        ..
    } in outcomes
    {
        figures = figures.with(name, format!("{inputs} ({values} taken)"));
    }
    figures.with("slowest", format!("{:?}", slowest.unwrap_or_default()))
}
