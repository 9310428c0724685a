//! What an annotated item means: a job with its name, options, arguments and call. Everything that
//! can be wrong with one is found here, all of it in one go.

mod duration;
mod function;
mod nearest;
mod options;
mod structure;
mod values;

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{GenericArgument, Generics, Ident, Type, TypeReference};

pub(crate) use function::{FunctionJob, Slot};
pub(crate) use options::{Options, Policy};
pub(crate) use structure::{Field, StructFields, StructJob};
pub(crate) use values::{Jitter, Strategy};

use crate::signature::last_segment;

/// All that is wrong with one item.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, blame: impl ToTokens, message: impl std::fmt::Display) {
        self.add(syn::Error::new_spanned(blame, message));
    }

    /// Keeps the error of a result.
    fn take(&mut self, result: syn::Result<()>) {
        if let Err(error) = result {
            self.add(error);
        }
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn into_inner(self) -> Option<syn::Error> {
        self.0
    }
}

/// One serialised argument.
pub(crate) struct Argument {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
}

impl Argument {
    /// Its key: a raw identifier without its `r#`.
    pub(crate) fn wire_name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// Whether callers may give anything that converts into it.
    pub(crate) fn is_string(&self) -> bool {
        last_segment(&self.ty).is_some_and(|name| name == "String")
    }
}

fn name(options: &Options, default: impl FnOnce() -> String) -> String {
    options.name.clone().unwrap_or_else(default)
}

fn check_generics(generics: &Generics, errors: &mut Errors) {
    let message = "a job cannot be generic: a worker has to know the types of its arguments; \
                   write them out, one job for each";
    if !generics.params.is_empty() {
        errors.push(&generics.params, message);
    } else if generics.where_clause.is_some() {
        errors.push(&generics.where_clause, message);
    }
}

/// Finds what cannot be decoded from bytes into a value that owns itself.
struct NotOwned<'a> {
    errors: &'a mut Errors,
    /// What the message adds.
    or: &'static str,
}

impl<'ast> Visit<'ast> for NotOwned<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        let (owned, or) = (owned(&reference.elem), self.or);
        self.errors.push(
            reference,
            format!("an argument is owned, for it crosses processes; write {owned}{or}"),
        );
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
        self.errors.push(
            ty,
            "an argument has a type that a worker can decode; name it instead of `impl Trait`",
        );
    }

    fn visit_generic_argument(&mut self, argument: &'ast GenericArgument) {
        match argument {
            GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => self.errors.push(
                lifetime,
                "an argument is owned, for it crosses processes; write `'static` or an owned type",
            ),
            argument => visit::visit_generic_argument(self, argument),
        }
    }
}

/// What to write instead of a reference to the type.
fn owned(ty: &Type) -> String {
    match ty {
        Type::Slice(slice) => format!("`Vec<{}>`", text(&slice.elem)),
        Type::Path(_) => match text(ty).as_str() {
            "str" => "`String`".to_owned(),
            "Path" => "`PathBuf`".to_owned(),
            other => format!("`{other}`"),
        },
        _ => "an owned type".to_owned(),
    }
}

/// A type as a person writes it, near enough for a message.
fn text(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}
