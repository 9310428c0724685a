//! What docs/reliability.md says is run is run, and what is run stands there.

use std::collections::BTreeSet;

use faults::rows::ROWS;

const PAGE: &str = include_str!("../../../docs/reliability.md");

/// The first cells of the rows of the matrix, such as `P1`.
fn published() -> impl Iterator<Item = &'static str> {
    let cells = PAGE.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = cells.filter_map(|line| line.split(" | ").next());
    cells.filter(|cell| {
        let (kind, number) = cell.split_at(cell.len().min(1));
        matches!(kind, "P" | "R" | "N" | "M") && number.parse::<u8>().is_ok()
    })
}

#[test]
fn the_published_rows_are_those_that_are_run() {
    let run: BTreeSet<_> = ROWS.iter().map(|row| row.id).collect();
    let published: BTreeSet<_> = published().collect();
    assert_eq!(
        published, run,
        "docs/reliability.md (left) and tests/faults/src/rows.rs (right)"
    );
}
