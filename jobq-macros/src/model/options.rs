//! What the settings of an attribute mean: every key, every value, and how they go together.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Ident, Path};

use super::values::{self, Jitter, Strategy};
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
                        "`base_delay` is longer than `max_delay`, which is {} unless set: set it too",
                        duration::text(cap.unwrap_or_default())
                    ),
                ))
            }
            (None, Some(max)) if base > max.value => Err(syn::Error::new_spanned(
                &max.blame,
                format!(
                    "`max_delay` is shorter than `base_delay`, which is {} unless set: set it too",
                    duration::text(base)
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

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;

    /// The options, or all messages.
    fn read(settings: TokenStream) -> Result<Options, Vec<String>> {
        let mut errors = Errors::default();
        let options = Options::new(&syn::parse2(settings).expect("settings"), &mut errors);
        match errors.into_inner() {
            Some(error) => Err(error.into_iter().map(|error| error.to_string()).collect()),
            None => Ok(options),
        }
    }

    fn policy(settings: TokenStream) -> Policy {
        let options = read(settings).unwrap_or_else(|errors| panic!("{errors:?}"));
        options.backoff.expect("a policy")
    }

    #[test]
    fn what_is_not_set_is_left_to_the_library() {
        let options = read(quote!()).unwrap_or_else(|errors| panic!("{errors:?}"));
        assert!(options.name.is_none() && options.queue.is_none() && options.retries.is_none());
        assert!(options.backoff.is_none() && options.timeout.is_none());
        assert!(options.blocking.is_none());
    }

    #[test]
    fn a_policy_takes_what_is_left_out_from_its_strategy() {
        let seconds = Duration::from_secs;
        for (settings, strategy, base, max) in [
            (quote!(backoff = "fixed"), Strategy::Fixed, 5, None),
            (quote!(backoff = "linear"), Strategy::Linear, 10, None),
            (quote!(jitter = "full"), Strategy::Exponential, 1, None),
            (quote!(base_delay = "5m"), Strategy::Exponential, 300, None),
            (
                quote!(backoff = "fixed", base_delay = "2h"),
                Strategy::Fixed,
                7200,
                None,
            ),
            (
                quote!(base_delay = "1h", max_delay = "2h"),
                Strategy::Exponential,
                3600,
                Some(7200),
            ),
        ] {
            let policy = policy(settings);
            assert_eq!((policy.strategy, policy.base), (strategy, seconds(base)));
            assert_eq!(policy.max, max.map(seconds));
        }
    }

    #[test]
    fn jitter_is_a_word_or_a_fraction() {
        for (settings, jitter) in [
            (quote!(jitter = "none"), Jitter::None),
            (quote!(jitter = "equal"), Jitter::Equal),
            (quote!(jitter = 0), Jitter::Fraction(0.0)),
            (quote!(jitter = 1.0), Jitter::Fraction(1.0)),
        ] {
            assert_eq!(policy(settings).jitter, Some(jitter));
        }
    }

    #[test]
    fn borders_of_the_ranges_are_inside() {
        let long = "q".repeat(128);
        for settings in [
            quote!(retries = 0),
            quote!(retries = 4294967295),
            quote!(factor = 1),
            quote!(factor = 0.001),
            quote!(timeout = "none"),
            quote!(timeout = "1ms"),
            quote!(queue = "a.B_9:x-"),
            quote!(queue = #long, name = #long),
            quote!(base_delay = "1s", max_delay = "1s"),
        ] {
            assert!(read(settings.clone()).is_ok(), "{settings}");
        }
    }

    #[test]
    fn each_mistake_is_one_error() {
        let long = "q".repeat(129);
        for (settings, expected) in [
            (quote!(queue = #long), "1 to 128"),
            (quote!(name = #long), "1 to 128"),
            (quote!(queue = "größe"), "1 to 128"),
            (quote!(retries = 1.5), "whole number"),
            (quote!(retries = true), "whole number"),
            (quote!(factor = 1e999), "above 0"),
            (quote!(factor = -0.0), "above 0"),
            (quote!(jitter = -0.1), "out of range"),
            (quote!(jitter = 1.01), "out of range"),
            (quote!(jitter), "takes"),
            (quote!(timeout = "None"), "whole number and a unit"),
            (quote!(blocking, blocking), "set twice"),
            (quote!(crate = "a b"), "path"),
            (quote!(crate = <T as U>::V), "path"),
        ] {
            let errors = read(settings.clone()).err().expect("an error");
            assert_eq!(errors.len(), 1, "{settings}: {errors:?}");
            assert!(errors[0].contains(expected), "{settings}: {errors:?}");
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let errors = read(quote!(
            queue = "",
            retries = -1,
            backoff = "never",
            timeout = "10",
            retries = 3,
            colour = "red"
        ));
        assert_eq!(errors.err().expect("errors").len(), 6);
    }
}
