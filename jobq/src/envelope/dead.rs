//! Dead records: a job that was given up, with the reason.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::options::Failure;
use super::reader::Reader;
use super::writer::Writer;
use crate::error::{EnvelopeError, cut, quoted};
use crate::id::JobId;
use crate::timestamp::At;
use crate::verdict::MAX_ERROR_LEN;

/// Why a job was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its retries are used up.
    Exhausted,
    /// Its error said that trying again cannot help.
    Fatal,
    /// Three workers died with it.
    Crashed,
    /// It was not run in time. Reserved: nothing gives a job up for this yet.
    Expired,
    /// Its bytes are no envelope, or its arguments do not fit the job.
    Undecodable,
    /// No worker knew its name for 24 hours.
    UnknownJob,
}

impl Reason {
    pub(super) const ALL: [Self; 6] = [
        Self::Exhausted,
        Self::Fatal,
        Self::Crashed,
        Self::Expired,
        Self::Undecodable,
        Self::UnknownJob,
    ];

    /// The word for it in a dead record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Fatal => "fatal",
            Self::Crashed => "crashed",
            Self::Expired => "expired",
            Self::Undecodable => "undecodable",
            Self::UnknownJob => "unknown job",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = EnvelopeError;

    fn from_str(s: &str) -> Result<Self, EnvelopeError> {
        let known = Self::ALL.into_iter().find(|reason| reason.as_str() == s);
        known.ok_or_else(|| EnvelopeError::OutOfRange {
            field: "reason",
            value: quoted(s),
            expected: "exhausted, fatal, crashed, expired, undecodable or unknown job",
        })
    }
}

/// A job in the dead list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadRecord {
    /// The job's id; zeros if the bytes were no envelope.
    pub id: JobId,
    /// When it was given up, by the store's clock.
    pub died_at: At,
    /// Why.
    pub reason: Reason,
    /// The last error.
    pub error: String,
    /// The envelope with its last failure counted, or the bytes that were none.
    pub envelope: Bytes,
    /// The failures before the last, oldest first: they move here from the envelope.
    pub history: Vec<Failure>,
}

/// Elements before the failures.
const FIXED: usize = 5;

/// The most failures a record holds, so that its array header is one byte.
const MOST_FAILURES: usize = 15 - FIXED;

impl DeadRecord {
    /// Writes the record. The id is the first element and `died_at` the second, both at fixed
    /// offsets (3 and 20) and of fixed width, so that the dead list can be trimmed by age without
    /// decoding. Of the failures the latest ten are kept, of the error 4,096 bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let older = self.history.len().saturating_sub(MOST_FAILURES);
        let history = &self.history[older..];
        let texts: usize = history.iter().map(|f| f.error.len() + 16).sum();
        let mut out = Writer::with_capacity(64 + self.error.len() + self.envelope.len() + texts);
        out.array(FIXED + history.len());
        out.bin(self.id.as_bytes());
        out.wide_uint(self.died_at.as_ms());
        out.str(self.reason.as_str());
        out.str(cut(&self.error, MAX_ERROR_LEN));
        out.bin(&self.envelope);
        history.iter().for_each(|failure| failure.write(&mut out));
        out.finish()
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if the bytes are no dead record.
    pub fn decode(bytes: &Bytes) -> Result<Self, EnvelopeError> {
        const RECORD: &str = "a dead record: an array of 5 to 15 elements (0x95 to 0x9f)";
        const DIED_AT: &str = "the time of death (64-bit uint)";
        let mut reader = Reader::new(bytes);
        let len = match reader.take(1, RECORD)?[0] {
            header @ 0x95..=0x9f => usize::from(header & 0x0f),
            _ => return Err(reader.unexpected(0, RECORD)),
        };
        let id = super::read_id(&mut reader)?;
        if reader.peek().is_some_and(|marker| marker != 0xcf) {
            return Err(reader.unexpected(reader.at(), DIED_AT));
        }
        let died_at = At::from_ms(reader.uint(DIED_AT)?);
        let reason = reader.str("the reason (str)")?.parse()?;
        let error = reader.str("the error (str)")?.to_owned();
        let envelope = bytes.slice(reader.bin("the envelope (bin)")?);
        let history = (FIXED..len)
            .map(|_| {
                let (at, error) = Failure::read(&mut reader)?;
                let error = error.to_owned();
                Ok(Failure { at, error })
            })
            .collect::<Result<_, EnvelopeError>>()?;
        reader.end()?;
        Ok(Self {
            id,
            died_at,
            reason,
            error,
            envelope,
            history,
        })
    }
}
