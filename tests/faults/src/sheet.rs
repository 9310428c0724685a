//! The figures of a run, as markdown.

mod goals;

use std::process::Command;
use std::time::Duration;

use crate::row::{Figures, Plan, Row, Size};

/// The head of the sheet: when, of what, on what, how long, and by which seed.
#[must_use]
pub fn head(plan: Plan) -> String {
    let tree = said("git", &["rev-parse", "--short", "HEAD"]);
    let tree = if tree.is_empty() { "unknown" } else { &tree };
    let changed = !said("git", &["status", "--porcelain"]).is_empty();
    let changes = if changed { " with changes" } else { "" };
    let date = said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]);
    let redis = said("redis-server", &["--version"]);
    let redis = redis
        .split_whitespace()
        .find_map(|word| word.strip_prefix("v="));
    let redis = redis.unwrap_or("of REDIS_SERVER");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let form = match plan.size {
        Size::Short => "short",
        Size::Long => "long",
    };
    let seed = plan.seed;
    format!(
        "{date}, commit {tree}{changes}, Redis {redis}, {cores} cores, {form} form, seed {seed}\n\n\
         | row | fault | shows | result | figures |\n| --- | --- | --- | --- | --- |"
    )
}

/// A row of the sheet; without figures it failed.
#[must_use]
pub fn line(row: &Row, figures: Option<&Figures>, took: Duration) -> String {
    let Row {
        id, fault, shows, ..
    } = row;
    let (result, figures) = match figures {
        Some(figures) => ("holds", format!("{figures}; ")),
        None => ("**FAILED**", String::new()),
    };
    let took = took.as_secs();
    format!("| {id} | {fault} | {shows} | {result} | {figures}took, s: {took} |")
}

/// What all rows together came to.
#[must_use]
pub fn foot(rows: &[(&Row, Option<Figures>)]) -> String {
    format!("\n{}", goals::table(rows))
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).trim().to_owned()
}
