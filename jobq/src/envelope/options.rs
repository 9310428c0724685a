//! The options map of an envelope: what a call or the job's history adds to the job's defaults.

use std::time::Duration;

use super::backoff::{read_backoff, write_backoff};
use super::reader::Reader;
use super::scan::skip_value;
use super::writer::Writer;
use crate::error::{EnvelopeError, cut};
use crate::job::JobDefaults;
use crate::retry::Backoff;
use crate::timestamp::At;

/// What a job's call or its history adds to the job's own defaults. Unset fields are not written;
/// keys of the map that this build does not know are kept when an envelope is rewritten.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Runs allowed after a failed first one.
    pub retries: Option<u32>,
    /// The delay policy.
    pub backoff: Option<Backoff>,
    /// The longest one run may take; `Some(None)` is no limit.
    pub timeout: Option<Option<Duration>>,
    /// When it was last due, for jobs that were ever delayed.
    pub due: Option<At>,
    /// How often a worker met the job without knowing its name.
    pub unknown: u32,
    /// The latest failures, oldest first; at most [`Options::MAX_HISTORY`].
    pub history: Vec<Failure>,
    /// Entries this build does not know.
    pub(crate) rest: Rest,
}

/// Entries of a map, key and value one after the other, as they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rest {
    entries: usize,
    bytes: Vec<u8>,
}

/// The longest error text kept of a failure in the history, in bytes.
const MAX_FAILURE_LEN: usize = 200;

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: At,
    /// What went wrong, cut to 200 bytes.
    pub error: String,
}

impl Options {
    /// Failures kept in an envelope.
    pub const MAX_HISTORY: usize = 5;

    /// Adds a failure to the history: its text is cut to 200 bytes, and only the latest
    /// [`Options::MAX_HISTORY`] failures stay.
    pub fn push_failure(&mut self, at: At, error: &str) {
        if self.history.len() >= Self::MAX_HISTORY {
            self.history
                .drain(..=self.history.len() - Self::MAX_HISTORY);
        }
        let error = cut(error, MAX_FAILURE_LEN).to_owned();
        self.history.push(Failure { at, error });
    }

    /// Unsets what says the same as the job's own defaults.
    pub(crate) fn drop_defaults(&mut self, defaults: &JobDefaults) {
        if self.retries == Some(defaults.retries) {
            self.retries = None;
        }
        if self.backoff == Some(defaults.backoff) {
            self.backoff = None;
        }
        if self.timeout == Some(defaults.timeout) {
            self.timeout = None;
        }
    }

    /// How many bytes they take at the most, but for history and unknown entries, which are rare.
    pub(super) const USUAL_LEN: usize = 160;

    pub(super) fn write(&self, out: &mut Writer) {
        let known = usize::from(self.retries.is_some())
            + usize::from(self.backoff.is_some())
            + usize::from(self.timeout.is_some())
            + usize::from(self.due.is_some())
            + usize::from(self.unknown > 0)
            + usize::from(!self.history.is_empty());
        out.map(known + self.rest.entries);
        if let Some(retries) = self.retries {
            out.str("retries");
            out.uint(retries.into());
        }
        if let Some(backoff) = &self.backoff {
            out.str("backoff");
            write_backoff(backoff, out);
        }
        if let Some(timeout) = self.timeout {
            out.str("timeout");
            out.uint(timeout.map_or(0, |timeout| whole_ms(timeout).max(1)));
        }
        if let Some(due) = self.due {
            out.str("due");
            out.uint(due.as_ms());
        }
        if self.unknown > 0 {
            out.str("unknown");
            out.uint(self.unknown.into());
        }
        if !self.history.is_empty() {
            let older = self.history.len().saturating_sub(Self::MAX_HISTORY);
            out.str("history");
            out.array(self.history.len() - older);
            self.history[older..].iter().for_each(|f| f.write(out));
        }
        out.raw(&self.rest.bytes);
    }

    /// Reads the map. A key this build knows may stand there once; a second one is an error, for
    /// it cannot be known which was meant.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, EnvelopeError> {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for _ in 0..reader.map("the options (map)")? {
            let start = reader.at();
            let key = reader.str("an option's name (str)")?;
            if !options.read_known(key, reader)? {
                skip_value(reader)?;
                options.rest.entries += 1;
                options.rest.bytes.extend_from_slice(reader.since(start));
            } else if seen.contains(&key) {
                return Err(reader.unexpected(start, "no option twice"));
            } else {
                seen.push(key);
            }
        }
        Ok(options)
    }

    /// Reads the value if the key is known.
    fn read_known(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<bool, EnvelopeError> {
        match key {
            "retries" => self.retries = Some(reader.uint32("retries", "retries (uint)")?),
            "backoff" => self.backoff = Some(read_backoff(reader)?),
            "timeout" => {
                let ms = reader.uint("timeout in ms (uint)")?;
                self.timeout = Some((ms > 0).then(|| Duration::from_millis(ms)));
            }
            "due" => self.due = Some(At::from_ms(reader.uint("due in ms (uint)")?)),
            "unknown" => self.unknown = reader.uint32("unknown", "unknown (uint)")?,
            "history" => {
                for _ in 0..reader.array("the history (array)")? {
                    let (at, error) = Failure::read(reader)?;
                    self.push_failure(at, error);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Failure {
    pub(super) fn write(&self, out: &mut Writer) {
        out.array(2);
        out.uint(self.at.as_ms());
        out.str(cut(&self.error, MAX_FAILURE_LEN));
    }

    pub(super) fn read<'a>(reader: &mut Reader<'a>) -> Result<(At, &'a str), EnvelopeError> {
        const FAILURE: &str = "a failure (array of time and text)";
        let start = reader.at();
        if reader.array(FAILURE)? != 2 {
            return Err(reader.unexpected(start, FAILURE));
        }
        let at = At::from_ms(reader.uint("the time of a failure in ms (uint)")?);
        Ok((at, reader.str("the text of a failure (str)")?))
    }
}

/// Whole milliseconds, rounded up: a short duration must not become none.
pub(super) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
