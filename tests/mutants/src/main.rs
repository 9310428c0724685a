//! `scripts/mutants [--list] [FILE[:LINE]…]`: a line per mutant, totals, exit code 1 on survivors.

use std::path::Path;
use std::process::ExitCode;

use jobq_mutants::{Script, Server, Suites, Totals, mutants, round, scripts};

/// A script, all of it or one line.
type Wanted = (Script, Option<usize>);

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
        show(&wanted);
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

fn wanted(arguments: &[String]) -> Result<Vec<Wanted>, String> {
    let scripts = scripts();
    if arguments.is_empty() {
        return Ok(scripts.into_iter().map(|script| (script, None)).collect());
    }
    let one = |argument| one(argument, &scripts);
    arguments.iter().map(one).collect()
}

fn one(argument: &String, scripts: &[Script]) -> Result<Wanted, String> {
    let unknown = || format!("`{argument}` is no script of the Redis broker");
    let (file, line) = match argument.rsplit_once(':') {
        Some((file, line)) => (file, Some(line.parse().map_err(|_| unknown())?)),
        None => (argument.as_str(), None),
    };
    let name = Path::new(file).file_stem().ok_or_else(unknown)?;
    let script = scripts.iter().find(|script| *script.name == *name);
    Ok((script.ok_or_else(unknown)?.clone(), line))
}

fn show(wanted: &[Wanted]) {
    for (script, line) in wanted {
        for mutant in mutants(&script.source) {
            if line.is_none_or(|line| mutant.line == line) {
                println!("{}.lua:{}: {}", script.name, mutant.line, mutant.change);
            }
        }
    }
}

/// How many survived.
fn run(wanted: &[Wanted]) -> Result<u32, String> {
    let (server, suites) = (Server::start(), Suites::build());
    let took = suites.pass()?;
    println!("all suites pass without a mutant, in {took:.1?}");
    let mut all = Totals::default();
    for (script, line) in wanted {
        all += round(script, *line, &server, &suites, |mutant, verdict| {
            let (name, change) = (&script.name, &mutant.change);
            println!("{name}.lua:{}: {change}: {verdict}", mutant.line);
        });
    }
    println!("{all}");
    Ok(all.survived())
}
