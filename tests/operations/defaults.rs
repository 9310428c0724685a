//! The defaults of the worker that pages tell.

use crate::default;

/// Pages whose tables have a column of defaults behind a cell that names the variable.
const PAGES: [&str; 2] = [
    include_str!("../../docs/guide/leases-and-timeouts.md"),
    include_str!("../../docs/guide/workers-queues-weights.md"),
];

/// The name of the variable in a cell.
fn variable(cell: &str) -> Option<&str> {
    let start = cell.find("JOBQ_")?;
    cell[start..].split('`').next()
}

#[test]
fn the_pages_tell_the_defaults_that_help_tells() {
    let mut compared = 0;
    for row in PAGES.iter().flat_map(|page| page.lines()) {
        let cells: Vec<_> = row.split(" | ").collect();
        let named = cells.iter().position(|cell| variable(cell).is_some());
        let Some((variable, told)) =
            named.and_then(|at| Some((variable(cells[at])?, cells.get(at + 1)?)))
        else {
            continue;
        };
        if row.starts_with('|') && told.starts_with(|c: char| c.is_ascii_digit()) {
            assert_eq!(told.replace(' ', ""), default(variable), "{row}");
            compared += 1;
        }
    }
    assert!(compared >= 9, "{compared}");
}
