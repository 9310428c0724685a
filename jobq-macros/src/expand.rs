//! The code of a job. No decisions, no errors; every path begins at the user's path to jobq.
//!
//! All but the struct lives in one `const _`, where `__jobq` is that path.

use std::time::Duration;

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Path};

use crate::model::{
    Argument, Field, FunctionJob, Jitter, Options, Policy, Slot, Strategy, StructFields, StructJob,
};

/// What a function's job needs beside the function.
pub(crate) fn function(job: &FunctionJob) -> TokenStream {
    let FunctionJob {
        krate, cfgs, ident, ..
    } = job;
    let arguments = arguments(job);
    let serde = serde(ident, &job.arguments);
    let job_impl = job_impl(ident, &job.name, &job.options);
    let constructors = constructors(job);
    let registration = registration(job);
    let body = quote!(#serde #job_impl #constructors #registration);
    let rest = scope(krate, &body);
    quote!(#arguments #(#cfgs)* #rest)
}

/// What makes a struct a job.
pub(crate) fn structure(job: &StructJob) -> TokenStream {
    let serde = match &job.fields {
        StructFields::Plain(arguments) => serde(&job.ident, arguments),
        StructFields::Serde { attrs, fields } => serde_of_mirror(&job.ident, attrs, fields),
    };
    let job_impl = job_impl(&job.ident, &job.name, &job.options);
    scope(&job.krate, &quote!(#serde #job_impl))
}

fn scope(krate: &Path, body: &TokenStream) -> TokenStream {
    quote! {
        #[allow(
            dead_code, deprecated, non_camel_case_types, private_interfaces, unreachable_pub,
            unused_variables, clippy::too_many_arguments
        )]
        const _: () = {
            use #krate as __jobq;
            #body
        };
    }
}

/// The struct of the arguments.
fn arguments(job: &FunctionJob) -> TokenStream {
    let FunctionJob {
        cfgs,
        vis,
        ident,
        name,
        arguments,
        ..
    } = job;
    let doc = format!("The job `{name}`: its arguments, as they travel to a worker.");
    let fields = arguments.iter().map(|Argument { ident, ty }| {
        let doc = format!("The argument `{ident}`.");
        quote!(#[doc = #doc] #vis #ident: #ty)
    });
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[allow(
            dead_code, deprecated, non_camel_case_types, private_interfaces, unreachable_pub
        )]
        #vis struct #ident { #(#fields),* }
    }
}

/// `Serialize` and `Deserialize` as a map by name.
///
/// Not derived: what serde's derives say about an argument that does not fit is four errors, two
/// of them at the attribute.
fn serde(ident: &Ident, arguments: &[Argument]) -> TokenStream {
    let count = arguments.len();
    let names = arguments
        .iter()
        .map(Argument::wire_name)
        .collect::<Vec<_>>();
    let idents = arguments.iter().map(|argument| &argument.ident);
    let types = arguments.iter().map(|argument| &argument.ty);
    let slots = (0..count)
        .map(|i| format_ident!("slot{i}"))
        .collect::<Vec<_>>();
    let method = |name: &str| {
        let name = Ident::new(name, Span::call_site());
        arguments.iter().map(move |Argument { ty, .. }| {
            quote_spanned!(ty.span()=> <#ty as __jobq::private::Argument<_>>::#name)
        })
    };
    let (write, read, take) = (method("write"), method("read"), method("take"));
    let (write_idents, indices) = (idents.clone(), 0..count);
    quote! {
        #[automatically_derived]
        impl __jobq::private::serde::Serialize for #ident {
            fn serialize<S: __jobq::private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_struct("", #count)?;
                #(#write(&self.#write_idents, #names, &mut map)?;)*
                __jobq::private::serde::ser::SerializeStruct::end(map)
            }
        }

        #[automatically_derived]
        impl<'de> __jobq::private::serde::Deserialize<'de> for #ident {
            fn deserialize<D: __jobq::private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                deserializer.deserialize_map(__Visitor)
            }
        }

        struct __Visitor;

        impl<'de> __jobq::private::serde::de::Visitor<'de> for __Visitor {
            type Value = #ident;

            fn expecting(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str("the arguments of a job by name")
            }

            fn visit_map<A: __jobq::private::serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> ::core::result::Result<#ident, A::Error> {
                const NAMES: __jobq::private::Names = __jobq::private::Names(&[#(#names),*]);
                #(let mut #slots: ::core::option::Option<#types> = ::core::option::Option::None;)*
                while let ::core::option::Option::Some(name) = map.next_key_seed(NAMES)? {
                    #(if name == ::core::option::Option::Some(#indices) {
                        #read(&mut #slots, #names, &mut map)?;
                        continue;
                    })*
                    __jobq::private::skip(&mut map)?;
                }
                ::core::result::Result::Ok(#ident {
                    #(#idents: #take(#slots, #names)?),*
                })
            }
        }
    }
}

