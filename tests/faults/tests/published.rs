//! What docs/reliability.md says is run is run, and what is run stands there.

use std::collections::BTreeSet;

use faults::rows::ROWS;

const PAGE: &str = include_str!("../../../docs/reliability.md");

/// Rows that are a suite or a script of their own: `tests/properties`, `scripts/mutants`.
const ELSEWHERE: [&str; 2] = ["M2", "M4"];

/// The first cells of the rows of the matrix: `P1`, or `P2 †` for one that is not run yet.
fn published() -> impl Iterator<Item = &'static str> {
    let cells = PAGE.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = cells.filter_map(|line| line.split(" | ").next());
    cells.filter(|cell| {
        let name = cell.trim_end_matches(" †");
        let (kind, number) = name.split_at(name.len().min(1));
        matches!(kind, "P" | "R" | "N" | "M") && number.parse::<u8>().is_ok()
    })
}

#[test]
fn the_published_rows_are_those_that_are_run() {
    let run: BTreeSet<_> = ROWS.iter().map(|row| row.id).chain(ELSEWHERE).collect();
    let published: BTreeSet<_> = published().filter(|cell| !cell.contains('†')).collect();
    assert_eq!(
        published, run,
        "docs/reliability.md (left) and tests/faults/src/rows.rs (right): take the † of its row away, or add the row"
    );
}
