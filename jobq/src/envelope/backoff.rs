//! A delay policy on the wire: a map of `strategy`, `base`, `max`, `factor` and `jitter`.

use std::time::Duration;

use super::options::whole_ms;
use super::reader::{Head, Reader};
use super::scan::skip_value;
use super::writer::Writer;
use crate::error::{EnvelopeError, quoted};
use crate::retry::{Backoff, Jitter, Strategy};

pub(super) fn write_backoff(backoff: &Backoff, out: &mut Writer) {
    let grows = backoff.strategy == Strategy::Exponential;
    out.map(4 + usize::from(grows));
    out.str("strategy");
    out.str(match backoff.strategy {
        Strategy::Fixed => "fixed",
        Strategy::Linear => "linear",
        Strategy::Exponential => "exponential",
    });
    out.str("base");
    out.uint(whole_ms(backoff.base));
    out.str("max");
    out.uint(whole_ms(backoff.max));
    if grows {
        out.str("factor");
        out.float(backoff.sound_factor());
    }
    out.str("jitter");
    match backoff.jitter.sound() {
        Jitter::None => out.str("none"),
        Jitter::Full => out.str("full"),
        Jitter::Equal => out.str("equal"),
        Jitter::Fraction(j) => out.float(j),
    }
}

/// Reads a policy. What it does not say is as in the defaults of its strategy, which must be
/// there; keys this build does not know are ignored.
pub(super) fn read_backoff(reader: &mut Reader<'_>) -> Result<Backoff, EnvelopeError> {
    let (mut strategy, mut base, mut max, mut factor, mut jitter) = (None, None, None, None, None);
    let start = reader.at();
    for _ in 0..reader.map("backoff (map)")? {
        match reader.str("the name of a backoff setting (str)")? {
            "strategy" => strategy = Some(read_strategy(reader)?),
            "base" => base = Some(reader.uint("base in ms (uint)")?),
            "max" => max = Some(reader.uint("max in ms (uint)")?),
            "factor" => factor = Some(read_factor(reader)?),
            "jitter" => jitter = Some(read_jitter(reader)?),
            _ => skip_value(reader)?,
        }
    }
    let strategy = strategy.ok_or(EnvelopeError::Unexpected {
        at: start,
        expected: "a backoff with a strategy",
    })?;
    let mut backoff = Backoff::from(strategy);
    backoff.base = base.map_or(backoff.base, Duration::from_millis);
    backoff.max = max.map_or(backoff.max, Duration::from_millis);
    if strategy == Strategy::Exponential {
        backoff.factor = factor.unwrap_or(backoff.factor);
    }
    backoff.jitter = jitter.unwrap_or(backoff.jitter);
    Ok(backoff)
}

fn read_strategy(reader: &mut Reader<'_>) -> Result<Strategy, EnvelopeError> {
    match reader.str("strategy (str)")? {
        "fixed" => Ok(Strategy::Fixed),
        "linear" => Ok(Strategy::Linear),
        "exponential" => Ok(Strategy::Exponential),
        other => Err(EnvelopeError::OutOfRange {
            field: "strategy",
            value: quoted(other),
            expected: "fixed, linear or exponential",
        }),
    }
}

fn read_factor(reader: &mut Reader<'_>) -> Result<f64, EnvelopeError> {
    let what = "factor (float)";
    let at = reader.at();
    let head = reader.head(what)?;
    match number(head).ok_or(reader.unexpected(at, what))? {
        factor if factor.is_finite() && factor > 0.0 => Ok(factor),
        other => Err(EnvelopeError::OutOfRange {
            field: "factor",
            value: other.to_string(),
            expected: "a number above 0",
        }),
    }
}

fn read_jitter(reader: &mut Reader<'_>) -> Result<Jitter, EnvelopeError> {
    let what = "jitter (str or float)";
    let out_of_range = |value| EnvelopeError::OutOfRange {
        field: "jitter",
        value,
        expected: "none, full, equal or a number from 0 to 1",
    };
    let at = reader.at();
    match reader.head(what)? {
        Head::Str(len) => match reader.text(len, what)? {
            "none" => Ok(Jitter::None),
            "full" => Ok(Jitter::Full),
            "equal" => Ok(Jitter::Equal),
            other => Err(out_of_range(quoted(other))),
        },
        head => match number(head).ok_or(reader.unexpected(at, what))? {
            j if (0.0..=1.0).contains(&j) => Ok(Jitter::Fraction(j)),
            j => Err(out_of_range(j.to_string())),
        },
    }
}

/// A number where a float belongs: many languages write a whole one as an integer.
fn number(head: Head) -> Option<f64> {
    match head {
        Head::Float(n) => Some(n),
        Head::Uint(n) => Some(n as f64),
        Head::Negative(n) => Some(n as f64),
        _ => None,
    }
}
