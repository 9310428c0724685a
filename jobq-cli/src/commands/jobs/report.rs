//! What became of each of several jobs: a row each, and exit code 1 if not all went well.

use jobq::JobId;
use serde_json::{Map, json};

use crate::failure::{EXIT_JOB, Failure};
use crate::output::{Cell, Column, Listing, Row, counted_done};
use crate::session::Session;

const COLUMNS: &[Column] = &[
    Column::left("id"),
    Column::left("what"),
    Column::left("queue"),
];

/// The rows, and how it ends.
#[derive(Debug)]
pub(super) struct Report<'a> {
    session: &'a Session,
    listing: Listing,
    all_well: bool,
    interrupted: bool,
    /// Of the first job that may be where nothing can be read.
    damage: Option<Failure>,
}

impl<'a> Report<'a> {
    pub(super) fn begin(session: &'a Session) -> Result<Self, Failure> {
        let listing = session.out.report(COLUMNS);
        listing.begin(&Map::new(), "jobs")?;
        Ok(Self {
            session,
            listing,
            all_well: true,
            interrupted: false,
            damage: None,
        })
    }

    /// Whether to end before the next job.
    pub(super) fn is_over(&mut self) -> bool {
        self.interrupted = self.session.interrupt.is_set();
        self.interrupted
    }

    /// What something comes to that may take long; `None` if the command is asked to end before.
    pub(super) async fn unless_interrupted<T>(
        &mut self,
        what: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            () = self.session.interrupt.reached() => {
                self.interrupted = true;
                None
            }
            done = what => Some(done),
        }
    }

    /// One that went well.
    pub(super) fn well(&mut self, id: JobId, what: &str, queue: &str) -> Result<(), Failure> {
        self.row(id, Cell::word(what), Some(queue), (what, true))
    }

    /// One that did not, and why.
    pub(super) fn badly(
        &mut self,
        id: JobId,
        what: &str,
        queue: Option<&str>,
    ) -> Result<(), Failure> {
        self.all_well = false;
        self.row(id, Cell::text(what).doubtful(), queue, (what, false))
    }

    /// A failure that concerns this job, or the queue that it is on; any other ends the command.
    pub(super) fn failed(&mut self, id: JobId, failure: Failure) -> Result<(), Failure> {
        let reason = failure.reason().unwrap_or_default().to_owned();
        let failure = failure.before(&format!("job {id}: "));
        if failure.is_damage() {
            self.damage.get_or_insert(failure);
        } else if failure.code() != EXIT_JOB {
            return Err(failure);
        }
        // A search that is interrupted fails so, also the last one.
        self.is_over();
        self.badly(id, &reason, None)
    }

    fn row(
        &mut self,
        id: JobId,
        cell: Cell,
        queue: Option<&str>,
        (result, done): (&str, bool),
    ) -> Result<(), Failure> {
        let queue_cell = queue.map_or_else(Cell::none, Cell::word);
        self.listing.page(&[Row {
            cells: vec![Cell::word(id.to_string()), cell, queue_cell],
            json: json!({ "id": id.to_string(), "result": result, "queue": queue, "done": done }),
        }])
    }

    /// Ends the report, also if something ended the work half way.
    pub(super) fn end(self, done: Result<(), Failure>) -> Result<(), Failure> {
        let done = match (done, self.interrupted, self.damage) {
            (Ok(()), true, _) => Err(Failure::interrupted()),
            (Ok(()), false, Some(damage)) => Err(damage),
            (done, ..) => done,
        };
        let so_far = counted_done(self.listing.rows(), "job", "told of");
        let done = done.map_err(|failure| failure.after(&so_far));
        let mut tail = Map::new();
        tail.insert("interrupted".to_owned(), self.interrupted.into());
        self.listing.finish(tail, done)?;
        match self.all_well {
            true => Ok(()),
            false => Err(Failure::quiet(EXIT_JOB)),
        }
    }
}
