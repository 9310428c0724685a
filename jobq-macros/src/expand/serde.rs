//! How the arguments are written and read.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Ident};

use crate::model::{Argument, Field};

/// `Serialize` and `Deserialize` as a map by name.
///
/// Not derived: what serde's derives say about an argument that does not fit is four errors, two
/// of them at the attribute.
pub(super) fn by_name(ident: &Ident, arguments: &[Argument]) -> TokenStream {
    let (serialize, visitor) = (serialize(ident, arguments), visitor(ident, arguments));
    quote! {
        #serialize

        #[automatically_derived]
        impl<'de> __jobq::private::serde::Deserialize<'de> for #ident {
            fn deserialize<__D: __jobq::private::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                deserializer.deserialize_map(__Visitor)
            }
        }

        #visitor
    }
}

fn serialize(ident: &Ident, arguments: &[Argument]) -> TokenStream {
    let count = arguments.len();
    let fields = arguments.iter().map(|argument| {
        let (write, name) = (method(argument, "write"), argument.wire_name());
        let ident = &argument.ident;
        quote!(#write(&self.#ident, #name, &mut map)?;)
    });
    quote! {
        #[automatically_derived]
        impl __jobq::private::serde::Serialize for #ident {
            fn serialize<__S: __jobq::private::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                let mut map = serializer.serialize_struct("", #count)?;
                #(#fields)*
                __jobq::private::serde::ser::SerializeStruct::end(map)
            }
        }
    }
}

fn visitor(ident: &Ident, arguments: &[Argument]) -> TokenStream {
    let names: Vec<_> = arguments.iter().map(Argument::wire_name).collect();
    let read = arguments.iter().enumerate().map(|(i, argument)| {
        let (read, slot, name) = (method(argument, "read"), slot(i), &names[i]);
        quote! {
            if name == ::core::option::Option::Some(#i) {
                #read(&mut #slot, #name, &mut map)?;
                continue;
            }
        }
    });
    let fields = arguments.iter().enumerate().map(|(i, argument)| {
        let (take, slot, name) = (method(argument, "take"), slot(i), &names[i]);
        let ident = &argument.ident;
        quote!(#ident: #take(#slot, #name)?)
    });
    let types = arguments.iter().map(|argument| &argument.ty);
    let slots = (0..arguments.len()).map(slot);
    quote! {
        struct __Visitor;

        impl<'de> __jobq::private::serde::de::Visitor<'de> for __Visitor {
            type Value = #ident;

            fn expecting(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str("the arguments of a job by name")
            }

            fn visit_map<__A: __jobq::private::serde::de::MapAccess<'de>>(
                self,
                mut map: __A,
            ) -> ::core::result::Result<#ident, __A::Error> {
                const NAMES: __jobq::private::Names = __jobq::private::Names(&[#(#names),*]);
                #(let mut #slots: ::core::option::Option<#types> = ::core::option::Option::None;)*
                while let ::core::option::Option::Some(name) = map.next_key_seed(NAMES)? {
                    #(#read)*
                    __jobq::private::skip(&mut map)?;
                }
                ::core::result::Result::Ok(#ident { #(#fields),* })
            }
        }
    }
}

/// The variable for argument `i` while a map is read.
fn slot(i: usize) -> Ident {
    format_ident!("slot{i}")
}

/// A method for an argument, at its type: where the error belongs if it has none.
fn method(argument: &Argument, name: &str) -> TokenStream {
    let ty = &argument.ty;
    let name = Ident::new(name, Span::call_site());
    quote_spanned!(ty.span()=> <#ty as __jobq::private::Argument<_>>::#name)
}

/// The same through serde's own derives on a mirror of the struct, which know what the user's
/// `#[serde(…)]` mean.
pub(super) fn of_mirror(ident: &Ident, attrs: &[Attribute], fields: &[Field]) -> TokenStream {
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
            fn serialize<__S: __jobq::private::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                __Mirror::serialize(self, serializer)
            }
        }

        #[automatically_derived]
        impl<'de> __jobq::private::serde::Deserialize<'de> for #ident {
            fn deserialize<__D: __jobq::private::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                __Mirror::deserialize(deserializer)
            }
        }
    }
}
