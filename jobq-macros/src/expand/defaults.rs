//! The settings of the attribute, as constants.

use std::time::Duration;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::model::{Jitter, Options, Policy, Strategy};

pub(super) fn defaults(options: &Options) -> TokenStream {
    let Options {
        queue,
        retries,
        backoff,
        timeout,
        ..
    } = options;
    let queue = queue.as_ref().map(|queue| quote!(.queue(#queue)));
    let retries = retries.map(|retries| quote!(.retries(#retries)));
    let backoff = backoff.as_ref().map(|policy| {
        let policy = self::backoff(policy);
        quote!(.backoff(#policy))
    });
    let timeout = timeout.map(|timeout| match timeout.map(duration) {
        Some(timeout) => quote!(.timeout(::core::option::Option::Some(#timeout))),
        None => quote!(.timeout(::core::option::Option::None)),
    });
    quote!(__jobq::JobDefaults::new() #queue #retries #backoff #timeout)
}

fn backoff(policy: &Policy) -> TokenStream {
    let strategy = match policy.strategy {
        Strategy::Fixed => quote!(fixed),
        Strategy::Linear => quote!(linear),
        Strategy::Exponential => quote!(exponential),
    };
    let base = duration(policy.base);
    let max = policy.max.map(duration).map(|max| quote!(.max_delay(#max)));
    let factor = policy.factor.map(|factor| {
        let factor = Literal::f64_suffixed(factor);
        quote!(.factor(#factor))
    });
    let jitter = policy.jitter.map(|jitter| {
        let jitter = self::jitter(jitter);
        quote!(.jitter(__jobq::Jitter::#jitter))
    });
    quote!(__jobq::Backoff::#strategy(#base) #max #factor #jitter)
}

fn jitter(jitter: Jitter) -> TokenStream {
    match jitter {
        Jitter::None => quote!(None),
        Jitter::Full => quote!(Full),
        Jitter::Equal => quote!(Equal),
        Jitter::Fraction(fraction) => {
            let fraction = Literal::f64_suffixed(fraction);
            quote!(Fraction(#fraction))
        }
    }
}

fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}
