//! The macros of jobq: `#[job]` and `#[derive(Job)]`. Used through `jobq`, which re-exports them.
//!
//! `parse` and `signature` turn tokens into structs of ours; `model` gives them their meaning and
//! finds all that is wrong; `expand` writes the code; `fallback` keeps one mistake from hiding
//! others.

mod expand;
mod fallback;
mod model;
mod parse;
mod signature;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::DeriveInput;

use crate::model::{Errors, FunctionJob, StructJob};
use crate::parse::Settings;
use crate::signature::Function;

/// Makes a job of a function.
///
/// The function stays as it is and is called like any other. Beside it stands a struct of the same
/// name, whose fields are the arguments:
///
/// ```
/// use jobq::{Context, State, job};
/// use std::time::Duration;
///
/// # struct Mailer;
/// # impl Mailer { async fn send(&self, _: u64, _: String) -> Result<(), std::io::Error> { Ok(()) } }
/// #[job(retries = 3, backoff = "exponential")]
/// async fn send_welcome(
///     ctx: Context,
///     mailer: State<Mailer>,
///     user_id: u64,
///     email: String,
/// ) -> Result<(), std::io::Error> {
///     println!("attempt {} of {}", ctx.attempt(), ctx.id());
///     mailer.send(user_id, email).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = jobq::connect("memory://").await?;
/// send_welcome::enqueue(&client, 7, "a@b.c").await?;
/// send_welcome::new(7, "a@b.c")
///     .delay(Duration::from_secs(60))
///     .queue("vip")
///     .enqueue(&client)
///     .await?;
///
/// // In a test, in place:
/// send_welcome(Context::for_test(), State::new(Mailer), 7, "a@b.c".into()).await?;
/// # Ok(())
/// # }
/// ```
///
/// `new` gives a `JobBuilder`, which `enqueue`, `enqueue_all` and its own methods take from there.
/// Both `new` and `enqueue` take anything that is `Into<String>` where the parameter is a `String`.
///
/// # Parameters
///
/// In any order and number, told apart by the last segment of their type:
///
/// | type | filled with |
/// | --- | --- |
/// | `Context` | the running job |
/// | `State<T>` | what the worker was given with `.state(t)`; checked when the worker is built |
/// | any other | an argument: owned, `Serialize + DeserializeOwned + Send + 'static` |
///
/// `#[arg]`, `#[context]` or `#[state]` on a parameter overrides that, for a `Context` of your own
/// or an alias of ours. Arguments travel as a map by name: an `Option` that an older job lacks is
/// `None`, names that this version does not know are passed over.
///
/// The function returns nothing, or a `Result<T, E>` whose error converts into
/// `Box<dyn Error + Send + Sync>`; the value is dropped.
///
/// # Settings
///
/// | key | default | |
/// | --- | --- | --- |
/// | `name = "send_welcome"` | the function's name | the name on the wire, 1 to 128 bytes |
/// | `queue = "mail"` | `"default"` | 1 to 128 characters of `A-Za-z0-9_.:-` |
/// | `retries = 3` | 20 | runs after a failed first one |
/// | `backoff = "linear"` | `"exponential"` | `"fixed"`, `"linear"` or `"exponential"` |
/// | `base_delay = "10s"` | exponential 1 s, linear 10 s, fixed 5 s | the delay before the first retry |
/// | `max_delay = "3m"` | exponential 5 min, linear 3 min, fixed none | no delay is longer |
/// | `factor = 2.0` | 2.0 | the growth of `"exponential"` |
/// | `jitter = 0.2` | 0.2 | `"full"`, `"equal"`, `"none"` or a fraction from 0.0 to 1.0 |
/// | `timeout = "10m"` | 30 min | the longest one run may take; `"none"` is no limit |
/// | `blocking` | | for a function that is not `async`: it runs on a thread that may block |
/// | `crate = my::jobq` | `::jobq` | where jobq is found when it is renamed or re-exported |
///
/// Durations are a whole number with a unit: `ms`, `s`, `m`, `h` or `d`.
///
/// Every job made so is known to every worker of the binary, if anything of its crate is used.
#[proc_macro_attribute]
pub fn job(
    settings: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(settings.into(), item.into()).into()
}

