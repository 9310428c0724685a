//! The struct of a function's arguments, and what makes values of it.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

use crate::model::{Argument, FunctionJob};

/// The struct of the arguments.
pub(super) fn structure(job: &FunctionJob) -> TokenStream {
    let FunctionJob {
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
        #[doc = #doc]
        #[allow(
            dead_code, deprecated, non_camel_case_types, private_interfaces, unreachable_pub,
            reason = "made by a macro, of what users wrote"
        )]
        #vis struct #ident { #(#fields),* }
    }
}

/// `new`, `enqueue`, and a `Debug` that tells no argument: they may be secrets, and need not be
/// `Debug`.
pub(super) fn inherent(job: &FunctionJob) -> TokenStream {
    let FunctionJob { ident, name, .. } = job;
    let taken: Vec<_> = job.arguments.iter().enumerate().map(Taken::new).collect();
    let (new, enqueue) = (new(job, &taken), enqueue(job, &taken));
    quote! {
        #[automatically_derived]
        impl #ident {
            #new
            #enqueue
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #ident {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name).finish_non_exhaustive()
            }
        }
    }
}

fn new(job: &FunctionJob, taken: &[Taken<'_>]) -> TokenStream {
    let FunctionJob { vis, name, .. } = job;
    let doc = format!("A call of the job `{name}`, to be given options and enqueued.");
    let bounds = taken.iter().filter_map(Taken::bound);
    let parameters = taken.iter().map(Taken::parameter);
    let values = taken.iter().map(Taken::value);
    quote! {
        #[doc = #doc]
        #vis fn new<#(#bounds),*>(#(#parameters),*) -> __jobq::JobBuilder<Self> {
            __jobq::IntoJob::into_job(Self { #(#values),* })
        }
    }
}

fn enqueue(job: &FunctionJob, taken: &[Taken<'_>]) -> TokenStream {
    let FunctionJob { vis, name, .. } = job;
    let doc = format!("Enqueues a call of the job `{name}` with its defaults.");
    let bounds = taken.iter().filter_map(Taken::bound);
    let generics = taken.iter().filter_map(|taken| taken.generic.as_ref());
    let parameters = taken.iter().map(Taken::parameter);
    let names = taken.iter().map(|taken| &taken.argument.ident);
    // Of the macro's own hygiene: an argument may have the same name.
    let client = Ident::new("client", Span::mixed_site());
    quote! {
        #[doc = #doc]
        ///
        /// # Errors
        ///
        /// See `jobq::EnqueueError`; unless it is `OutcomeUnknown`, the job was not enqueued.
        #vis fn enqueue<#(#bounds),*>(
            #client: &__jobq::Client,
            #(#parameters),*
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<__jobq::JobHandle, __jobq::EnqueueError>,
        > + ::core::marker::Send + use<#(#generics),*> {
            Self::new(#(#names),*).enqueue(#client)
        }
    }
}

/// An argument as callers give it.
struct Taken<'a> {
    argument: &'a Argument,
    /// For a `String`. Named rather than `impl Into`, so that the future of `enqueue` can say what
    /// it holds: these, and not the client.
    generic: Option<Ident>,
}

impl<'a> Taken<'a> {
    fn new((i, argument): (usize, &'a Argument)) -> Self {
        let generic = argument.is_string().then(|| format_ident!("IntoString{i}"));
        Self { argument, generic }
    }

    fn bound(&self) -> Option<TokenStream> {
        let (generic, ty) = (self.generic.as_ref()?, &self.argument.ty);
        Some(quote!(#generic: ::core::convert::Into<#ty>))
    }

    fn parameter(&self) -> TokenStream {
        let Argument { ident, ty } = self.argument;
        match &self.generic {
            Some(generic) => quote!(#ident: #generic),
            None => quote!(#ident: #ty),
        }
    }

    fn value(&self) -> TokenStream {
        let ident = &self.argument.ident;
        match self.generic {
            Some(_) => quote!(#ident: ::core::convert::Into::into(#ident)),
            None => quote!(#ident),
        }
    }
}