/// The same through serde's own derives on a mirror of the struct, which know what the user's
/// `#[serde(…)]` mean.
fn serde_of_mirror(ident: &Ident, attrs: &[Attribute], fields: &[Field]) -> TokenStream {
    let remote = ident.to_string();
    let fields = fields.iter().map(
        |Field {
             attrs,
             argument: Argument { ident, ty },
         }| quote!(#(#attrs)* #ident: #ty),
    );
    quote! {
        #[derive(__jobq::private::serde::Serialize, __jobq::private::serde::Deserialize)]
        #[serde(crate = "__jobq::private::serde", remote = #remote)]
        #(#attrs)*
        struct __Mirror { #(#fields),* }

        #[automatically_derived]
        impl __jobq::private::serde::Serialize for #ident {
            fn serialize<S: __jobq::private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                __Mirror::serialize(self, serializer)
            }
        }

        #[automatically_derived]
        impl<'de> __jobq::private::serde::Deserialize<'de> for #ident {
            fn deserialize<D: __jobq::private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                __Mirror::deserialize(deserializer)
            }
        }
    }
}

fn job_impl(ident: &Ident, name: &str, options: &Options) -> TokenStream {
    let defaults = defaults(options);
    quote! {
        #[automatically_derived]
        impl __jobq::Job for #ident {
            const NAME: &'static str = #name;
            const DEFAULTS: __jobq::JobDefaults = #defaults;
        }
    }
}

