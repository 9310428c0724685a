//! The macros of jobq, used through `jobq`.

mod expand;
mod fallback;
mod model;
mod parse;
mod signature;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::model::{Errors, FunctionJob, StructJob};
use crate::parse::Settings;
use crate::signature::Function;

/// Makes a job of a function.
#[proc_macro_attribute]
pub fn job(
    settings: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(settings.into(), item.into()).into()
}

/// Makes a job of a struct.
#[proc_macro_derive(Job, attributes(job, serde))]
pub fn derive_job(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(item.into()).into()
}

fn attribute(settings: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback::with_errors(item, Some(error)),
    };
    let settings = settings_or_none(syn::parse2(settings), &mut errors);
    let job = FunctionJob::new(&settings, &function, &mut errors);
    let beside = job.as_ref().map(expand::function);
    // Arguments travel: that a body only looks at one is no reason to borrow it.
    let made = quote!(#[allow(clippy::needless_pass_by_value)] #function #beside);
    fallback::with_errors(made, errors.into_inner())
}

fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = match syn::parse2::<DeriveInput>(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let settings = settings_or_none(Settings::of_derive(&input.attrs), &mut errors);
    let job = StructJob::new(&settings, &input, &mut errors);
    fallback::with_errors(job.as_ref().map(expand::structure), errors.into_inner())
}

/// Settings that cannot be read count as none: the rest of the item is checked all the same.
fn settings_or_none(settings: syn::Result<Settings>, errors: &mut Errors) -> Settings {
    settings.unwrap_or_else(|error| {
        errors.add(error);
        Settings(Vec::new())
    })
}
