//! What a struct with a derived job means.

use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Path};

use super::{Argument, Errors, NotOwned, Options, check_generics, name};
use crate::parse::Settings;

/// A job made from a struct.
pub(crate) struct StructJob {
    pub(crate) krate: Path,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) fields: StructFields,
}

/// The fields of a struct.
pub(crate) enum StructFields {
    /// As they are.
    Plain(Vec<Argument>),
    /// With `#[serde(…)]` somewhere, of the struct or of its fields.
    Serde {
        attrs: Vec<Attribute>,
        fields: Vec<Field>,
    },
}

/// One field, with its attributes for serde.
pub(crate) struct Field {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) argument: Argument,
}

impl StructJob {
    /// `None` if it cannot be a job at all.
    pub(crate) fn new(
        settings: &Settings,
        input: &DeriveInput,
        errors: &mut Errors,
    ) -> Option<Self> {
        let options = Options::new(settings, errors);
        if let Some(blocking) = &options.blocking {
            errors.push(
                blocking,
                "`blocking` is for functions; a handler that blocks uses \
                 `tokio::task::spawn_blocking` in its `perform`",
            );
        }
        let mut refused = Errors::default();
        check_generics(&input.generics, &mut refused);
        let fields = fields(input, &mut refused);
        if let Some(refused) = refused.into_inner() {
            errors.add(refused);
            return None;
        }
        Some(Self {
            krate: options.krate.clone(),
            ident: input.ident.clone(),
            name: name(&options, || snake_case(&input.ident.unraw().to_string())),
            options,
            fields: with_serde(serde_attributes(&input.attrs), fields),
        })
    }
}

fn with_serde(attrs: Vec<Attribute>, fields: Vec<Field>) -> StructFields {
    match attrs.is_empty() && fields.iter().all(|field| field.attrs.is_empty()) {
        true => StructFields::Plain(fields.into_iter().map(|field| field.argument).collect()),
        false => StructFields::Serde { attrs, fields },
    }
}

fn fields(input: &DeriveInput, errors: &mut Errors) -> Vec<Field> {
    let data = match &input.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            errors.push(
                data.enum_token,
                "a job is a struct with named fields; put the enum into one",
            );
            return Vec::new();
        }
        Data::Union(data) => {
            errors.push(data.union_token, "a job is a struct with named fields");
            return Vec::new();
        }
    };
    if let Fields::Unnamed(fields) = &data.fields {
        errors.push(
            fields,
            "a job has named fields, its keys on the wire: `{ order: u64 }`",
        );
        return Vec::new();
    }
    data.fields
        .iter()
        .filter_map(|field| field_of(field, errors))
        .collect()
}

fn field_of(field: &syn::Field, errors: &mut Errors) -> Option<Field> {
    NotOwned { errors, or: "" }.visit_type(&field.ty);
    let argument = Argument {
        ident: field.ident.clone()?,
        ty: field.ty.clone(),
    };
    let attrs = serde_attributes(&field.attrs);
    Some(Field { attrs, argument })
}

fn serde_attributes(attrs: &[Attribute]) -> Vec<Attribute> {
    let is_serde = |attr: &&Attribute| attr.path().is_ident("serde");
    attrs.iter().filter(is_serde).cloned().collect()
}

/// `SendInvoice` as `send_invoice`, `HTTPPing` as `http_ping`.
fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let after_lower = i > 0 && !chars[i - 1].is_uppercase() && chars[i - 1] != '_';
        let before_lower = i > 0
            && chars[i - 1].is_uppercase()
            && chars.get(i + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_gives_its_name_in_snake_case() {
        for (name, snake) in [
            ("Charge", "charge"),
            ("SendInvoice", "send_invoice"),
            ("HTTPPing", "http_ping"),
            ("PingHTTP", "ping_http"),
            ("Send2Fa", "send2_fa"),
            ("already_snake", "already_snake"),
            ("Odd_Mix", "odd_mix"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }
}
