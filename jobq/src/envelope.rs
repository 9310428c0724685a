//! The wire format: envelopes and dead records as msgpack, version 1
//! (`docs/reference/wire-format.md`). Only this file and its children know msgpack.
//!
//! What is read is bounded: no length is believed, nothing recurses, and nothing is allocated
//! before the bytes it stands for were seen.

mod args;
mod backoff;
mod dead;
mod limit;
mod options;
mod reader;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::mem;
use std::ops::Range;

use bytes::Bytes;

use crate::error::{EnvelopeError, quoted};
use crate::id::JobId;
use crate::job::Job;
use crate::timestamp::At;
use reader::Reader;
use writer::Writer;

pub(crate) use args::{decode_args, encode_args, read_value};
pub use dead::{DeadRecord, Reason};
pub use options::{Failure, Options};

/// The version this build writes, and the only one it reads.
const VERSION: u64 = 1;

/// Elements of an envelope.
const ELEMENTS: u8 = 8;

/// The longest name of a job, in bytes.
pub(crate) const MAX_NAME_LEN: usize = 512;

/// A job as it travels: decoded far enough to be run, the bytes kept as they came.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use jobq::{JobState, job};
///
/// #[job]
/// async fn resize(picture: u64) {}
///
/// # let client = jobq::connect("memory://").await?;
/// resize::enqueue(&client, 7).await?;
/// let waiting = client.queue("default")?.jobs(JobState::Ready, 0, 10).await?;
/// let envelope = waiting[0].envelope()?;
/// assert_eq!(envelope.name(), "resize");
/// assert_eq!(envelope.arguments::<resize>()?.picture, 7);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    bytes: Bytes,
    elements: Elements,
}

/// What the elements are, or where they stand.
#[derive(Clone, PartialEq, Eq)]
struct Elements {
    id: JobId,
    name: Range<usize>,
    args: Range<usize>,
    options: Range<usize>,
    enqueued_at: At,
    failures: u32,
    crashes: u32,
}

impl Envelope {
    /// A new envelope: no failures, no crashes.
    #[must_use]
    pub fn encode(id: JobId, name: &str, args: &[u8], enqueued_at: At, options: &Options) -> Bytes {
        write(
            room_for(name, args),
            id,
            name,
            args,
            enqueued_at,
            [0, 0],
            options,
        )
        .finish()
    }

    /// [`Envelope::encode`], written in memory that is used again and copied out in its exact size.
    pub(crate) fn encode_in(
        scratch: &mut Vec<u8>,
        id: JobId,
        name: &str,
        args: &[u8],
        enqueued_at: At,
        options: &Options,
    ) -> Bytes {
        let out = Writer::over(mem::take(scratch));
        *scratch = write(out, id, name, args, enqueued_at, [0, 0], options).into_inner();
        Bytes::copy_from_slice(scratch)
    }

    /// Reads an envelope, its arguments and options left as bytes.
    ///
    /// Never allocates in proportion to a length it was told, never recurses.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if the bytes are no envelope of version 1.
    pub fn decode(bytes: Bytes) -> Result<Self, EnvelopeError> {
        Self::read(bytes).map_err(|(error, _)| error)
    }

    /// [`Envelope::decode`]; what cannot be read is given back.
    pub(crate) fn read(bytes: Bytes) -> Result<Self, (EnvelopeError, Bytes)> {
        match Elements::read(&bytes) {
            Ok(elements) => Ok(Self { bytes, elements }),
            Err(error) => Err((error, bytes)),
        }
    }

    /// The id alone, from bytes that may be an envelope: it stands first, and nothing behind it is
    /// looked at. `None` if there is none.
    #[must_use]
    pub fn id_of(bytes: &[u8]) -> Option<JobId> {
        read_start(&mut Reader::new(bytes)).ok().map(|(_, id)| id)
    }

    /// What stands behind the first byte of an envelope of this id, whatever its version, if the
    /// id is in the shortest form of a bin: by it a store finds a job without decoding.
    pub(crate) fn id_mark(id: JobId) -> [u8; 18] {
        let mut mark = [0; 18];
        mark[..2].copy_from_slice(&[0xc4, 16]);
        mark[2..].copy_from_slice(id.as_bytes());
        mark
    }

    /// The same job with other counts and options.
    #[must_use]
    pub fn rewrite(&self, failures: u32, crashes: u32, options: &Options) -> Bytes {
        let (name, args, at) = (self.name(), self.args(), self.elements.enqueued_at);
        let (id, counts) = (self.elements.id, [failures, crashes]);
        write(room_for(name, args), id, name, args, at, counts, options).finish()
    }

    /// The options, read only when asked for: a job that has none costs nothing.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if a known key has a value that does not fit, or stands there twice.
    pub fn options(&self) -> Result<Options, EnvelopeError> {
        let Range { start, end } = self.elements.options;
        Options::read(&mut Reader::starting_at(start, &self.bytes[..end]))
    }

    /// Whether there are any options.
    #[must_use]
    pub fn has_options(&self) -> bool {
        // One byte is the header of an empty map; any other way to write one is read as a map.
        self.elements.options.len() > 1
    }