/// Makes a job of a struct: a contract between a producer and a worker that live in different
/// crates. The handler is an `impl Perform`.
///
/// ```
/// use jobq::Job;
///
/// #[derive(Job)]
/// #[job(queue = "money", retries = 5)]
/// pub struct Charge {
///     pub order: u64,
///     pub note: Option<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = jobq::connect("memory://").await?;
/// let charge = Charge { order: 7, note: None };
/// charge.queue("vip").enqueue(&client).await?;
/// # Ok(())
/// # }
/// ```
///
/// The struct has named fields, all of them arguments, or none. Its name is its own in snake case
/// (`SendInvoice` is `send_invoice`) unless `name` says otherwise. `#[job(…)]` below the derive
/// takes the settings of [`macro@job`] but `blocking`. Nothing is registered: a worker is told with
/// `.register::<Charge>()`.
///
/// `Serialize` and `Deserialize` are implemented too, so do not derive them beside it;
/// `#[serde(…)]` on the struct and its fields means what it means there.
#[proc_macro_derive(Job, attributes(job, serde))]
pub fn derive_job(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(item.into()).into()
}

/// What belongs beside the struct of a job's arguments: the settings of the attribute, as items.
///
/// It stands on the struct so that the struct brings it along. In an `impl` or a trait, where there
/// can be no struct, the compiler then speaks of that alone.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn beside(
    items: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    [item, items].into_iter().collect()
}

fn attribute(settings: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback::with_errors(item, Some(error)),
    };
    let settings = settings_or_none(syn::parse2(settings), &mut errors);
    let job = FunctionJob::new(&settings, &function, &mut errors);
    let made = match &job {
        Some(job) => expand::function(&function, job),
        None => function.to_token_stream(),
    };
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

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    /// The messages of the errors that an expansion ends in.
    fn messages(expanded: TokenStream) -> Vec<String> {
        let file: syn::File = syn::parse2(expanded).expect("an expansion is a list of items");
        let errors = file.items.into_iter().filter_map(|item| match item {
            syn::Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => {
                Some(item.mac.parse_body::<syn::LitStr>().ok()?.value())
            }
            _ => None,
        });
        errors.collect()
    }

    fn names_a_struct(expanded: TokenStream, name: &str) -> bool {
        let file: syn::File = syn::parse2(expanded).expect("an expansion is a list of items");
        let is_it = |item: &syn::Item| matches!(item, syn::Item::Struct(it) if it.ident == name);
        file.items.iter().any(is_it)
    }

    #[test]
    fn a_right_job_has_no_errors() {
        let expanded = attribute(
            quote!(retries = 3),
            quote!(
                async fn send(id: u64) {}
            ),
        );
        assert!(messages(expanded.clone()).is_empty());
        assert!(names_a_struct(expanded, "send"));
    }

    #[test]
    fn three_mistakes_are_three_errors() {
        let expanded = attribute(
            quote!(retry = 3, backoff = "exponental"),
            quote!(
                async fn send(email: &str) {}
            ),
        );
        let messages = messages(expanded);
        assert_eq!(messages.len(), 3, "{messages:?}");
    }

    #[test]
    fn a_wrong_setting_leaves_the_job_usable() {
        let expanded = attribute(
            quote!(retry = 3),
            quote!(
                async fn send(id: u64) {}
            ),
        );
        assert_eq!(messages(expanded.clone()).len(), 1);
        assert!(names_a_struct(expanded, "send"));
    }

    #[test]
    fn a_wrong_signature_leaves_the_function() {
        let function = quote!(
            async fn send<T>(value: T) {
                work()
            }
        );
        let expanded = attribute(quote!(), function.clone()).to_string();
        assert!(expanded.starts_with(&function.to_string()), "{expanded}");
        assert!(!expanded.contains("struct"), "{expanded}");
    }

    #[test]
    fn a_body_is_never_parsed() {
        let expanded = attribute(quote!(), quote!(async fn send() { not + + rust }));
        assert!(expanded.to_string().contains("not + + rust"));
    }

    #[test]
    fn role_attributes_are_taken_off_and_others_stay() {
        let item = quote!(
            async fn send(
                #[arg]
                #[warn(unused)]
                ctx: Context,
            ) {
            }
        );
        let expanded = attribute(quote!(), item).to_string();
        assert!(
            expanded.contains("async fn send (# [warn (unused)] ctx : Context"),
            "{expanded}"
        );
    }

    #[test]
    fn a_derive_leaves_the_struct_to_the_compiler() {
        let expanded = derive(quote!(
            struct Charge {
                order: u64,
            }
        ));
        assert!(messages(expanded.clone()).is_empty());
        assert!(!names_a_struct(expanded, "Charge"));
    }
}
