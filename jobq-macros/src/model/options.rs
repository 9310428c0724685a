//! What the settings of an attribute mean: every key, every value, and how they go together.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Expr, ExprUnary, Ident, Lit, LitStr, Path, UnOp};

use super::nearest::nearest;
use super::{Errors, duration};
use crate::parse::{Setting, Settings};

/// What the attribute sets. What it leaves out has its default in `jobq`.
pub(crate) struct Options {
    pub(crate) krate: Path,
    pub(crate) name: Option<String>,
    pub(crate) queue: Option<String>,
    pub(crate) retries: Option<u32>,
    pub(crate) backoff: Option<Policy>,
    pub(crate) timeout: Option<Option<Duration>>,
    pub(crate) blocking: Option<Ident>,
}

/// A delay policy. Unset fields are the strategy's own.
#[derive(Debug, PartialEq)]
pub(crate) struct Policy {
    pub(crate) strategy: Strategy,
    pub(crate) base: Duration,
    pub(crate) max: Option<Duration>,
    pub(crate) factor: Option<f64>,
    pub(crate) jitter: Option<Jitter>,
}

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

impl Strategy {
    /// The base delay, and the cap where there is one: as in `jobq::Backoff`.
    fn defaults(self) -> (Duration, Option<Duration>) {
        let seconds = Duration::from_secs;
        match self {
            Self::Fixed => (seconds(5), None),
            Self::Linear => (seconds(10), Some(seconds(180))),
            Self::Exponential => (seconds(1), Some(seconds(300))),
        }
    }
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

/// A value, and what to blame for it.
struct At<T> {
    value: T,
    blame: TokenStream,
}

#[derive(Default)]
struct Read {
    krate: Option<Path>,
    name: Option<String>,
    queue: Option<String>,
    retries: Option<u32>,
    strategy: Option<Strategy>,
    base_delay: Option<At<Duration>>,
    max_delay: Option<At<Duration>>,
    factor: Option<At<f64>>,
    jitter: Option<Jitter>,
    timeout: Option<Option<Duration>>,
    blocking: Option<Ident>,
}

impl Options {
    /// Reads all settings; what is wrong goes to `errors` and counts as not set.
    pub(crate) fn new(settings: &Settings, errors: &mut Errors) -> Self {
        let mut read = Read::default();
        let mut seen: Vec<&Ident> = Vec::new();
        for setting in &settings.0 {
            errors.take(set_once(&mut seen, &setting.key));
            errors.take(read.set(setting));
        }
        let backoff = read.policy(errors);
        Self {
            krate: read.krate.unwrap_or_else(|| syn::parse_quote!(::jobq)),
            name: read.name,
            queue: read.queue,
            retries: read.retries,
            backoff,
            timeout: read.timeout,
            blocking: read.blocking,
        }
    }
}

fn set_once<'a>(seen: &mut Vec<&'a Ident>, key: &'a Ident) -> syn::Result<()> {
    if seen.contains(&key) {
        return Err(syn::Error::new(key.span(), format!("`{key}` is set twice")));
    }
    seen.push(key);
    Ok(())
}

impl Read {
    fn set(&mut self, setting: &Setting) -> syn::Result<()> {
        match setting.key.unraw().to_string().as_str() {
            "name" => self.name = Some(name(setting)?),
            "queue" => self.queue = Some(queue(setting)?),
            "retries" => self.retries = Some(retries(setting)?),
            "backoff" => self.strategy = Some(strategy(setting)?),
            "base_delay" => self.base_delay = Some(at(setting, delay(setting)?)),
            "max_delay" => self.max_delay = Some(at(setting, delay(setting)?)),
            "factor" => self.factor = Some(at(setting, factor(setting)?)),
            "jitter" => self.jitter = Some(jitter(setting)?),
            "timeout" => self.timeout = Some(timeout(setting)?),
            "blocking" => self.blocking = Some(flag(setting)?),
            "crate" => self.krate = Some(path(setting)?),
            _ => return Err(unknown_key(&setting.key)),
        }
        Ok(())
    }

    /// The settings that make a delay policy together; `None` if there are none of them.
    fn policy(&self, errors: &mut Errors) -> Option<Policy> {
        let any = self.strategy.is_some()
            || self.base_delay.is_some()
            || self.max_delay.is_some()
            || self.factor.is_some()
            || self.jitter.is_some();
        let strategy = self.strategy.unwrap_or(Strategy::Exponential);
        errors.take(self.check_factor(strategy));
        errors.take(self.check_delays(strategy));
        any.then(|| Policy {
            strategy,
            base: value(self.base_delay.as_ref()).unwrap_or(strategy.defaults().0),
            max: value(self.max_delay.as_ref()),
            factor: value(self.factor.as_ref()),
            jitter: self.jitter,
        })
    }

