//! What an annotated item means: a job with its name, options, arguments and call. Everything that
//! can be wrong with one is found here, all of it in one go.

mod duration;
mod nearest;
mod options;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Data, DeriveInput, Fields, FnArg, GenericArgument, Generics, Ident, Pat, Path,
    ReturnType, Safety, Signature, Type, Visibility,
};

pub(crate) use options::{Jitter, Options, Policy, Strategy};

use crate::parse::Settings;
use crate::signature::{Function, Parameter, Role, last_segment};

/// All that is wrong with one item.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(syn::Error::new(span, message));
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

/// A job made from a function.
pub(crate) struct FunctionJob {
    pub(crate) krate: Path,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) arguments: Vec<Argument>,
    /// What the function is called with, in order.
    pub(crate) call: Vec<Slot>,
    /// The type that the function returns, if it says one.
    pub(crate) output: Option<Type>,
}

/// One serialised argument.
pub(crate) struct Argument {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
}

impl Argument {
    /// Whether callers may give anything that converts into it.
    pub(crate) fn is_string(&self) -> bool {
        last_segment(&self.ty).is_some_and(|name| name == "String")
    }
}

/// Where a parameter comes from when a worker calls the function.
pub(crate) enum Slot {
    Argument(Ident),
    Context(Type),
    State(Type),
}

impl FunctionJob {
    /// `None` if the signature cannot be a job at all. Mistakes in the settings are kept apart from
    /// that: the job then has defaults in their place, so that what uses it still compiles.
    pub(crate) fn new(
        settings: &Settings,
        function: &Function,
        errors: &mut Errors,
    ) -> Option<Self> {
        let options = Options::new(settings, errors);
        let mut refused = Errors::default();
        check_signature(&function.sig, options.blocking, &mut refused);
        let mut arguments = Vec::new();
        let parameters = function.parameters(&mut refused);
        let call = parameters
            .into_iter()
            .filter_map(|parameter| slot(parameter, &mut arguments, &mut refused))
            .collect();
        if let Some(refused) = refused.into_inner() {
            errors.add(refused);
            return None;
        }
        let ident = function.sig.ident.clone();
        Some(Self {
            krate: options.krate.clone(),
            cfgs: function.cfgs(),
            vis: function.vis.clone(),
            name: name(&options, || ident.unraw().to_string()),
            ident,
            options,
            arguments,
            call,
            output: output(&function.sig),
        })
    }
}

fn name(options: &Options, default: impl FnOnce() -> String) -> String {
    options.name.clone().unwrap_or_else(default)
}

fn output(sig: &Signature) -> Option<Type> {
    match &sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    }
}

fn check_signature(sig: &Signature, blocking: Option<Span>, errors: &mut Errors) {
    match (sig.asyncness, blocking) {
        (None, None) => errors.push(
            sig.fn_token.span,
            "a job is an `async fn`; for one that blocks its thread write `#[job(blocking)]`",
        ),
        (Some(_), Some(blocking)) => errors.push(
            blocking,
            "`blocking` is for functions that are not `async`; remove one of the two",
        ),
        _ => {}
    }
    if let Some(constness) = sig.constness {
        errors.push(
            constness.span,
            "a job cannot be `const`: it runs in a worker",
        );
    }
    if let Safety::Unsafe(token) = sig.safety {
        errors.push(
            token.span,
            "a job cannot be `unsafe`: a worker calls it with whatever was enqueued",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.push(abi.span(), "a job is a Rust function; remove the `extern`");
    }
    if let Some(variadic) = &sig.variadic {
        errors.push(variadic.span(), "a job has a fixed list of parameters");
    }
    check_generics(&sig.generics, errors);
    check_inputs(sig, errors);
    check_output(&sig.output, errors);
}

fn check_generics(generics: &Generics, errors: &mut Errors) {
    let span = match generics.params.is_empty() {
        false => generics.params.span(),
        true if generics.where_clause.is_some() => generics.where_clause.span(),
        true => return,
    };
    errors.push(
        span,
        "a job cannot be generic: a worker has to know the types of its arguments; \
         write them out, one job for each",
    );
}

fn check_inputs(sig: &Signature, errors: &mut Errors) {
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.push(
                receiver.span(),
                "a job has no `self`; write a free function with what it needs as arguments, \
                 or as `State<T>`",
            ),
            FnArg::Typed(parameter) => refuse_cfg(&parameter.attrs, errors),
        }
    }
}

