//! Runs jobq and its peers in turn, round after round, and prints the table of ratios.
//!
//! Every measurement has a Redis server of its own, so that none meets what another left behind. The
//! systems of a workload run one after the other, and the next round begins with another one, so that the
//! machine's noise meets them alike.

mod measure;
mod options;
mod plan;
mod programs;
mod report;
mod results;
mod server;
mod systems;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use self::measure::Bench;
use self::options::Options;
use self::plan::Case;
use self::programs::Programs;
use self::results::Results;
use self::server::RedisServer;

/// What went wrong.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(all_measured) if all_measured => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("side-by-side: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers whether every measurement succeeded.
fn run(options: &Options) -> Result<bool, Error> {
    let bench = Bench {
        programs: Programs::build(&options.systems)?,
        sizes: options.sizes(),
    };
    let redis = RedisServer::start()?.version()?;
    let mut results = Results::default();
    for round in 0..options.rounds {
        for cases in plan::groups(&options.workloads, &options.systems) {
            for case in rotated(&cases, round) {
                take(&bench, case, round, &mut results);
            }
        }
    }
    match options.json {
        true => report::print_json(&results, options.rounds, &redis),
        false => report::print_tables(&results, &options.systems, options.rounds, &redis),
    }
    Ok(results.failures().is_empty())
}

fn take(bench: &Bench, case: &Case, round: usize, results: &mut Results) {
    eprintln!("round {}: {case}", round + 1);
    match bench.measure(case) {
        Ok(measured) => results.add(round, case, measured),
        Err(error) => results.fail(format!("round {}: {case}: {error}", round + 1)),
    }
}

fn rotated(cases: &[Case], by: usize) -> impl Iterator<Item = &Case> {
    cases.iter().cycle().skip(by).take(cases.len())
}
