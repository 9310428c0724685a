//! The text of `#[job(…)]`, read into settings: keys with their values. Which keys exist and what
//! a value may be is not known here.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Meta, Token};

/// One `key` or `key = value`.
pub(crate) struct Setting {
    pub(crate) key: Ident,
    pub(crate) value: Option<Expr>,
}

impl Setting {
    /// What to blame when the value is wrong: the value, or the key when there is none.
    pub(crate) fn blame(&self) -> TokenStream {
        match &self.value {
            Some(value) => value.to_token_stream(),
            None => self.key.to_token_stream(),
        }
    }
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `crate` is a keyword and a key.
        let key = input.call(Ident::parse_any).map_err(|error| {
            syn::Error::new(error.span(), "expected a key, as in `queue = \"mail\"`")
        })?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        if value.is_none() && !input.is_empty() && !input.peek(Token![,]) {
            // `retries: 3`, `retries(3)`, `retries 3`
            return Err(input.error(format!("expected `=` and a value: `{key} = …`")));
        }
        Ok(Self { key, value })
    }
}

/// The settings between the parentheses of one attribute.
pub(crate) struct Settings(pub(crate) Vec<Setting>);

impl Parse for Settings {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let list = Punctuated::<Setting, Token![,]>::parse_terminated(input)?;
        Ok(Self(list.into_iter().collect()))
    }
}

impl Settings {
    /// Those of every `#[job(…)]` among the attributes of a struct.
    pub(crate) fn of_derive(attrs: &[Attribute]) -> syn::Result<Self> {
        let mut all = Vec::new();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("job")) {
            match &attr.meta {
                Meta::Path(_) => {}
                _ => all.extend(attr.parse_args::<Self>()?.0),
            }
        }
        Ok(Self(all))
    }
}
