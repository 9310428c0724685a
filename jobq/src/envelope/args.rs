//! The arguments of a job: a msgpack map by parameter name.

use super::reader::Reader;
use super::scan::check_value;
use crate::error::{BoxError, EnvelopeError, escaped};
use crate::job::Job;

/// What serde writes for a struct without a body, which is a job without arguments.
const NO_FIELDS: &[u8] = &[0x90];
const EMPTY_MAP: &[u8] = &[0x80];

/// The longest reason of an [`EnvelopeError::Arguments`], in characters.
const MAX_REASON: usize = 200;

/// The arguments of a job as a msgpack map by name.
pub(crate) fn encode_args<J: Job>(job: &J) -> Result<Vec<u8>, BoxError> {
    let mut args = rmp_serde::to_vec_named(job)?;
    if args == NO_FIELDS {
        args = EMPTY_MAP.to_vec();
    }
    check_value(&args)?;
    Reader::new(&args).map("arguments with names (a struct with named fields)")?;
    Ok(args)
}

/// The arguments of a job, read after a bounded, iterative scan of their structure: serde's own
/// recursion never sees a depth or a length that was not checked.
///
/// # Errors
///
/// [`EnvelopeError`], if the bytes are not well-formed or do not fit.
pub fn decode_args<J: Job>(args: &[u8]) -> Result<J, EnvelopeError> {
    check_value(args)?;
    Reader::new(args).map("the arguments (map)")?;
    rmp_serde::from_slice(args).map_err(|error| EnvelopeError::Arguments {
        job: J::NAME,
        reason: escaped(&error.to_string(), MAX_REASON),
    })
}
