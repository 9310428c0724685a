//! How fast jobq is: `cargo run --release -p jobq-bench -- <workload>… [--json]`.
//!
//! The program starts a Redis of its own, and for each round workers as processes of their own: this
//! program again, with `worker`. A round that has a limit measures it right before, so that the
//! machine's noise meets both.

mod bare;
mod chart;
mod jobs;
mod load;
mod round;
mod sheet;
mod statistics;
mod store;
mod usage;
mod worker;
mod workloads;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::round::Plan;
use crate::sheet::Sheet;
use crate::workloads::Workload;

/// Measures jobq. Each workload prints a row for each of its settings: medians over the rounds, with
/// the least and the most in brackets.
#[derive(Debug, Parser)]
#[command(name = "jobq-bench", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// What to measure; all of them if none is named.
    #[arg(value_enum)]
    workloads: Vec<Workload>,
    /// One JSON object a line instead of tables.
    #[arg(long)]
    json: bool,
    /// How often each setting is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Divides the number of jobs of each workload: to try it out.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    divide: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draws what was measured, as SVG files.
    Chart {
        /// What `--json` printed, of one run or of several.
        results: PathBuf,
        /// Where the files are written.
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1);
    if given.next().as_deref() == Some(worker::COMMAND) {
        return worker::run(&given.next().unwrap_or_default());
    }
    let arguments = Arguments::parse();
    match &arguments.command {
        Some(Command::Chart { results, folder }) => draw(results, folder),
        None => measure(&arguments),
    }
}

fn draw(results: &Path, folder: &Path) -> ExitCode {
    match chart::draw(results, folder) {
        Ok(files) => {
            files.iter().for_each(|file| println!("{}", file.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("jobq-bench: no charts of {}: {error}", results.display());
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> ExitCode {
    let mut sheet = Sheet::new(arguments.json);
    let plan = Plan {
        rounds: arguments.rounds,
        divide: arguments.divide,
    };
    let chosen = match &arguments.workloads[..] {
        [] => Workload::ALL,
        chosen => chosen,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime is to be had");
    for workload in chosen {
        sheet.begin(workload.name(), workload.says());
        runtime.block_on(workload.measure(plan, &mut sheet));
    }
    ExitCode::SUCCESS
}
