//! What is emitted when something is wrong: the errors, and the user's item as it was, so that one
//! mistake does not bury the build in others.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// The errors, beside what could be made of the item.
pub(crate) fn with_errors(made: impl ToTokens, errors: Option<syn::Error>) -> TokenStream {
    let errors = errors.map(syn::Error::into_compile_error);
    quote!(#made #errors)
}