fn refuse_cfg(attrs: &[Attribute], errors: &mut Errors) {
    let is_cfg =
        |attr: &&Attribute| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr");
    for attr in attrs.iter().filter(is_cfg) {
        errors.push(
            attr.span(),
            "a parameter of a job cannot depend on `cfg`: producers and workers would disagree; \
             put the `cfg` on the function",
        );
    }
}

fn check_output(output: &ReturnType, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = output else {
        return;
    };
    if matches!(**ty, Type::Never(_) | Type::ImplTrait(_)) {
        errors.push(ty.span(), "a job returns nothing or a `Result<T, E>`");
    }
}

fn slot(parameter: Parameter, arguments: &mut Vec<Argument>, errors: &mut Errors) -> Option<Slot> {
    let Parameter { role, pat, ty } = parameter;
    match role {
        Role::Context => Some(Slot::Context(ty)),
        Role::State => Some(Slot::State(ty)),
        Role::Argument => {
            NotOwned { errors }.visit_type(&ty);
            let ident = argument_name(pat, errors)?;
            arguments.push(Argument {
                ident: ident.clone(),
                ty,
            });
            Some(Slot::Argument(ident))
        }
    }
}

fn argument_name(pat: Pat, errors: &mut Errors) -> Option<Ident> {
    match pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(pat.ident),
        pat => {
            errors.push(
                pat.span(),
                "an argument needs a plain name, its key on the wire; \
                 take the value apart in the body",
            );
            None
        }
    }
}

/// Finds what cannot be decoded from bytes into a value that owns itself.
struct NotOwned<'a> {
    errors: &'a mut Errors,
}

impl<'ast> Visit<'ast> for NotOwned<'_> {
    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        let instead = match &*reference.elem {
            Type::Slice(slice) => format!("Vec<{}>", text(&slice.elem)),
            elem => match text(elem).as_str() {
                "str" => "String".to_owned(),
                "Path" => "PathBuf".to_owned(),
                other => other.to_owned(),
            },
        };
        self.errors.push(
            reference.span(),
            format!(
                "an argument is owned, for it crosses processes; write `{instead}`, \
                 or `State<T>` for what the worker holds"
            ),
        );
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
        self.errors.push(
            ty.span(),
            "an argument has a type that a worker can decode; name it instead of `impl Trait`",
        );
    }

    fn visit_generic_argument(&mut self, argument: &'ast GenericArgument) {
        match argument {
            GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => self.errors.push(
                lifetime.span(),
                "an argument is owned, for it crosses processes; write `'static` or an owned type",
            ),
            argument => visit::visit_generic_argument(self, argument),
        }
    }
}

/// A type as a person writes it, near enough for a message.
fn text(ty: &Type) -> String {
    use quote::ToTokens;
    ty.to_token_stream().to_string().replace(' ', "")
}

/// A job made from a struct.
pub(crate) struct StructJob {
    pub(crate) krate: Path,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) options: Options,
    /// Attributes for serde, of the struct.
    pub(crate) serde: Vec<Attribute>,
    pub(crate) fields: Vec<Field>,
}

/// One field, with its attributes for serde.
pub(crate) struct Field {
    pub(crate) serde: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
}

impl StructJob {
    /// `None` if it cannot be a job at all.
    pub(crate) fn new(
        settings: &Settings,
        input: &DeriveInput,
        errors: &mut Errors,
    ) -> Option<Self> {
        let options = Options::new(settings, errors);
        if let Some(blocking) = options.blocking {
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
            serde: serde_attributes(&input.attrs),
            fields,
        })
    }
}

fn fields(input: &DeriveInput, errors: &mut Errors) -> Vec<Field> {
    let data = match &input.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            errors.push(
                data.enum_token.span,
                "a job is a struct with named fields; put the enum into one",
            );
            return Vec::new();
        }
        Data::Union(data) => {
            errors.push(data.union_token.span, "a job is a struct with named fields");
            return Vec::new();
        }
    };
    if let Fields::Unnamed(fields) = &data.fields {
        errors.push(
            fields.span(),
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
    NotOwned { errors }.visit_type(&field.ty);
    Some(Field {
        serde: serde_attributes(&field.attrs),
        ident: field.ident.clone()?,
        ty: field.ty.clone(),
    })
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