    fn check_factor(&self, strategy: Strategy) -> syn::Result<()> {
        match &self.factor {
            Some(factor) if strategy != Strategy::Exponential => Err(syn::Error::new_spanned(
                &factor.blame,
                "`factor` goes with `backoff = \"exponential\"` only",
            )),
            _ => Ok(()),
        }
    }

    fn check_delays(&self, strategy: Strategy) -> syn::Result<()> {
        let (base, cap) = strategy.defaults();
        match (&self.base_delay, &self.max_delay) {
            (Some(base), Some(max)) if base.value > max.value => Err(syn::Error::new_spanned(
                &base.blame,
                "`base_delay` is longer than `max_delay`; expected at most that",
            )),
            (Some(base), None) if cap.is_some_and(|cap| base.value > cap) => {
                Err(syn::Error::new_spanned(
                    &base.blame,
                    format!(
                        "`base_delay` is longer than `max_delay`, which is {:?} unless set: set it too",
                        cap.unwrap_or_default()
                    ),
                ))
            }
            (None, Some(max)) if base > max.value => Err(syn::Error::new_spanned(
                &max.blame,
                format!(
                    "`max_delay` is shorter than `base_delay`, which is {base:?} unless set: set it too"
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn at<T>(setting: &Setting, value: T) -> At<T> {
    let blame = setting.blame();
    At { value, blame }
}

fn value<T: Copy>(at: Option<&At<T>>) -> Option<T> {
    at.map(|at| at.value)
}

fn unknown_key(key: &Ident) -> syn::Error {
    let known = KEYS.map(|(name, _)| name);
    let meant = match nearest(&key.to_string(), &known) {
        Some(meant) => format!(" did you mean `{meant}`?"),
        None => String::new(),
    };
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
    let key = setting.key.unraw().to_string();
    let written = KEYS.iter().find(|(name, _)| *name == key);
    let example = written.map_or("", |(_, example)| example);
    wrong(setting, format!("`{key}` takes {kind}: `{example}`"))
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

fn name(setting: &Setting) -> syn::Result<String> {
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

fn queue(setting: &Setting) -> syn::Result<String> {
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

fn retries(setting: &Setting) -> syn::Result<u32> {
    let kind = "a whole number from 0 to 4294967295";
    match literal(setting.value.as_ref()) {
        Some(Lit::Int(int)) => int.base10_parse().map_err(|_| expected(setting, kind)),
        _ => Err(expected(setting, kind)),
    }
}

fn strategy(setting: &Setting) -> syn::Result<Strategy> {
    match string(setting, "a strategy")?.value().as_str() {
        "fixed" => Ok(Strategy::Fixed),
        "linear" => Ok(Strategy::Linear),
        "exponential" => Ok(Strategy::Exponential),
        _ => Err(wrong(
            setting,
            "unknown backoff; expected fixed, linear or exponential",
        )),
    }
}

fn delay(setting: &Setting) -> syn::Result<Duration> {
    let text = string(setting, "a duration with a unit")?.value();
    duration::parse(&text).map_err(|message| wrong(setting, message))
}

fn timeout(setting: &Setting) -> syn::Result<Option<Duration>> {
    match string(setting, "a duration with a unit, or \"none\"")?
        .value()
        .as_str()
    {
        "none" => Ok(None),
        _ => delay(setting).map(Some),
    }
}

fn factor(setting: &Setting) -> syn::Result<f64> {
    let factor = number(setting, "a number above 0")?;
    match factor.is_finite() && factor > 0.0 {
        true => Ok(factor),
        false => Err(wrong(setting, "expected a finite factor above 0")),
    }
}

fn jitter(setting: &Setting) -> syn::Result<Jitter> {
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

fn flag(setting: &Setting) -> syn::Result<Ident> {
    match setting.value {
        None => Ok(setting.key.clone()),
        Some(_) => Err(wrong(setting, "`blocking` takes no value")),
    }
}

fn path(setting: &Setting) -> syn::Result<Path> {
    let kind = "the path at which jobq is found";
    match &setting.value {
        Some(Expr::Path(path)) if path.qself.is_none() => Ok(path.path.clone()),
        value => match literal(value.as_ref()) {
            Some(Lit::Str(text)) => text
                .parse_with(Path::parse_mod_style)
                .map_err(|_| expected(setting, kind)),
            _ => Err(expected(setting, kind)),
        },
    }
}
