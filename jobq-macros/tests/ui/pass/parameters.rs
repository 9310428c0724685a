//! Any order and number, every role, every way to say it.
#![deny(missing_docs, warnings)]
#![forbid(unsafe_code)]

mod theirs {
    use jobq::private::serde;

    /// A drawing context, say.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(crate = "jobq::private::serde")]
    pub struct Context {
        pub depth: u8,
    }
}

use std::collections::HashMap;

use jobq::{job, Context, State};
use jobq::{Context as Running, State as Held};

struct Db;
struct Mail;

type Database = State<Db>;

#[job]
async fn between(a: u8, ctx: Context, b: u8, db: State<Db>, c: u8) {
    drop((a, ctx, b, db, c));
}

#[job]
async fn twice(one: Context, db: State<Db>, mail: jobq::State<Mail>, other: jobq::Context) {
    drop((one, db, mail, other));
}

#[job]
async fn only_context(_: Context) {}

#[job]
async fn override_argument(#[arg] ctx: theirs::Context) {
    let _ = ctx.depth;
}

#[job]
async fn overrides(#[context] ctx: Running, #[state] db: Held<Db>, #[state] same: Database) {
    drop((ctx, db, same));
}

#[job(blocking)]
fn blocking(ctx: Context, db: State<Db>) {
    drop((ctx, db));
}

#[job]
async fn raw(r#type: String, r#match: Option<u64>) {
    drop((r#type, r#match));
}

#[job]
async fn r#loop(mut count: u64) {
    count += 1;
    let _ = count;
}

/// The names that the generated code uses too.
#[job]
#[allow(clippy::too_many_arguments, reason = "each is a name that may clash")]
pub async fn clashes(
    client: u8,
    args: u8,
    job: u8,
    ctx: u8,
    map: u8,
    name: u8,
    slot0: u8,
    future: u8,
    output: String,
    serializer: String,
) {
    drop((
        client, args, job, ctx, map, name, slot0, future, output, serializer,
    ));
}

/// The names that generics often have.
mod letters {
    use jobq::private::serde;

    macro_rules! types {
        ($($name:ident)*) => {
            $(
                #[derive(serde::Serialize, serde::Deserialize)]
                #[serde(crate = "jobq::private::serde")]
                pub(crate) struct $name;
            )*
        };
    }

    types!(A D E F J K S T V);
}

use letters::{A, D, E, F, J, K, S, T, V};

#[job]
#[allow(
    clippy::many_single_char_names,
    clippy::too_many_arguments,
    reason = "each is a name that may clash"
)]
async fn of_letters(a: A, d: D, e: E, f: F, j: J, k: K, s: S, t: T, v: V) {
    let _ = (a, d, e, f, j, k, s, t, v);
}

#[job]
async fn run(nested: HashMap<String, Vec<Option<(u8, String)>>>) {
    drop(nested);
}

fn main() {}
