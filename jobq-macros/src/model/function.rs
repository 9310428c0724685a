//! What an annotated function means.

use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{
    Attribute, FnArg, Ident, Pat, Path, ReturnType, Safety, Signature, Type, TypeImplTrait,
    TypeNever, Visibility,
};

use super::{Argument, Errors, NotOwned, Options, check_generics, name};
use crate::parse::Settings;
use crate::signature::{Function, Parameter, Role};

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
        check_signature(&function.sig, options.blocking.as_ref(), &mut refused);
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

fn output(sig: &Signature) -> Option<Type> {
    match &sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    }
}

fn check_signature(sig: &Signature, blocking: Option<&Ident>, errors: &mut Errors) {
    match (sig.asyncness, blocking) {
        (None, None) => errors.push(
            sig.fn_token,
            "a job is an `async fn`; for one that blocks its thread write `#[job(blocking)]`",
        ),
        (Some(_), Some(blocking)) => errors.push(
            blocking,
            "`blocking` is for functions that are not `async`; remove one of the two",
        ),
        _ => {}
    }
    if let Some(constness) = sig.constness {
        errors.push(constness, "a job cannot be `const`: it runs in a worker");
    }
    if let Safety::Unsafe(token) = sig.safety {
        errors.push(
            token,
            "a job cannot be `unsafe`: a worker calls it with whatever was enqueued",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.push(abi, "a job is a Rust function; remove the `extern`");
    }
    if let Some(variadic) = &sig.variadic {
        errors.push(variadic, "a job has a fixed list of parameters");
    }
    check_generics(&sig.generics, errors);
    check_inputs(sig, errors);
    check_output(&sig.output, errors);
}

fn check_inputs(sig: &Signature, errors: &mut Errors) {
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.push(
                receiver,
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
            attr,
            "a parameter of a job cannot depend on `cfg`: producers and workers would disagree; \
             put the `cfg` on the function",
        );
    }
}

fn check_output(output: &ReturnType, errors: &mut Errors) {
    if let ReturnType::Type(_, ty) = output {
        Unnameable { errors }.visit_type(ty);
    }
}

/// Finds what keeps a return type from being written down a second time.
struct Unnameable<'a> {
    errors: &'a mut Errors,
}

impl<'ast> Visit<'ast> for Unnameable<'_> {
    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.errors.push(
            ty,
            "a job returns nothing or a `Result<T, E>`, without `impl Trait`",
        );
    }

    fn visit_type_never(&mut self, ty: &'ast TypeNever) {
        self.errors
            .push(ty, "a job returns nothing or a `Result<T, E>`");
    }
}

fn slot(parameter: Parameter, arguments: &mut Vec<Argument>, errors: &mut Errors) -> Option<Slot> {
    let Parameter { role, pat, ty } = parameter;
    match role {
        Role::Context => Some(Slot::Context(ty)),
        Role::State => Some(Slot::State(ty)),
        Role::Argument => {
            let or = ", or `State<T>` for what the worker holds";
            NotOwned { errors, or }.visit_type(&ty);
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
                pat,
                "an argument needs a plain name, its key on the wire; \
                 take the value apart in the body",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn job(settings: &Settings, function: &Function) -> Result<FunctionJob, String> {
        let mut errors = Errors::default();
        let job = FunctionJob::new(settings, function, &mut errors);
        match errors.into_inner() {
            Some(error) => Err(error.to_string()),
            None => Ok(job.expect("no error, so a job")),
        }
    }

    /// The slots of a function as letters: a name, `!` the context, `?` a state.
    fn slots(function: &Function) -> String {
        let job = job(&parse_quote!(), function).expect("a job");
        let slot = |slot: &Slot| match slot {
            Slot::Argument(ident) => ident.to_string(),
            Slot::Context(_) => "!".to_owned(),
            Slot::State(_) => "?".to_owned(),
        };
        job.call.iter().map(slot).collect()
    }

    #[test]
    fn the_last_segment_tells_the_role_unless_an_attribute_does() {
        for (function, expected) in [
            (
                quote!(
                    async fn f() {}
                ),
                "",
            ),
            (
                quote!(
                    async fn f(a: u8, b: Vec<Context>) {}
                ),
                "ab",
            ),
            (
                quote!(
                    async fn f(_: Context, a: u8, s: State<Db>) {}
                ),
                "!a?",
            ),
            (
                quote!(
                    async fn f(c: jobq::Context, s: ::jobq::State<Db>, a: u8) {}
                ),
                "!?a",
            ),
            (
                quote!(
                    async fn f(#[arg] c: Context, #[arg] s: my::State) {}
                ),
                "cs",
            ),
            (
                quote!(
                    async fn f(#[context] c: Ctx, #[state] s: Database) {}
                ),
                "!?",
            ),
            (
                quote!(
                    async fn f(a: Statement, b: ContextId) {}
                ),
                "ab",
            ),
        ] {
            let parsed = syn::parse2(function.clone()).expect("a function");
            assert_eq!(slots(&parsed), expected, "{function}");
        }
    }

    #[test]
    fn a_name_is_the_functions_own_unless_set() {
        for (settings, function, name) in [
            (
                quote!(),
                quote!(
                    async fn send() {}
                ),
                "send",
            ),
            (
                quote!(),
                quote!(
                    async fn r#type() {}
                ),
                "type",
            ),
            (
                quote!(name = "a.b"),
                quote!(
                    async fn send() {}
                ),
                "a.b",
            ),
        ] {
            let settings = syn::parse2(settings).expect("settings");
            let function = syn::parse2(function).expect("a function");
            assert_eq!(job(&settings, &function).expect("a job").name, name);
        }
    }

    #[test]
    fn what_cannot_be_a_job_is_refused() {
        for (function, expected) in [
            (
                quote!(
                    fn f() {}
                ),
                "`async fn`",
            ),
            (
                quote!(
                    async fn f<const N: usize>() {}
                ),
                "generic",
            ),
            (
                quote!(
                    async fn f()
                    where
                        u8: Copy,
                    {
                    }
                ),
                "generic",
            ),
            (
                quote!(
                    async fn f(self) {}
                ),
                "no `self`",
            ),
            (
                quote!(
                    async fn f(a: &Db) {}
                ),
                "`Db`, or `State<T>`",
            ),
            (
                quote!(
                    async fn f(a: &mut [u8]) {}
                ),
                "`Vec<u8>`",
            ),
            (
                quote!(
                    async fn f(a: &std::path::Path) {}
                ),
                "write `std::path::Path`",
            ),
            (
                quote!(
                    async fn f(a: &dyn Send) {}
                ),
                "an owned type",
            ),
            (
                quote!(
                    async fn f(Pair(a, b): Pair) {}
                ),
                "plain name",
            ),
            (
                quote!(
                    async fn f(ref a: u8) {}
                ),
                "plain name",
            ),
            (
                quote!(
                    async fn f() -> ! {}
                ),
                "returns nothing",
            ),
            (
                quote!(
                    async fn f() -> Result<impl Send, E> {}
                ),
                "returns nothing",
            ),
        ] {
            let parsed = syn::parse2(function.clone()).expect("a function");
            let error = job(&parse_quote!(), &parsed).err().expect("an error");
            assert!(error.contains(expected), "{function}: {error}");
        }
    }
}
