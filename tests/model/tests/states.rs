//! The searches in their short form.

use jobq_model::suite;

#[test]
fn every_state_keeps_the_promises_and_every_rule_has_fired() {
    let kept = suite::keep(40_000, 20, |theme, report| println!("{theme}: {report}"));
    kept.unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn each_rule_is_missed_when_it_is_left_out() {
    let missed = suite::miss(|mutant, report| {
        let violation = report.violation.as_deref().unwrap_or_default();
        println!("{mutant:?}: {report}: {violation}\n");
    });
    missed.unwrap_or_else(|unnoticed| panic!("{unnoticed}"));
}
