//! `jobq enqueue`: one job from the command line, or many from standard input.

mod lines;
mod record;

use std::time::Duration;

use jobq::{JobId, NamedJob, Timestamp};
use serde_json::{Map, Value, json};

use self::record::Record;
use crate::failure::Failure;
use crate::output::printable;
use crate::session::Session;
use crate::values::{duration, moment, object};

/// Enqueue a job by its name, or many from lines of JSON
///
/// Nothing checks that a worker knows the name, or that the arguments fit: a job whose arguments do
/// not is dead as undecodable. Numbers, texts, true, false, null, lists and objects are what JSON
/// can write; a parameter of bytes takes a list of numbers.
///
/// With --lines each line of standard input is a JSON object: `args`, and `name`, `queue`, `id`,
/// `delay`, `at`, `retries` and `timeout`, where they differ from what the flags say. A line that is no
/// job is told and left out; the others are enqueued as soon as the input pauses.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The job's name
    #[arg(required_unless_present = "lines")]
    name: Option<String>,

    /// Its arguments by name, a JSON object
    #[arg(long, value_name = "JSON", value_parser = object, conflicts_with = "lines")]
    args: Option<Map<String, Value>>,

    /// The queue
    #[arg(long, value_name = "QUEUE", default_value = "default")]
    queue: String,

    /// Run it after this time
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "at")]
    delay: Option<Duration>,

    /// Run it at this time: 2026-11-30T20:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    at: Option<Timestamp>,

    /// Give it this id instead of a new one
    #[arg(long, value_name = "ID", conflicts_with = "lines")]
    id: Option<JobId>,

    /// Run it so often again where it fails; as the job says unless given
    #[arg(long, value_name = "N")]
    retries: Option<u32>,

    /// End a run after this time; as the job says unless given
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,

    /// Read jobs from standard input, a JSON object a line
    #[arg(long)]
    lines: bool,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    session.consent.to_change("enqueue")?;
    // Told now, and not with each line.
    session.client.queue(&args.queue)?;
    match args.lines {
        true => lines::run(session, args).await,
        false => one(session, args).await,
    }
}

async fn one(session: &Session, args: &Args) -> Result<(), Failure> {
    let record = Record {
        id: args.id,
        args: args.args.clone().unwrap_or_default(),
        ..Record::default()
    };
    let job = args.job(record).map_err(Failure::usage)?;
    let handle = session.client.enqueue_named(job).await?;
    let (id, queue) = (handle.id(), handle.queue());
    let name = args.name.as_deref().unwrap_or_default();
    let document = json!({ "id": id.to_string(), "name": name, "queue": queue });
    let line = format!("{id}\t{}\t{queue}", printable(name));
    let told = session.out.outcome(&line, &document);
    // Whoever takes it for a failure and tries again has two jobs.
    told.map_err(|failure| failure.before(&format!("job {id} is enqueued on {queue}, but ")))
}

impl Args {
    /// The job that a record says, and where it says nothing the flags.
    fn job(&self, record: Record) -> Result<NamedJob, String> {
        let name = record.name.or_else(|| self.name.clone());
        let name = name.ok_or("no name: neither here nor on the command line")?;
        let job = NamedJob::new(name, &record.args);
        let mut job = job.map_err(|error| jobq::runtime::text::chain(&error))?;
        job = job.queue(record.queue.unwrap_or_else(|| self.queue.clone()));
        if let Some(id) = record.id {
            job = job.id(id);
        }
        // What the line says of its time takes the place of all that the flags do.
        let (delay, at) = match (record.delay, record.at) {
            (None, None) => (self.delay, self.at),
            (Some(_), Some(_)) => return Err("both delay and at; expected one of them".to_owned()),
            own => own,
        };
        if let Some(delay) = delay {
            job = job.delay(delay);
        }
        if let Some(at) = at {
            job = job.at(at);
        }
        if let Some(retries) = record.retries.or(self.retries) {
            job = job.retries(retries);
        }
        if let Some(timeout) = record.timeout.or(self.timeout) {
            job = job.timeout(timeout);
        }
        Ok(job)
    }
}
