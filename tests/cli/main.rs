//! The command `jobq`, run as operators run it: the built program, with an operator's rights and no
//! others, on a real server, beside a real worker. What it prints with `--json` is held against
//! `docs/reference/cli.schema.json`.

mod bad_input;
mod between;
mod cancel;
mod consent;
mod damaged;
mod dead;
mod enqueue;
mod fixture;
mod halfway;
mod interrupted;
mod jobs;
mod output;
mod pages;
mod queues;
mod schema;
mod stats;
mod suspects;
mod unavailable;
mod workers;
