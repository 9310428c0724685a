//! The macros of jobq (stub).

use proc_macro::TokenStream;

/// Stub.
#[proc_macro_attribute]
pub fn job(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}

/// Stub.
#[proc_macro_derive(Job)]
pub fn derive_job(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
