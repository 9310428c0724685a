//! A function, taken apart: its parameters with their roles, the rest as it came. The body is never
//! parsed, so what is wrong in it is told by the compiler alone.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, Ident, Pat, PatType, Signature, Token, Type, Visibility};

use crate::model::Errors;

/// A free function as the user wrote it, the parameter attributes that are ours removed.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    body: TokenStream,
    parameters: Vec<Attributed>,
}

/// A parameter, and the role attributes that stood on it.
struct Attributed {
    parameter: PatType,
    roles: Vec<(Role, Attribute)>,
}

/// What a parameter is filled from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The job's arguments.
    Argument,
    /// The running job.
    Context,
    /// What the worker was given.
    State,
}

impl Role {
    fn of_attribute(attr: &Attribute) -> Option<Self> {
        let path = attr.path();
        match () {
            () if path.is_ident("arg") => Some(Self::Argument),
            () if path.is_ident("context") => Some(Self::Context),
            () if path.is_ident("state") => Some(Self::State),
            () => None,
        }
    }

    /// The role that the last segment of a type's path stands for.
    fn of_type(ty: &Type) -> Self {
        match last_segment(ty) {
            Some(name) if name == "Context" => Self::Context,
            Some(name) if name == "State" => Self::State,
            _ => Self::Argument,
        }
    }
}

/// The last segment of the path that a type is, through the invisible groups of `macro_rules!`.
pub(crate) fn last_segment(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// A parameter that the model has a use for.
pub(crate) struct Parameter {
    pub(crate) role: Role,
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        refuse_other_items(input)?;
        refuse_second_job(&attrs)?;
        let mut sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(
                input.error("a job is a free function with a body, not a method of a trait")
            );
        }
        let parameters = sig.inputs.iter_mut().filter_map(strip_roles).collect();
        let body = input.parse()?;
        Ok(Self {
            attrs,
            vis,
            sig,
            body,
            parameters,
        })
    }
}

fn refuse_other_items(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![struct]) || input.peek(Token![enum]) || input.peek(Token![union]) {
        return Err(input.error(
            "`#[job]` goes on a function; for a struct write `#[derive(jobq::Job)]`, \
             and its `#[job(…)]` below the derive",
        ));
    }
    let item = ["mod", "trait", "impl", "type", "static", "use"];
    let fork = input.fork();
    match fork.call(<Ident as syn::ext::IdentExt>::parse_any) {
        Ok(word) if item.iter().any(|item| word == item) => {
            Err(syn::Error::new(word.span(), "`#[job]` goes on a function"))
        }
        _ => Ok(()),
    }
}

fn refuse_second_job(attrs: &[Attribute]) -> syn::Result<()> {
    let is_job = |attr: &&Attribute| {
        let name = attr.path().segments.last();
        name.is_some_and(|name| name.ident == "job")
    };
    match attrs.iter().find(is_job) {
        Some(second) => Err(syn::Error::new_spanned(
            second,
            "a function is one job; put all settings into one `#[job(…)]`",
        )),
        None => Ok(()),
    }
}

fn strip_roles(input: &mut FnArg) -> Option<Attributed> {
    let FnArg::Typed(parameter) = input else {
        return None;
    };
    let mut roles = Vec::new();
    parameter
        .attrs
        .retain(|attr| match Role::of_attribute(attr) {
            Some(role) => {
                roles.push((role, attr.clone()));
                false
            }
            None => true,
        });
    let parameter = parameter.clone();
    Some(Attributed { parameter, roles })
}

impl Function {
    /// The parameters with their roles, in order.
    pub(crate) fn parameters(&self, errors: &mut Errors) -> Vec<Parameter> {
        let role = |attributed: &Attributed, errors: &mut Errors| match &attributed.roles[..] {
            [] => Role::of_type(&attributed.parameter.ty),
            [(role, _)] => *role,
            [(first, _), (_, again), ..] => {
                errors.push(
                    again,
                    "a parameter has one role: `arg`, `context` or `state`",
                );
                *first
            }
        };
        let parameter = |attributed: &Attributed| Parameter {
            role: role(attributed, errors),
            pat: (*attributed.parameter.pat).clone(),
            ty: (*attributed.parameter.ty).clone(),
        };
        self.parameters.iter().map(parameter).collect()
    }

    /// The `cfg` attributes, which everything that is made from the function needs too.
    pub(crate) fn cfgs(&self) -> Vec<Attribute> {
        let is_cfg = |attr: &&Attribute| attr.path().is_ident("cfg");
        self.attrs.iter().filter(is_cfg).cloned().collect()
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attrs,
            vis,
            sig,
            body,
            ..
        } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}
