//! M1: every order of the steps, searched breadth first.

use futures_util::FutureExt as _;
use jobq_model::suite;
use jobq_model::system::RULES;

use crate::row::{Figures, Plan, Row};

/// The row.
pub const ROW: Row = Row {
    id: "M1",
    fault: "the rules of all steps as a pure model, searched breadth first: processes that die, \
            answers that are lost, requests that run late, at any moment",
    shows: "the invariants in every state; each rule that is left out is missed",
    run: |plan| run(plan).boxed(),
};

async fn run(plan: Plan) -> Figures {
    let search = tokio::task::spawn_blocking(move || search(plan));
    search.await.expect("the searches end")
}

fn search(plan: Plan) -> Figures {
    // The tests of the model itself go further than the short form.
    let (most, heal_each) = plan.of((15_000, 20), (1_000_000, 200));
    let kept = suite::keep(most, heal_each, |theme, report| {
        println!("{theme}: {report}");
    });
    let reports = kept.unwrap_or_else(|violation| panic!("{violation}"));
    let missed = suite::miss(|mutant, report| {
        println!("{mutant:?}: missed after {report}");
    });
    let missed = missed.unwrap_or_else(|unnoticed| panic!("{unnoticed}"));
    let states: usize = reports.iter().map(|report| report.states).sum();
    let whole = reports.iter().filter(|report| report.whole).count();
    let deepest = reports.iter().map(|report| report.depth).max();
    Figures::new()
        .with("states", states)
        .with("searches", reports.len())
        .with("of them whole", whole)
        .with("deepest, in steps", deepest.unwrap_or_default())
        .with("rules fired", RULES.len())
        .with("rules left out and missed", missed)
}