    pub(crate) fn raw_options(&self) -> &[u8] {
        &self.bytes[self.elements.options.clone()]
    }

    /// The job's id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.elements.id
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> &str {
        // Checked by `decode`; without `unsafe` it is checked again.
        std::str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    /// The job's name as bytes, for who looks it up: they are not checked again.
    pub(crate) fn name_bytes(&self) -> &[u8] {
        &self.bytes[self.elements.name.clone()]
    }

    /// The arguments, as a msgpack map.
    #[must_use]
    pub fn args(&self) -> &[u8] {
        &self.bytes[self.elements.args.clone()]
    }

    /// The arguments as the job they were written from. Whether the envelope's name is the job's is
    /// for the caller to check, with [`Job::NAME`].
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], if they do not fit `J`.
    pub fn arguments<J: Job>(&self) -> Result<J, EnvelopeError> {
        decode_args(self.args())
    }

    /// When it was enqueued, by the producer's clock.
    #[must_use]
    pub fn enqueued_at(&self) -> At {
        self.elements.enqueued_at
    }

    /// How often it failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.elements.failures
    }

    /// How many workers died with it since its last clean end.
    #[must_use]
    pub fn crashes(&self) -> u32 {
        self.elements.crashes
    }

    /// The bytes it was read from.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Elements {
    fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut reader = Reader::new(bytes);
        let (header, id) = read_start(&mut reader)?;
        let found = reader.uint("the version (uint)")?;
        if found != VERSION {
            return Err(EnvelopeError::UnknownVersion { found });
        }
        // Only now: another version may have another number of elements.
        if header != 0x90 | ELEMENTS {
            return Err(reader.unexpected(0, ENVELOPE));
        }
        let name = read_name(&mut reader)?;
        let args = reader.bin("the arguments (bin)")?;
        let enqueued_at = At::from_ms(reader.uint("the time of enqueueing in ms (uint)")?);
        let failures = reader.uint32("failures", "the failures (uint)")?;
        let crashes = reader.uint32("crashes", "the crashes (uint)")?;
        let options = skip_options(&mut reader)?;
        reader.end()?;
        Ok(Self {
            id,
            name,
            args,
            options,
            enqueued_at,
            failures,
            crashes,
        })
    }
}

/// Without its payload, which may be long, and secret.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("name", &self.name())
            .field("id", &self.elements.id)
            .field("enqueued_at", &self.elements.enqueued_at)
            .field("failures", &self.elements.failures)
            .field("crashes", &self.elements.crashes)
            .field("args_len", &self.elements.args.len())
            .finish_non_exhaustive()
    }
}

const ENVELOPE: &str = "an envelope: an array of 8 elements (0x98)";

/// Memory for an envelope with the usual options.
fn room_for(name: &str, args: &[u8]) -> Writer {
    let fixed = 64 + Options::USUAL_LEN;
    Writer::with_capacity(fixed + name.len() + args.len())
}

fn write(
    mut out: Writer,
    id: JobId,
    name: &str,
    args: &[u8],
    enqueued_at: At,
    counts: [u32; 2],
    options: &Options,
) -> Writer {
    out.array(ELEMENTS.into());
    out.bin(id.as_bytes());
    out.uint(VERSION);
    out.str(name);
    out.bin(args);
    out.uint(enqueued_at.as_ms());
    counts.into_iter().for_each(|count| out.uint(count.into()));
    options.write(&mut out);
    out
}

/// The first byte, which says how many elements there are, and the id.
fn read_start(reader: &mut Reader<'_>) -> Result<(u8, JobId), EnvelopeError> {
    let header = reader.take(1, ENVELOPE)?[0];
    if !(0x92..=0x9f).contains(&header) {
        return Err(reader.unexpected(0, ENVELOPE));
    }
    Ok((header, read_id(reader)?))
}

fn read_id(reader: &mut Reader<'_>) -> Result<JobId, EnvelopeError> {
    const ID: &str = "the id (bin of 16 bytes)";
    let at = reader.at();
    let range = reader.bin(ID)?;
    let bytes = reader.since(range.start);
    let bytes = bytes.try_into().map_err(|_| reader.unexpected(at, ID))?;
    Ok(JobId::from_bytes(bytes))
}

fn read_name(reader: &mut Reader<'_>) -> Result<Range<usize>, EnvelopeError> {
    let name = reader.str("the job's name (str)")?;
    if name.is_empty() || name.len() > MAX_NAME_LEN {
        return Err(EnvelopeError::OutOfRange {
            field: "name",
            value: quoted(name),
            expected: "1 to 512 bytes",
        });
    }
    Ok(reader.at() - name.len()..reader.at())
}

/// Passes over the options, checking their structure: a map with text for keys.
fn skip_options(reader: &mut Reader<'_>) -> Result<Range<usize>, EnvelopeError> {
    let start = reader.at();
    for _ in 0..reader.map("the options (map)")? {
        reader.str("an option's name (str)")?;
        scan::skip_value(reader)?;
    }
    Ok(start..reader.at())
}
