//! How a worker runs the function, and how it comes to know of it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use crate::model::{FunctionJob, Slot};

pub(super) fn registration(job: &FunctionJob) -> TokenStream {
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
    let (future, ctx, value) = (local("future"), local("ctx"), local("job"));
    let call = call(job);
    let result = into_result(job, &quote!(#future.await));
    // At the function's name, for a future that is not `Send`.
    let boxed = quote_spanned! {ident.span()=>
        __jobq::private::run_future(#future)
    };
    quote! {
        fn __run(
            args: &[u8],
            #ctx: __jobq::Context,
        ) -> ::core::result::Result<__jobq::private::RunFuture, __jobq::EnvelopeError> {
            let #value = __jobq::private::decode::<#ident>(args)?;
            let #future = async move {
                let #future = #call;
                #result
            };
            ::core::result::Result::Ok(#boxed)
        }
    }
}

fn run_blocking(job: &FunctionJob) -> TokenStream {
    let ident = &job.ident;
    let call = call(job);
    let (ctx, value) = (local("ctx"), local("job"));
    let result = into_result(job, &quote!(output));
    quote! {
        fn __run(
            args: &[u8],
            #ctx: __jobq::Context,
        ) -> ::core::result::Result<__jobq::private::RunBlocking, __jobq::EnvelopeError> {
            let #value = __jobq::private::decode::<#ident>(args)?;
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
    let (ctx, value) = (local("ctx"), local("job"));
    let values = job.call.iter().map(|slot| match slot {
        Slot::Argument(argument) => quote!(#value.#argument),
        Slot::Context(ty) => quote_spanned! {ty.span()=>
            <#ty as __jobq::private::ContextParameter>::of(&#ctx)
        },
        Slot::State(ty) => quote_spanned! {ty.span()=>
            <#ty as __jobq::private::StateParameter>::of(&#ctx)?
        },
    });
    quote!(#ident(#(#values),*))
}

/// A variable of the generated code. Parts of it stand at the user's tokens, which `macro_rules!`
/// may have made: the same hygiene everywhere lets them meet.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// What was returned, as the worker takes it; at the return type, for one that it cannot take.
fn into_result(job: &FunctionJob, value: &TokenStream) -> TokenStream {
    match &job.output {
        Some(ty) => {
            let convert =
                quote_spanned!(ty.span()=> <#ty as __jobq::private::Returned<_>>::into_result);
            quote!(#convert(#value))
        }
        None => quote!(__jobq::private::Returned::into_result(#value)),
    }
}
