//! The structural scan of a msgpack value: its depth, its counts and its lengths, without
//! recursion and without memory, before anything that recurses sees a byte.

use super::reader::{Head, Reader};
use crate::error::EnvelopeError;

/// The deepest nesting of arrays and maps.
pub(super) const MAX_DEPTH: usize = 64;

const VALUE: &str = "a msgpack value";

/// Passes over one value, whatever it is. Extension types are legal: whether a job can read one is
/// for its own types to say.
pub(super) fn skip_value(reader: &mut Reader<'_>) -> Result<(), EnvelopeError> {
    // Values still to come in each array and map that is open, the innermost last.
    let mut open = [0usize; MAX_DEPTH];
    let mut depth = 0;
    loop {
        let at = reader.at();
        let inside = match reader.head(VALUE)? {
            Head::Str(len) | Head::Bin(len) | Head::Ext(len) => {
                reader.skip(len);
                None
            }
            Head::Array(len) => Some(len),
            Head::Map(len) => Some(len * 2),
            _ => None,
        };
        if let Some(values) = inside {
            if depth == MAX_DEPTH {
                let limit = MAX_DEPTH;
                return Err(EnvelopeError::TooDeep { at, limit });
            }
            // One more than it holds: its own end is counted below like that of any other value.
            open[depth] = values + 1;
            depth += 1;
        }
        while depth > 0 {
            open[depth - 1] -= 1;
            if open[depth - 1] > 0 {
                break;
            }
            depth -= 1;
        }
        if depth == 0 {
            return Ok(());
        }
    }
}

/// Checks that the bytes are exactly one value.
pub(super) fn check_value(bytes: &[u8]) -> Result<(), EnvelopeError> {
    let mut reader = Reader::new(bytes);
    skip_value(&mut reader)?;
    reader.end()
}
