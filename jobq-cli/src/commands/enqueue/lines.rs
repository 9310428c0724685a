//! Many jobs from standard input. They are sent in batches, so that memory holds one of them; a line
//! that is no job ends it, and what was sent before it is told.

use std::io::{self, BufRead as _, Read as _};
use std::thread;

use jobq::{EnqueueError, NamedJob};
use serde_json::json;
use tokio::sync::mpsc;

use super::Args;
use super::record::Record;
use crate::failure::{EXIT_JOB, Failure};
use crate::progress::Progress;
use crate::session::Session;

/// Jobs sent at once.
const BATCH: usize = 1000;

/// Bytes of lines sent at once, about.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The longest line: more than the largest envelope can be of JSON.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Lines that follow each other, and why there are no more.
#[derive(Debug, Default)]
struct Batch {
    /// The number of the first.
    first: u64,
    lines: Vec<String>,
    broken: Option<String>,
}

/// How far it came.
struct Tally<'a> {
    session: &'a Session,
    enqueued: u64,
    progress: Progress,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let mut batches = read();
    let mut tally = Tally {
        session,
        enqueued: 0,
        progress: Progress::open_ended("enqueued"),
    };
    loop {
        let batch = tokio::select! {
            biased;
            () = session.interrupt.reached() => return tally.end(true),
            batch = batches.recv() => batch,
        };
        match batch {
            Some(batch) => tally.send(args, batch).await?,
            None => return tally.end(false),
        }
    }
}

impl Tally<'_> {
    async fn send(&mut self, args: &Args, batch: Batch) -> Result<(), Failure> {
        let mut jobs: Vec<NamedJob> = Vec::with_capacity(batch.lines.len());
        let mut wrong = None;
        let mut number = batch.first;
        for line in batch.lines {
            // An empty line is none: files end with one.
            if !line.trim().is_empty() {
                match Record::parse(&line).and_then(|record| args.job(record)) {
                    Ok(job) => jobs.push(job),
                    Err(error) => {
                        wrong = Some(format!("line {number}: {error}"));
                        break;
                    }
                }
            }
            number += 1;
        }
        let broken = batch.broken.map(|why| format!("line {number}: {why}"));
        let count = jobs.len() as u64;
        match self.session.client.enqueue_all_named(jobs).await {
            Ok(_) => self.enqueued += count,
            Err(error) => {
                if let EnqueueError::Partial { enqueued, .. } = &error {
                    self.enqueued += enqueued.len() as u64;
                }
                let from = format!("of lines {} to {number}: ", batch.first);
                return Err(Failure::from(error).before(&from).after(&self.so_far()));
            }
        }
        self.progress.set(self.enqueued);
        match wrong.or(broken) {
            Some(wrong) => Err(Failure::job(wrong).after(&self.so_far())),
            None => Ok(()),
        }
    }

    fn so_far(&self) -> String {
        format!("{} jobs were enqueued", self.enqueued)
    }

    fn end(self, interrupted: bool) -> Result<(), Failure> {
        let end = if interrupted {
            "; interrupted before the end"
        } else {
            ""
        };
        let line = format!("{} jobs enqueued{end}", self.enqueued);
        let document = json!({ "enqueued": self.enqueued, "interrupted": interrupted });
        self.session.out.outcome(&line, &document)?;
        match interrupted {
            true => Err(Failure::quiet(EXIT_JOB)),
            false => Ok(()),
        }
    }
}

/// Reads standard input on a thread of its own: reading may wait for ever.
fn read() -> mpsc::Receiver<Batch> {
    let (sender, batches) = mpsc::channel(1);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut number = 1;
        loop {
            let batch = next(&mut input, number);
            number += batch.lines.len() as u64;
            let last = batch.lines.is_empty() || batch.broken.is_some();
            if batch.lines.is_empty() && batch.broken.is_none() {
                return;
            }
            // Who is not listened to any more has nothing left to do.
            if sender.blocking_send(batch).is_err() || last {
                return;
            }
        }
    });
    batches
}

/// The next lines; none at the end.
fn next(input: &mut impl io::BufRead, first: u64) -> Batch {
    let mut batch = Batch {
        first,
        ..Batch::default()
    };
    let mut bytes = 0;
    while batch.lines.len() < BATCH && bytes < BATCH_BYTES {
        let mut line = String::new();
        match input.take(LONGEST_LINE).read_line(&mut line) {
            Ok(0) => break,
            Ok(read) if read as u64 == LONGEST_LINE && !line.ends_with('\n') => {
                batch.broken = Some(format!("longer than {LONGEST_LINE} bytes"));
                break;
            }
            Ok(read) => bytes += read,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                batch.broken = Some("not UTF-8".to_owned());
                break;
            }
            Err(error) => {
                batch.broken = Some(format!("cannot be read: {error}"));
                break;
            }
        }
        batch.lines.push(line);
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_batches() {
        let text = "{}\n".repeat(2500);
        let mut input = text.as_bytes();
        let sizes: Vec<_> = (0..4).map(|_| next(&mut input, 1).lines.len()).collect();
        assert_eq!(sizes, [1000, 1000, 500, 0]);
    }

    #[test]
    fn a_batch_ends_where_its_lines_are_large() {
        let text = format!("{}\n", "x".repeat(3 << 20)).repeat(3);
        let mut input = text.as_bytes();
        let sizes: Vec<_> = (0..3).map(|_| next(&mut input, 1).lines.len()).collect();
        assert_eq!(sizes, [2, 1, 0]);
    }

    #[test]
    fn what_is_no_text_ends_it_behind_what_was() {
        let mut input = &b"{}\n{}\n\xff\n{}\n"[..];
        let batch = next(&mut input, 1);
        assert_eq!(batch.lines.len(), 2);
        assert_eq!(batch.broken.as_deref(), Some("not UTF-8"));
    }
}
