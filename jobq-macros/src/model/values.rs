//! The keys of the attribute, and the values they take. A value that does not fit is an error at
//! the value, which says what would.

use std::time::Duration;

use syn::ext::IdentExt;
use syn::{Expr, ExprUnary, Ident, Lit, LitStr, Path, UnOp};

use super::duration;
use super::nearest::nearest;
use crate::parse::Setting;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    Fixed,
    Linear,
    Exponential,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Jitter {
    None,
    Full,
    Equal,
    Fraction(f64),
}

/// Every key, and how it is written.
const KEYS: [(&str, &str); 11] = [
    ("name", "name = \"send_welcome\""),
    ("queue", "queue = \"mail\""),
    ("retries", "retries = 3"),
    ("backoff", "backoff = \"exponential\""),
    ("base_delay", "base_delay = \"10s\""),
    ("max_delay", "max_delay = \"5m\""),
    ("factor", "factor = 2.0"),
    ("jitter", "jitter = 0.2"),
    ("timeout", "timeout = \"10m\""),
    ("blocking", "blocking"),
    ("crate", "crate = my::jobq"),
];

pub(super) fn unknown_key(key: &Ident) -> syn::Error {
    let known = KEYS.map(|(name, _)| name);
    let meant = nearest(&key.to_string(), &known);
    let meant = meant.map_or_else(String::new, |meant| format!(" did you mean `{meant}`?"));
    let known = known.join(", ");
    syn::Error::new(
        key.span(),
        format!("unknown key `{key}`;{meant} known keys: {known}"),
    )
}

fn wrong(setting: &Setting, message: impl std::fmt::Display) -> syn::Error {
    syn::Error::new_spanned(setting.blame(), message)
}

/// The value is missing, or of another kind than the key takes.
fn expected(setting: &Setting, kind: &str) -> syn::Error {
    if let Some(text) = setting.value.as_ref().and_then(unquoted)
        && example(setting).ends_with('"')
    {
        let key = &setting.key;
        return wrong(
            setting,
            format!("`{key}` takes {kind}, in quotes: `{key} = \"{text}\"`"),
        );
    }
    // A path, a call, a sum: what it comes to is not known when a macro runs.
    let computed =
        |value: &Expr| !matches!(value, Expr::Unary(_)) && literal(Some(value)).is_none();
    match setting.value.as_ref().is_some_and(computed) {
        true => takes(setting, &format!("{kind}, written here as a literal")),
        false => takes(setting, kind),
    }
}

fn takes(setting: &Setting, kind: &str) -> syn::Error {
    let (key, example) = (setting.key.unraw(), example(setting));
    wrong(setting, format!("`{key}` takes {kind}: `{example}`"))
}

/// How the key is written.
fn example(setting: &Setting) -> &'static str {
    let key = setting.key.unraw().to_string();
    let written = KEYS.iter().find(|(name, _)| *name == key);
    written.map_or("", |(_, example)| example)
}

/// What seems to be text without its quotes: `linear`, `10s`. A word in capitals is a constant.
fn unquoted(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => {
            let word = path.path.get_ident()?.to_string();
            word.contains(char::is_lowercase).then_some(word)
        }
        Expr::Group(group) => unquoted(&group.expr),
        value => match literal(Some(value))? {
            Lit::Int(number) if !number.suffix().is_empty() => Some(number.to_string()),
            Lit::Float(number) if !number.suffix().is_empty() => Some(number.to_string()),
            _ => None,
        },
    }
}

/// The literal that a value is, through the invisible groups of `macro_rules!`.
fn literal(value: Option<&Expr>) -> Option<&Lit> {
    match value? {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Group(group) => literal(Some(&group.expr)),
        _ => None,
    }
}

fn string(setting: &Setting, kind: &str) -> syn::Result<LitStr> {
    match literal(setting.value.as_ref()) {
        Some(Lit::Str(text)) => Ok(text.clone()),
        _ => Err(expected(setting, kind)),
    }
}

/// A number, its sign read too so that the message can be about the range.
fn number(setting: &Setting, kind: &str) -> syn::Result<f64> {
    let (sign, value) = match &setting.value {
        Some(Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        })) => (-1.0, Some(&**expr)),
        value => (1.0, value.as_ref()),
    };
    let number = match literal(value) {
        Some(Lit::Float(float)) => float.base10_parse::<f64>(),
        Some(Lit::Int(int)) => int.base10_parse::<f64>(),
        _ => return Err(expected(setting, kind)),
    };
    number
        .map(|number| sign * number)
        .map_err(|_| expected(setting, kind))
}

