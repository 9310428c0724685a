//! The struct of a function's arguments, and what makes values of it.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

use crate::model::{Argument, FunctionJob};

/// The struct of the arguments.
pub(super) fn structure(job: &FunctionJob) -> TokenStream {
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

/// `new` and `enqueue`. Both take a generic for each `String`, named so that the future of
/// `enqueue` can say that it borrows nothing but what those hold.
pub(super) fn constructors(job: &FunctionJob) -> TokenStream {
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
