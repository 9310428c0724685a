//! How the results are printed: as tables in Markdown, or as JSON.

use std::thread;

use serde_json::json;

use crate::results::{Line, Results, Table};
use crate::systems::System;

/// The columns of a table; the first two are texts.
const COLUMNS: [&str; 6] = ["system", "settings", "median", "min", "max", "jobq / it"];
const TEXTS: usize = 2;

/// Prints a table for each figure.
pub(crate) fn print_tables(results: &Results, systems: &[&System], rounds: usize, redis: &str) {
    let libraries: Vec<_> = systems.iter().map(|system| system.library()).collect();
    println!("{}; Redis {redis}; {} cores", libraries.join(", "), cores());
    println!(
        "Rounds: {rounds}. `jobq / it`: the median of the rounds' ratios, jobq at its first line"
    );
    for table in results.tables() {
        println!("\n{}\n", heading(table));
        let rows = table.lines.iter().map(|line| row(table, line));
        print!("{}", markdown(&rows.collect::<Vec<_>>()));
    }
    for failure in results.failures() {
        println!("\nnot measured: {failure}");
    }
}

/// Prints an object a line: what was run, then every line of every table, then what failed.
pub(crate) fn print_json(results: &Results, rounds: usize, redis: &str) {
    println!(
        "{}",
        json!({"rounds": rounds, "redis": redis, "cores": cores()})
    );
    for table in results.tables() {
        for line in &table.lines {
            println!("{}", object(table, line));
        }
    }
    for failure in results.failures() {
        println!("{}", json!({"failure": failure}));
    }
}

fn heading(table: &Table) -> String {
    let figure = table.figure;
    let better = match figure.more_is_better {
        true => "more",
        false => "less",
    };
    let Table { title, .. } = table;
    format!(
        "**{title}: {}, {}** ({better} is better)",
        figure.name, figure.unit
    )
}

fn row(table: &Table, line: &Line) -> [String; COLUMNS.len()] {
    let values = line.sorted();
    let [min, max] = [values.first(), values.last()].map(|end| end.copied().map(number));
    [
        line.system.name.to_owned(),
        line.settings.clone(),
        number(line.median()),
        min.unwrap_or_default(),
        max.unwrap_or_default(),
        table.ratio(line).map(number).unwrap_or_default(),
    ]
}

fn object(table: &Table, line: &Line) -> serde_json::Value {
    let values = line.sorted();
    json!({
        "workload": table.title,
        "figure": table.figure.name,
        "unit": table.figure.unit,
        "system": line.system.name,
        "library": line.system.library(),
        "settings": line.settings,
        "median": line.median(),
        "min": values.first(),
        "max": values.last(),
        "runs": values.len(),
        "ratio": table.ratio(line),
    })
}

fn markdown(rows: &[[String; COLUMNS.len()]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([COLUMNS[column].len()]).max().unwrap_or(0)
    };
    let rule = |column: usize| match column < TEXTS {
        true => "-".repeat(width(column)),
        false => format!("{}:", "-".repeat(width(column) - 1)),
    };
    let line = |cells: [String; COLUMNS.len()]| {
        let cells = cells.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            match column < TEXTS {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            }
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let head = [COLUMNS.map(str::to_owned), std::array::from_fn(rule)];
    head.into_iter()
        .chain(rows.iter().cloned())
        .map(line)
        .collect()
}

/// With three digits that count; from 1,000 on whole, in groups of three.
fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if size >= 999.5 => grouped(value.round() as i64),
        _ if size > 0.0 => {
            let decimals = (2.0 - size.log10().floor()).max(0.0) as usize;
            format!("{value:.decimals$}")
        }
        _ => "0".to_owned(),
    }
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_commas() {
        for (value, expected) in [
            (0.0, "0"),
            (0.000_012_34, "0.0000123"),
            (0.9, "0.900"),
            (-12.34, "-12.3"),
            (999.4, "999"),
            (999.6, "1,000"),
            (1_234_567.8, "1,234,568"),
            (-45_678.0, "-45,678"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = ["jobq", "64 µs", "1", "1", "1", "1.00"].map(str::to_owned);
        let expected = "\
| system | settings | median | min | max | jobq / it |
| ------ | -------- | -----: | --: | --: | --------: |
| jobq   | 64 µs    |      1 |   1 |   1 |      1.00 |
";
        assert_eq!(markdown(&[row]), expected);
    }
}
