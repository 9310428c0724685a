//! The command line of every program.

use std::env;
use std::fmt::Display;
use std::process::ExitCode;

use crate::enqueue::{Way, rate};
use crate::{Error, Pool, System, handler, lateness};

/// The variable that says where Redis is.
pub const URL: &str = "BENCH_URL";

/// Calls at the same time by which a system without a bulk call is filled.
const FILL_WIDTH: u32 = 64;

const USAGE: &str = "enqueue seq|conc|bulk N WIDTH | fill N | latency N | delayed N | worker CONCURRENCY [CONNECTIONS]";

/// Obeys the command line of this process.
pub async fn run<S: System>() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match obey::<S>(&words).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", env::args().next().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

async fn obey<S: System>(words: &[&str]) -> Result<(), Error> {
    let url = env::var(URL).map_err(|error| format!("{URL}: {error}"))?;
    match *words {
        ["enqueue", way, count, width] => {
            let way = way_of(way, width.parse()?)?;
            println!("{:.1}", rate::<S>(&url, way, count.parse()?).await?);
        }
        ["fill", count] => {
            let mut system = S::connect(&url, FILL_WIDTH).await?;
            system.fill(count.parse()?).await?;
        }
        ["latency", count] => print_each(lateness::latency::<S>(&url, count.parse()?).await?),
        ["delayed", count] => print_each(lateness::delayed::<S>(&url, count.parse()?).await?),
        ["worker", concurrency] => work::<S>(&url, concurrency, "1").await?,
        ["worker", concurrency, connections] => work::<S>(&url, concurrency, connections).await?,
        _ => return Err(format!("expected {USAGE}").into()),
    }
    Ok(())
}

fn way_of(word: &str, width: u32) -> Result<Way, Error> {
    match word {
        "seq" => Ok(Way::Sequential),
        "conc" => Ok(Way::AtOnce(width)),
        "bulk" => Ok(Way::Bulk(width)),
        _ => Err(format!("expected seq, conc or bulk, not {word:?}").into()),
    }
}

async fn work<S: System>(url: &str, concurrency: &str, connections: &str) -> Result<(), Error> {
    let pool = Pool {
        concurrency: concurrency.parse()?,
        connections: connections.parse()?,
    };
    handler::prepare()?;
    S::work(url, pool).await?;
    Err("the worker ended".into())
}

fn print_each(values: Vec<impl Display>) {
    for value in values {
        println!("{value}");
    }
}
