//! All searches, in a size.

use crate::search::{Report, Search};
use crate::system::{Marks, Mutant};
use crate::themes;

/// From every theme, up to `most` states each. Each report is shown as it comes.
///
/// # Errors
///
/// The first broken promise, with the steps that lead there; or the rules that never fired.
pub fn keep(
    most: usize,
    heal_each: usize,
    mut show: impl FnMut(&str, &Report),
) -> Result<Vec<Report>, String> {
    let mut fired = Marks::default();
    let mut reports = Vec::new();
    for theme in themes::all() {
        let search = Search {
            start: theme.start,
            mutant: None,
            most,
            heal_each,
        };
        let report = search.run();
        show(theme.name, &report);
        if let Some(violation) = report.violation {
            return Err(format!("{}: {violation}", theme.name));
        }
        fired.add(report.fired);
        reports.push(report);
    }
    let missing: Vec<_> = fired.missing().collect();
    match missing.is_empty() {
        true => Ok(reports),
        false => Err(format!("never happened: {missing:?}")),
    }
}

/// With one rule left out at a time: how many there are.
///
/// # Errors
///
/// The first rule of which nobody would notice that it is missing.
pub fn miss(mut show: impl FnMut(Mutant, &Report)) -> Result<usize, String> {
    let mutants = themes::mutants();
    let count = mutants.len();
    for (mutant, start) in mutants {
        // Most break a promise at once; the others leave something undone for ever.
        let search = |heal_each| Search {
            start: start.clone(),
            mutant: Some(mutant),
            most: 100_000,
            heal_each,
        };
        let mut report = search(0).run();
        if report.violation.is_none() {
            report = search(1).run();
        }
        show(mutant, &report);
        if report.violation.is_none() {
            return Err(format!("nobody misses {mutant:?} in {report}"));
        }
    }
    Ok(count)
}