fn defaults(options: &Options) -> TokenStream {
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

/// `new` and `enqueue`. Both take a generic for each `String`, named so that the future of
/// `enqueue` can say that it borrows nothing but what those hold.
fn constructors(job: &FunctionJob) -> TokenStream {
    let FunctionJob {
        vis,
        ident,
        name,
        arguments,
        ..
    } = job;
    let names = arguments
        .iter()
        .map(|argument| &argument.ident)
        .collect::<Vec<_>>();
    let strings = arguments
        .iter()
        .enumerate()
        .filter(|(_, argument)| argument.is_string());
    let (generics, bounds): (Vec<_>, Vec<_>) = strings
        .map(|(i, Argument { ty, .. })| (generic(i), quote!(::core::convert::Into<#ty>)))
        .unzip();
    let generics_list = quote!(<#(#generics: #bounds),*>);
    let parameters = arguments.iter().enumerate().map(|(i, argument)| {
        let Argument { ident, ty } = argument;
        match argument.is_string() {
            true => {
                let generic = generic(i);
                quote!(#ident: #generic)
            }
            false => quote!(#ident: #ty),
        }
    });
    let parameters = quote!(#(#parameters),*);
    let values = arguments.iter().map(|argument| {
        let ident = &argument.ident;
        match argument.is_string() {
            true => quote!(#ident: ::core::convert::Into::into(#ident)),
            false => quote!(#ident),
        }
    });
    // Of the macro's own hygiene: an argument may have the same name.
    let client = Ident::new("client", Span::mixed_site());
    let new_doc = format!("A call of the job `{name}`, to be given options and enqueued.");
    let enqueue_doc = format!("Enqueues a call of the job `{name}` with its defaults.");
    quote! {
        #[automatically_derived]
        impl #ident {
            #[doc = #new_doc]
            #vis fn new #generics_list (#parameters) -> __jobq::JobBuilder<Self> {
                __jobq::IntoJob::into_job(Self { #(#values),* })
            }

            #[doc = #enqueue_doc]
            ///
            /// # Errors
            ///
            /// See `jobq::EnqueueError`; unless it is `OutcomeUnknown`, nothing was enqueued.
            #vis fn enqueue #generics_list (
                #client: &__jobq::Client,
                #parameters
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<__jobq::JobHandle, __jobq::EnqueueError>,
            > + ::core::marker::Send + use<#(#generics),*> {
                Self::new(#(#names),*).enqueue(#client)
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #ident {
            // Arguments may be secrets, and need not be `Debug`.
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name).finish_non_exhaustive()
            }
        }
    }
}

fn generic(i: usize) -> Ident {
    format_ident!("IntoString{i}")
}

fn registration(job: &FunctionJob) -> TokenStream {
    let FunctionJob { ident, call, .. } = job;
    let states = call.iter().filter_map(|slot| match slot {
        Slot::State(ty) => Some(quote_spanned! {ty.span()=>
            <#ty as __jobq::private::StateParameter>::TYPE
        }),
        _ => None,
    });
    let (handler, run) = match &job.options.blocking {
        Some(_) => (quote!(Blocking), run_blocking(job)),
        None => (quote!(Async), run_async(job)),
    };
    quote! {
        #run
        const __STATES: &[__jobq::StateType] = &[#(#states),*];
        __jobq::private::inventory::submit! {
            __jobq::private::Registration::new::<#ident>(
                __jobq::private::Place { file: ::core::file!(), line: ::core::line!() },
                __STATES,
                __jobq::private::Handler::#handler(__run),
            )
        }
    }
}

fn run_async(job: &FunctionJob) -> TokenStream {
    let ident = &job.ident;
    let call = call(job);
    let result = into_result(job, &quote!(future.await));
    // At the function's name, for a future that is not `Send`.
    let boxed = quote_spanned! {ident.span()=>
        __jobq::private::run_future(future)
    };
    quote! {
        fn __run(
            args: &[u8],
            ctx: __jobq::Context,
        ) -> ::core::result::Result<__jobq::private::RunFuture, __jobq::EnvelopeError> {
            let job = __jobq::private::decode::<#ident>(args)?;
            let future = async move {
                let future = #call;
                #result
            };
            ::core::result::Result::Ok(#boxed)
        }
    }
}

fn run_blocking(job: &FunctionJob) -> TokenStream {
    let ident = &job.ident;
    let call = call(job);
    let result = into_result(job, &quote!(output));
    quote! {
        fn __run(
            args: &[u8],
            ctx: __jobq::Context,
        ) -> ::core::result::Result<__jobq::private::RunBlocking, __jobq::EnvelopeError> {
            let job = __jobq::private::decode::<#ident>(args)?;
            ::core::result::Result::Ok(__jobq::private::run_blocking(move || {
                let output = #call;
                #result
            }))
        }
    }
}

/// The function's call, from `job` and `ctx`.
fn call(job: &FunctionJob) -> TokenStream {
    let ident = &job.ident;
    let values = job.call.iter().map(|slot| match slot {
        Slot::Argument(argument) => quote!(job.#argument),
        Slot::Context(ty) => quote_spanned! {ty.span()=>
            <#ty as __jobq::private::ContextParameter>::of(&ctx)
        },
        Slot::State(ty) => quote_spanned! {ty.span()=>
            <#ty as __jobq::private::StateParameter>::of(&ctx)?
        },
    });
    quote!(#ident(#(#values),*))
}

/// What was returned, as the worker takes it; at the return type, for one that it cannot take.
fn into_result(job: &FunctionJob, value: &TokenStream) -> TokenStream {
    match &job.output {
        Some(ty) => {
            let convert = quote_spanned!(ty.span()=> <#ty as __jobq::JobResult>::into_result);
            quote!(#convert(#value))
        }
        None => quote!(__jobq::JobResult::into_result(#value)),
    }
}
