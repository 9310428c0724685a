//! The code of a job. No decisions, no errors; every path begins at the user's path to jobq.
//!
//! All but the struct lives in one `const _`, where `__jobq` is that path.

mod arguments;
mod defaults;
mod registration;
mod serde;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Path};

use crate::model::{FunctionJob, Options, StructFields, StructJob};
use crate::signature::Function;

/// The function, and what its job needs beside it.
pub(crate) fn function(function: &Function, job: &FunctionJob) -> TokenStream {
    let FunctionJob {
        krate, cfgs, ident, ..
    } = job;
    let arguments = arguments::structure(job);
    let serde = serde::by_name(ident, &job.arguments);
    let job_impl = job_impl(ident, &job.name, &job.options);
    let inherent = arguments::inherent(job);
    let registration = registration::registration(job);
    let body = quote!(#serde #job_impl #inherent #registration);
    let rest = scope(krate, &body);
    quote! {
        #[allow(
            clippy::needless_pass_by_value,
            clippy::unused_async,
            reason = "arguments travel, and a job is async though it may have nothing to wait for"
        )]
        #function
        #(#cfgs)*
        #[#krate::private::beside(#rest)]
        #arguments
    }
}

/// What makes a struct a job.
pub(crate) fn structure(job: &StructJob) -> TokenStream {
    let serde = match &job.fields {
        StructFields::Plain(arguments) => serde::by_name(&job.ident, arguments),
        StructFields::Serde { attrs, fields } => serde::of_mirror(&job.ident, attrs, fields),
    };
    let job_impl = job_impl(&job.ident, &job.name, &job.options);
    scope(&job.krate, &quote!(#serde #job_impl))
}

fn scope(krate: &Path, body: &TokenStream) -> TokenStream {
    quote! {
        #[allow(
            dead_code, deprecated, non_camel_case_types, private_interfaces, unreachable_pub,
            unused_mut, unused_variables, clippy::too_many_arguments,
            reason = "made by a macro, of what users wrote"
        )]
        const _: () = {
            use #krate as __jobq;
            #body
        };
    }
}

fn job_impl(ident: &Ident, name: &str, options: &Options) -> TokenStream {
    let defaults = defaults::defaults(options);
    quote! {
        #[automatically_derived]
        impl __jobq::Job for #ident {
            const NAME: &'static str = #name;
            const DEFAULTS: __jobq::JobDefaults = #defaults;
        }
    }
}
