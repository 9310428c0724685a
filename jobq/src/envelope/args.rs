//! The arguments of a job: a msgpack map by parameter name.

use serde::Serialize;
use serde::de::DeserializeSeed;

use super::limit::Limited;
use super::reader::Reader;
use super::scan::check_value;
use crate::error::{BoxError, EnvelopeError, escaped};
use crate::job::Job;

/// What serde writes, and wants to read, for a struct without a body: a job without arguments.
const NO_FIELDS: &[u8] = &[0x90];
const EMPTY_MAP: &[u8] = &[0x80];

/// Bytes of most arguments, about: room for them is made at once.
const USUAL_LEN: usize = 128;

/// The longest reason of an [`EnvelopeError::Arguments`], in characters.
const MAX_REASON: usize = 200;

/// The arguments of a job as a msgpack map by name, in place of what `args` holds.
pub(crate) fn encode_args(job: &impl Serialize, args: &mut Vec<u8>) -> Result<(), BoxError> {
    args.clear();
    args.reserve(USUAL_LEN);
    let mut format = rmp_serde::Serializer::new(&mut *args).with_struct_map();
    job.serialize(Limited::new(&mut format))?;
    if args == NO_FIELDS {
        EMPTY_MAP.clone_into(args);
    }
    check_value(args)?;
    Reader::new(args).map("arguments with names (a struct with named fields)")?;
    Ok(())
}

/// The arguments of a job, read after a bounded, iterative scan of their structure: serde never
/// sees a length that was not checked, and its recursion is bounded whatever the types are.
///
/// # Errors
///
/// [`EnvelopeError`], if the bytes are not well-formed or do not fit.
pub(crate) fn decode_args<J: Job>(args: &[u8]) -> Result<J, EnvelopeError> {
    check_value(args)?;
    let pairs = Reader::new(args).map("the arguments (map)")?;
    deserialize(args)
        .or_else(|error| match pairs {
            0 => deserialize(NO_FIELDS).map_err(|_| error),
            _ => Err(error),
        })
        .map_err(|error| EnvelopeError::Arguments {
            job: J::NAME,
            reason: escaped(&in_words(&error.to_string()), MAX_REASON),
        })
}

/// A value as whatever `seed` makes of it, scanned first like arguments of a job. `None` if it is not
/// well-formed, or `seed` refuses it.
pub(crate) fn read_value<'a, S: DeserializeSeed<'a>>(value: &'a [u8], seed: S) -> Option<S::Value> {
    check_value(value).ok()?;
    let mut format = rmp_serde::Deserializer::from_read_ref(value);
    seed.deserialize(Limited::new(&mut format)).ok()
}

/// What an error says, without the format's name for the type that came: the library tells nothing
/// else where a number is asked for and something else came.
fn in_words(error: &str) -> String {
    const MARKER: &str = "wrong msgpack marker ";
    let Some((front, marker)) = error.split_once(MARKER) else {
        return error.to_owned();
    };
    let name: String = marker.chars().take_while(|c| c.is_alphabetic()).collect();
    let came = match name.as_str() {
        "FixStr" | "Str" => "a string",
        "FixPos" | "FixNeg" | "U" | "I" => "a whole number",
        "F" => "a number with a fraction",
        "True" | "False" => "a truth value",
        "FixArray" | "Array" => "an array",
        "FixMap" | "Map" => "a map",
        "Bin" => "bytes",
        "Null" => "nothing (nil)",
        _ => "an extension of msgpack",
    };
    format!("{front}invalid type: {came}")
}

fn deserialize<J: Job>(args: &[u8]) -> Result<J, rmp_serde::decode::Error> {
    let mut format = rmp_serde::Deserializer::from_read_ref(args);
    J::deserialize(Limited::new(&mut format))
}

#[cfg(test)]
mod tests {
    use rmp::Marker;

    use super::*;

    #[test]
    fn a_marker_is_told_as_what_came() {
        for (marker, came) in [
            (Marker::FixStr(3), "a string"),
            (Marker::Str16, "a string"),
            (Marker::U8, "a whole number"),
            (Marker::I64, "a whole number"),
            (Marker::F32, "a number with a fraction"),
            (Marker::True, "a truth value"),
            (Marker::False, "a truth value"),
            (Marker::FixArray(1), "an array"),
            (Marker::Map32, "a map"),
            (Marker::Bin8, "bytes"),
            (Marker::Null, "nothing (nil)"),
        ] {
            let error = rmp_serde::decode::Error::TypeMismatch(marker);
            let told = in_words(&format!("argument `width`: {error}"));
            assert_eq!(told, format!("argument `width`: invalid type: {came}"));
        }
        assert_eq!(in_words("missing field `width`"), "missing field `width`");
    }
}
