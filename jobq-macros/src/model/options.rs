//! What the settings of an attribute mean: every key, every value, and how they go together.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Ident, Path};

use super::Errors;
use super::values::{self, Jitter, Strategy};
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
            "name" => self.name = Some(values::name(setting)?),
            "queue" => self.queue = Some(values::queue(setting)?),
            "retries" => self.retries = Some(values::retries(setting)?),
            "backoff" => self.strategy = Some(values::strategy(setting)?),
            "base_delay" => self.base_delay = Some(at(setting, values::delay(setting)?)),
            "max_delay" => self.max_delay = Some(at(setting, values::delay(setting)?)),
            "factor" => self.factor = Some(at(setting, values::factor(setting)?)),
            "jitter" => self.jitter = Some(values::jitter(setting)?),
            "timeout" => self.timeout = Some(values::timeout(setting)?),
            "blocking" => self.blocking = Some(values::flag(setting)?),
            "crate" => self.krate = Some(values::path(setting)?),
            _ => return Err(values::unknown_key(&setting.key)),
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
