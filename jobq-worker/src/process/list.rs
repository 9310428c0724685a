//! `--list-jobs`: a line a job, its name first.

use std::io::Write as _;
use std::process::ExitCode;

use jobq::runtime::text::plain;
use jobq::runtime::{Registration, registrations};

use super::EXIT_CONFIGURATION;
use crate::error::BuildError;
use crate::registry::duplicate;

/// Prints the jobs that are linked in. Nothing is connected to.
pub(super) fn jobs() -> ExitCode {
    let mut jobs: Vec<_> = registrations().collect();
    if jobs.is_empty() {
        eprintln!("error: {}", BuildError::NoJobs);
        return ExitCode::from(EXIT_CONFIGURATION);
    }
    jobs.sort_unstable_by_key(|job| job.name);
    let mut pairs = jobs.windows(2);
    if let Some([a, b]) = pairs.find(|pair| pair[0].name == pair[1].name) {
        eprintln!("error: could not build the worker: {}", duplicate(a, b));
        return ExitCode::from(EXIT_CONFIGURATION);
    }
    let names = jobs.iter().map(|job| job.name.chars().count()).max();
    let queues = jobs.iter().map(|job| job.defaults.queue.len()).max();
    let widths = (names.unwrap_or_default(), queues.unwrap_or_default());
    let mut out = std::io::stdout().lock();
    for job in jobs {
        if writeln!(out, "{}", line(job, widths)).is_err() {
            // The reader has gone (`| head`): it has what it wanted.
            break;
        }
    }
    ExitCode::SUCCESS
}

fn line(job: &Registration, (name, queue): (usize, usize)) -> String {
    let defaults = &job.defaults;
    let timeout = defaults.timeout.map_or("none".to_owned(), plain);
    format!(
        "{:name$}  queue={:queue$}  retries={}  timeout={timeout}",
        job.name, defaults.queue, defaults.retries
    )
}
