//! The figures that are to be reached, over all rows that were run.

use crate::row::{Figures, Row};

/// One figure.
struct Goal {
    figure: &'static str,
    /// The most that it may be.
    most: Option<f64>,
    target: &'static str,
    /// What it is called in the rows.
    name: &'static str,
    /// Of which rows: `P` is all whose name begins so. Empty is all.
    rows: &'static [&'static str],
    fold: fn(f64, f64) -> f64,
}

const ALL: &[&str] = &[];

/// Where nothing may be lost: faults of processes and of the network, and a Redis that keeps all.
const KEEPS_ALL: &[&str] = &["P", "N", "R1", "R3", "R4", "R5", "R6", "R8", "R9", "M6"];

const GOALS: &[Goal] = &[
    Goal {
        figure: "accepted under faults of processes and of the network, and Redis killed with AOF always",
        most: None,
        target: "at least 500,000 in the long form",
        name: "accepted",
        rows: &["P", "N", "R1", "M6"],
        fold: add,
    },
    Goal {
        figure: "of these lost",
        most: Some(0.0),
        target: "0",
        name: "lost",
        rows: &["P", "N", "R1", "M6"],
        fold: add,
    },
    Goal {
        figure: "accepted in all rows but R2 and R7, which take jobs from Redis",
        most: None,
        target: "",
        name: "accepted",
        rows: KEEPS_ALL,
        fold: add,
    },
    Goal {
        figure: "of these lost",
        most: Some(0.0),
        target: "0",
        name: "lost",
        rows: KEEPS_ALL,
        fold: add,
    },
    Goal {
        figure: "accepted outcomes of a claim, at the most",
        most: Some(1.0),
        target: "1",
        name: "outcomes per claim, max",
        rows: ALL,
        fold: f64::max,
    },
    Goal {
        figure: "extra starts of a kill, at the most, with 16 slots (8 in the short form)",
        most: Some(16.0),
        target: "the concurrency",
        name: "extra starts per kill",
        rows: &["P1"],
        fold: f64::max,
    },
    Goal {
        figure: "a killed worker's jobs ready again, at the latest, s",
        most: Some(10.0),
        target: "10 with the default lease",
        name: "ready again, s",
        rows: &["P1"],
        fold: f64::max,
    },
    Goal {
        figure: "false adoptions",
        most: Some(0.0),
        target: "0",
        name: "false adoptions",
        rows: ALL,
        fold: add,
    },
    Goal {
        figure: "starts of a poison pill",
        most: Some(3.0),
        target: "3",
        name: "starts of each",
        rows: &["P8"],
        fold: f64::max,
    },
    Goal {
        figure: "innocent jobs dead",
        most: Some(0.0),
        target: "0",
        name: "innocent jobs dead",
        rows: &["P8"],
        fold: add,
    },
    Goal {
        figure: "every worker consumes again after Redis answers, at the latest, s",
        most: Some(5.0),
        target: "5",
        name: "consuming again, s",
        rows: ALL,
        fold: f64::max,
    },
    Goal {
        figure: "cut points",
        most: None,
        target: "every byte in the long form",
        name: "cut points",
        rows: ALL,
        fold: add,
    },
    Goal {
        figure: "jobs lost by a cut",
        most: Some(0.0),
        target: "0",
        name: "lost",
        rows: &["N1"],
        fold: add,
    },
    Goal {
        figure: "double effects of a cut, enqueue apart",
        most: Some(0.0),
        target: "0",
        name: "double effects",
        rows: ALL,
        fold: add,
    },
    Goal {
        figure: "hung calls",
        most: Some(0.0),
        target: "0",
        name: "hung calls",
        rows: ALL,
        fold: add,
    },
    Goal {
        figure: "partial enqueues of a full Redis",
        most: Some(0.0),
        target: "0",
        name: "partial enqueues",
        rows: ALL,
        fold: add,
    },
    Goal {
        figure: "of its backlog not worked off while it is full",
        most: Some(0.0),
        target: "0",
        name: "left of it",
        rows: ALL,
        fold: add,
    },
    Goal {
        figure: "guard-line mutants that survive",
        most: Some(0.0),
        target: "0 (100 % caught)",
        name: "survived",
        rows: &["M4"],
        fold: add,
    },
];

fn add(one: f64, other: f64) -> f64 {
    one + other
}

/// A table of them, in markdown; without those that no row measured.
pub(super) fn table(rows: &[(&Row, Option<Figures>)]) -> String {
    let lines = GOALS.iter().filter_map(|goal| goal.line(rows));
    let head =
        "| figure | target | measured | | rows |\n| --- | --- | --- | --- | --- |".to_owned();
    std::iter::once(head)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

impl Goal {
    fn line(&self, rows: &[(&Row, Option<Figures>)]) -> Option<String> {
        let figures = |(row, figures): &'_ (&Row, Option<Figures>)| {
            let value = figures.as_ref()?.get(self.name)?;
            self.is_of(row.id).then(|| (row.id, number(value)))
        };
        let measured: Vec<_> = rows.iter().filter_map(figures).collect();
        let value = measured.iter().map(|(_, value)| *value).reduce(self.fold)?;
        let verdict = match self.most {
            None => "",
            Some(most) if value <= most => "reached",
            Some(_) => "**missed**",
        };
        let of: Vec<_> = measured.iter().map(|(id, _)| *id).collect();
        let Self { figure, target, .. } = self;
        let of = of.join(" ");
        Some(format!(
            "| {figure} | {target} | {value} | {verdict} | {of} |"
        ))
    }

    fn is_of(&self, id: &str) -> bool {
        let kind = id.trim_end_matches(|digit: char| digit.is_ascii_digit());
        self.rows.is_empty() || self.rows.iter().any(|&of| of == id || of == kind)
    }
}

/// The last number of a text, which is the largest: `mean 1.2 max 3.4`.
fn number(text: &str) -> f64 {
    let last = text.rsplit(' ').next().unwrap_or(text);
    last.parse()
        .unwrap_or_else(|_| panic!("{text:?} ends in no number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::ROWS;

    fn table_of(figures: &[(&str, Figures)]) -> String {
        let row = |id: &str| ROWS.iter().find(|row| row.id == id).expect("there is one");
        let rows = figures.iter();
        let rows: Vec<_> = rows
            .map(|(id, figures)| (row(id), Some(figures.clone())))
            .collect();
        table(&rows)
    }

    #[test]
    fn what_rows_measured_is_summed_and_judged() {
        let one = Figures::new().with("accepted", 30).with("lost", 0);
        let other = Figures::new().with("accepted", 12).with("lost", 2);
        let table = table_of(&[("P1", one), ("N2", other)]);
        assert!(table.contains("| 42 |  | P1 N2 |"), "{table}");
        assert!(table.contains("| 2 | **missed** | P1 N2 |"), "{table}");
        assert!(!table.contains("false adoptions"), "{table}");
    }

    #[test]
    fn the_largest_of_times_counts() {
        let times = |max| Figures::new().with("consuming again, s", format!("mean 0.1 max {max}"));
        let table = table_of(&[("R1", times(1.5)), ("N3", times(0.7))]);
        assert!(table.contains("| 1.5 | reached | R1 N3 |"), "{table}");
    }
}
