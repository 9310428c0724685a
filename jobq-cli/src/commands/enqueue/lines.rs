//! Many jobs from standard input. They are sent in batches, so that memory holds one of them: as
//! soon as one is full, or the input pauses. A line that is no job is told and left out.

mod input;

use std::time::Duration;

use jobq::{EnqueueError, NamedJob};
use serde_json::{Map, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use self::input::{Line, Lines};
use super::Args;
use super::record::Record;
use crate::failure::{EXIT_JOB, Failure};
use crate::output::{Listing, Row, counted};
use crate::progress::Progress;
use crate::session::Session;

/// Jobs sent at once.
const BATCH: usize = 1000;

/// Bytes of lines sent at once, about.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Without a further line for so long, what there is is sent.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let mut tally = Tally {
        session,
        enqueued: 0,
        refused: 0,
        interrupted: false,
        // Of lines that were refused: the columns are those of JSON alone.
        listing: session.out.report(&[]),
        progress: Progress::open_ended("enqueued"),
    };
    tally.listing.begin(&Map::new(), "refused")?;
    let done = tally.all(args).await;
    tally.end(done)
}

/// How far it came.
struct Tally<'a> {
    session: &'a Session,
    enqueued: u64,
    refused: u64,
    interrupted: bool,
    listing: Listing,
    progress: Progress,
}

impl Tally<'_> {
    async fn all(&mut self, args: &Args) -> Result<(), Failure> {
        let mut input = input::read();
        loop {
            let (lines, broken) = tokio::select! {
                biased;
                () = self.session.interrupt.reached() => {
                    self.interrupted = true;
                    return Err(Failure::interrupted());
                }
                batch = gather(&mut input) => batch,
            };
            let is_last = lines.is_empty();
            self.send(args, lines).await?;
            if let Some(error) = broken {
                return Err(Failure::job(format!("the input cannot be read: {error}")));
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Sends what are jobs, and tells of the others.
    async fn send(&mut self, args: &Args, lines: Vec<Line>) -> Result<(), Failure> {
        let mut jobs: Vec<NamedJob> = Vec::with_capacity(lines.len());
        let numbers = lines.first().zip(lines.last());
        let numbers = numbers.map(|(first, last)| (first.number, last.number));
        for Line { number, text, .. } in lines {
            match self.job(args, text) {
                Ok(job) => jobs.extend(job),
                Err(reason) => self.refuse(number, &reason)?,
            }
        }
        let count = jobs.len() as u64;
        match self.session.client.enqueue_all_named(jobs).await {
            Ok(_) => self.enqueued += count,
            Err(error) => {
                if let EnqueueError::Partial { enqueued, .. } = &error {
                    self.enqueued += enqueued.len() as u64;
                }
                let (first, last) = numbers.unwrap_or_default();
                return Err(Failure::from(error).before(&format!("of lines {first} to {last}: ")));
            }
        }
        self.progress.set(self.enqueued);
        Ok(())
    }

    /// The job of a line; none of one that is empty, for files end with such.
    fn job(&self, args: &Args, text: Result<String, String>) -> Result<Option<NamedJob>, String> {
        let text = text?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let job = args.job(Record::parse(&text)?)?;
        let checked = self.session.client.check_named(&job);
        checked.map_err(|error| jobq::runtime::text::chain(&error))?;
        Ok(Some(job))
    }

    fn refuse(&mut self, number: u64, reason: &str) -> Result<(), Failure> {
        self.refused += 1;
        if self.session.out.is_json() {
            let json = json!({ "line": number, "reason": reason });
            let cells = Vec::new();
            return self.listing.page(&[Row { cells, json }]);
        }
        self.progress.error(&format!("line {number}: {reason}"));
        Ok(())
    }

    fn end(self, done: Result<(), Failure>) -> Result<(), Failure> {
        let (enqueued, refused) = (self.enqueued, self.refused);
        let mut line = format!("{} enqueued", counted(enqueued, "job"));
        if refused > 0 {
            line.push_str(&format!(", {} refused", counted(refused, "line")));
        }
        let done = done.map_err(|failure| failure.after(&line));
        drop(self.progress);
        if done.is_ok() && !self.session.out.is_json() {
            let told = self.session.out.line(&line);
            told.map_err(|failure| failure.after(&line))?;
        }
        let mut tail = Map::new();
        tail.insert("enqueued".to_owned(), enqueued.into());
        tail.insert("interrupted".to_owned(), self.interrupted.into());
        let is_told = done.is_err();
        let told = self.listing.finish(tail, done);
        told.map_err(|failure| match is_told {
            true => failure,
            false => failure.after(&line),
        })?;
        match refused > 0 {
            true => Err(Failure::quiet(EXIT_JOB)),
            false => Ok(()),
        }
    }
}

/// The next lines: a batch of them, or fewer if the first has waited; none at the end. With them the
/// error behind which there are no more.
async fn gather(input: &mut mpsc::Receiver<Lines>) -> (Vec<Line>, Option<std::io::Error>) {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    let mut next = input.recv().await;
    let deadline = Instant::now() + PAUSE;
    loop {
        match next {
            Some(Ok(more)) => {
                bytes += more.iter().map(|line| line.bytes).sum::<usize>();
                lines.extend(more);
            }
            Some(Err(error)) => return (lines, Some(error)),
            None => return (lines, None),
        }
        if lines.len() >= BATCH || bytes >= BATCH_BYTES {
            return (lines, None);
        }
        match timeout_at(deadline, input.recv()).await {
            Ok(another) => next = another,
            Err(_) => return (lines, None),
        }
    }
}
