//! `jobq jobs show`: all that is known of one job.

use jobq::{Envelope, Failure as Attempt, JobId, WorkerId};
use serde_json::{Map, Value, json};

use super::search::{Found, Job, Scope};
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::{pretty, printable, time};
use crate::session::Session;

/// Show a job: its arguments as JSON, its options, and the errors of its attempts
///
/// A job that waits or runs keeps its latest five errors, 200 bytes of each; a dead one the five before
/// its last, and of the last 4,096 bytes. When an attempt began, how long it took and which worker ran it is kept
/// nowhere.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job's id
    id: JobId,

    #[command(flatten)]
    scope: Scope,

    /// Show so many bytes of the arguments at most, about
    #[arg(long, value_name = "BYTES", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=67_108_864))]
    max_args: u32,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let found = args.scope.find(session, args.id).await?;
    let broker = session.client.broker();
    let cancelled = broker.cancelled(found.queue.name(), &[args.id]).await?;
    let mut document = document(&found, args.max_args as usize);
    let is_cancelled = cancelled.contains(&true);
    document.insert("cancelled".to_owned(), is_cancelled.into());
    match session.out.is_json() {
        true => session.out.document(&document),
        false => session.out.write(&text(&document)),
    }
}

fn document(found: &Found, max_args: usize) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    let envelope = match &found.job {
        Job::Alive(job) => job.envelope(),
        Job::Dead(job) => job.envelope(),
    };
    set("queue", found.queue.name().as_str().into());
    set("state", found.state.as_str().into());
    set("place", found.place.into());
    if let Job::Alive(job) = &found.job {
        set("due", time(job.due()).into());
        set("worker", job.worker().map(WorkerId::as_str).into());
    }
    match envelope {
        Ok(envelope) => of_envelope(envelope, max_args, &mut set),
        Err(error) => set("unreadable", error.to_string().into()),
    }
    if let Job::Dead(job) = &found.job {
        set("id", job.id().to_string().into());
        // What is no record never said these.
        if job.is_record() {
            set("died_at", time(Some(job.died_at())).into());
            set("reason", job.reason().as_str().into());
        }
        set("error", job.error().into());
        set("history", history(job.history()));
    }
    fields
}

fn of_envelope(envelope: &Envelope, max_args: usize, set: &mut impl FnMut(&str, Value)) {
    let arguments = Arguments::of(envelope, max_args);
    set("id", envelope.id().to_string().into());
    set("name", envelope.name().into());
    set(
        "enqueued_at",
        time(Some(envelope.enqueued_at().timestamp())).into(),
    );
    set("failures", envelope.failures().into());
    set("crashes", envelope.crashes().into());
    set("bytes", envelope.bytes().len().into());
    set("args_readable", arguments.value.is_some().into());
    set("args_cut", arguments.is_cut.into());
    set("args", arguments.value.into());
    let options = envelope.options();
    let past = options.as_ref().map_or(&[][..], |options| &options.history);
    set("history", history(past));
    let mut options = Arguments::options(envelope, max_args);
    // It stands above, readable.
    if let Some(Value::Object(options)) = &mut options {
        options.remove("history");
    }
    set("options", options.into());
}

fn history(attempts: &[Attempt]) -> Value {
    let attempts = attempts
        .iter()
        .map(|attempt| json!({ "at": time(Some(attempt.at.timestamp())), "error": attempt.error }));
    attempts.collect()
}

/// The same for people: a field a line, the arguments indented.
fn text(document: &Map<String, Value>) -> String {
    const FIRST: [&str; 4] = ["id", "name", "queue", "state"];
    let is_suspect = document
        .get("state")
        .is_some_and(|state| state == "suspects");
    let named = FIRST
        .iter()
        .filter_map(|name| document.get_key_value(*name));
    let others = document
        .iter()
        .filter(|(name, _)| !FIRST.contains(&name.as_str()));
    let mut text = String::new();
    for (name, value) in named.chain(others) {
        let shown = match (name.as_str(), value) {
            (_, Value::Null) => continue,
            ("crashes", crashes) if is_suspect => {
                format!(
                    "{crashes} workers died while they ran it; it waits as a suspect, to be run alone"
                )
            }
            ("history", Value::Array(attempts)) => attempts.iter().map(attempt).collect(),
            (_, Value::String(value)) => printable(value),
            (_, value) => pretty(value),
        };
        let shown = shown.replace('\n', "\n  ");
        text.push_str(&format!("{}: {shown}\n", name.replace('_', " ")));
    }
    text
}

fn attempt(attempt: &Value) -> String {
    let part = |name| attempt[name].as_str().unwrap_or_default();
    format!("\n{}  {}", part("at"), printable(part("error")))
}
