//! Runs rows of the fault matrix and prints their figures.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use faults::row::{Figures, Plan, Row, Size, seed};
use faults::rows::ROWS;
use faults::sheet;

/// Runs rows of the fault matrix, one after the other, and prints the sheet of figures.
#[derive(Parser)]
#[command(after_help = "What each row does, and what must hold, is in docs/reliability.md.")]
struct Options {
    /// The long form, which the published figures are of: hours for all rows. The short form: some ten
    /// seconds each.
    #[arg(long)]
    long: bool,
    /// What all chance comes from, as a failure prints it; any, unless JOBQ_FAULTS_SEED is set.
    #[arg(long)]
    seed: Option<u64>,
    /// How long M6 runs, and the long form of M5, in place of their own time.
    #[arg(long)]
    minutes: Option<u64>,
    /// Which rows: all of them unless named.
    rows: Vec<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let seed = options.seed.map_or_else(seed, Ok);
    let (chosen, seed) = match choose(&options.rows).and_then(|rows| Ok((rows, seed?))) {
        Ok(chosen) => chosen,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let plan = Plan {
        size: if options.long {
            Size::Long
        } else {
            Size::Short
        },
        seed,
        minutes: options.minutes,
    };
    let mut sheet = vec![sheet::head(plan)];
    let mut rows = Vec::new();
    for row in chosen {
        eprintln!("{}: {} (seed {})", row.id, row.fault, plan.seed);
        let began = Instant::now();
        let figures = run(row, plan);
        let line = sheet::line(row, figures.as_ref(), began.elapsed());
        eprintln!("{line}");
        sheet.push(line);
        rows.push((row, figures));
    }
    sheet.push(sheet::foot(&rows));
    println!("{}", sheet.join("\n"));
    if rows.iter().any(|(_, figures)| figures.is_none()) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Row>, String> {
    if names.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    let find = |name: &String| {
        let row = ROWS.iter().find(|row| row.id.eq_ignore_ascii_case(name));
        let known = ROWS.iter().map(|row| row.id).collect::<Vec<_>>().join(", ");
        row.ok_or_else(|| format!("no row is named {name:?}; there are {known}"))
    };
    names.iter().map(find).collect()
}

/// A row that fails keeps no other from being run.
fn run(row: &'static Row, plan: Plan) -> Option<Figures> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async { tokio::spawn(row.run(plan)).await.ok() })
}
