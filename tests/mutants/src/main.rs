//! `scripts/mutants [--list] [FILE[:LINE]…]`: a line per mutant, totals, exit code 1 on survivors.

use std::path::Path;
use std::process::ExitCode;

use jobq_mutants::{Candidate, Server, Suites, candidates, round};

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args().skip(1).collect();
    let list = arguments.iter().any(|argument| argument == "--list");
    arguments.retain(|argument| argument != "--list");
    let wanted = match wanted(&arguments) {
        Ok(wanted) => wanted,
        Err(error) => {
            eprintln!("mutants: {error}");
            return ExitCode::from(2);
        }
    };
    if list {
        for candidate in wanted {
            println!("{candidate}");
        }
        return ExitCode::SUCCESS;
    }
    match run(&wanted) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::from(2)
        }
    }
}

fn wanted(arguments: &[String]) -> Result<Vec<Candidate>, String> {
    let all = candidates();
    if arguments.is_empty() {
        return Ok(all);
    }
    let of: Result<Vec<_>, _> = arguments.iter().map(|name| of(name, &all)).collect();
    Ok(of?.concat())
}

/// Those of a script, or of one line.
fn of(argument: &str, all: &[Candidate]) -> Result<Vec<Candidate>, String> {
    let unknown = || format!("`{argument}` is no script of the Redis broker");
    let (file, line) = match argument.rsplit_once(':') {
        Some((file, line)) => (file, Some(line.parse().map_err(|_| unknown())?)),
        None => (argument, None),
    };
    let name = Path::new(file).file_stem().ok_or_else(unknown)?;
    let of_script = all.iter().filter(|of| *of.script.name == *name);
    let of_script: Vec<_> = of_script.cloned().collect();
    if of_script.is_empty() {
        return Err(unknown());
    }
    let on_line = |of: &Candidate| line.is_none_or(|line: usize| of.mutant.line == line);
    Ok(of_script.into_iter().filter(on_line).collect())
}

/// How many survived.
fn run(wanted: &[Candidate]) -> Result<u32, String> {
    let (server, suites) = (Server::start(), Suites::build());
    let took = suites.pass()?;
    println!("all suites pass without a mutant, in {took:.1?}");
    let totals = round(wanted, &server, &suites, |candidate, verdict| {
        println!("{candidate}: {verdict}");
    });
    println!("{totals}");
    Ok(totals.survived())
}