pub(super) fn name(setting: &Setting) -> syn::Result<String> {
    let text = string(setting, "a string")?.value();
    let legal = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
    match legal {
        true => Ok(text),
        false => Err(wrong(
            setting,
            "expected a name of 1 to 128 bytes without control characters",
        )),
    }
}

pub(super) fn queue(setting: &Setting) -> syn::Result<String> {
    let text = string(setting, "a string")?.value();
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    match (1..=128).contains(&text.len()) && text.chars().all(legal) {
        true => Ok(text),
        false => Err(wrong(
            setting,
            "expected a queue name of 1 to 128 characters of A-Z, a-z, 0-9, `_`, `.`, `:` and `-`",
        )),
    }
}

pub(super) fn retries(setting: &Setting) -> syn::Result<u32> {
    let kind = "a whole number from 0 to 4294967295";
    match literal(setting.value.as_ref()) {
        Some(Lit::Int(int)) => int.base10_parse().map_err(|_| expected(setting, kind)),
        _ => Err(expected(setting, kind)),
    }
}

pub(super) fn strategy(setting: &Setting) -> syn::Result<Strategy> {
    match string(setting, "a strategy")?.value().as_str() {
        "fixed" => Ok(Strategy::Fixed),
        "linear" => Ok(Strategy::Linear),
        "exponential" => Ok(Strategy::Exponential),
        other => {
            let meant = nearest(other, &["fixed", "linear", "exponential"]);
            let meant =
                meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            let expected = "expected fixed, linear or exponential";
            Err(wrong(
                setting,
                format!("unknown backoff; {expected}{meant}"),
            ))
        }
    }
}

pub(super) fn delay(setting: &Setting) -> syn::Result<Duration> {
    let text = string(setting, "a duration with a unit")?.value();
    duration::parse(&text).map_err(|message| wrong(setting, message))
}

pub(super) fn timeout(setting: &Setting) -> syn::Result<Option<Duration>> {
    match string(setting, "a duration with a unit, or \"none\"")?
        .value()
        .as_str()
    {
        "none" => Ok(None),
        _ => delay(setting).map(Some),
    }
}

pub(super) fn factor(setting: &Setting) -> syn::Result<f64> {
    let factor = number(setting, "a number above 0")?;
    match factor.is_finite() && factor > 0.0 {
        true => Ok(factor),
        false => Err(wrong(setting, "expected a finite factor above 0")),
    }
}

pub(super) fn jitter(setting: &Setting) -> syn::Result<Jitter> {
    const KINDS: &str = "\"full\", \"equal\", \"none\" or a fraction from 0.0 to 1.0";
    if let Some(Lit::Str(text)) = literal(setting.value.as_ref()) {
        return match text.value().as_str() {
            "none" => Ok(Jitter::None),
            "full" => Ok(Jitter::Full),
            "equal" => Ok(Jitter::Equal),
            _ => Err(wrong(setting, format!("unknown jitter; expected {KINDS}"))),
        };
    }
    let fraction = number(setting, KINDS)?;
    match (0.0..=1.0).contains(&fraction) {
        true => Ok(Jitter::Fraction(fraction)),
        false => Err(wrong(
            setting,
            format!("jitter out of range; expected {KINDS}"),
        )),
    }
}

pub(super) fn flag(setting: &Setting) -> syn::Result<Ident> {
    match setting.value {
        None => Ok(setting.key.clone()),
        Some(_) => Err(wrong(setting, "`blocking` takes no value")),
    }
}

pub(super) fn path(setting: &Setting) -> syn::Result<Path> {
    let kind = "the path at which jobq is found";
    match &setting.value {
        Some(Expr::Path(path)) if path.qself.is_none() => Ok(path.path.clone()),
        value => match literal(value.as_ref()) {
            Some(Lit::Str(text)) => text
                .parse_with(Path::parse_mod_style)
                .map_err(|_| takes(setting, kind)),
            _ => Err(takes(setting, kind)),
        },
    }
}
