//! Breaks each guard of each Lua script of the Redis broker in turn, and shows that a test fails
//! for every one (row M4 of the fault matrix).
//!
//! 1. [`mutants`] reads a script as Lua and answers one changed text per guard: a new guard is
//!    mutated without anyone thinking of it.
//! 2. [`Server::load`] asks a Redis server whether the text is a script at all.
//! 3. [`Suites`] plants it: scripts stand verbatim in the test programs, so a mutant of the same
//!    length takes the place of its script in a copy of each, and nothing is compiled again.
//! 4. The suites run, the cheapest first, until a test fails.
//!
//! What no test can tell from the script itself is listed in `equivalent.rs`, with the reason.

mod equivalent;
mod mutate;
mod round;
mod script;
mod server;
mod suites;

pub use mutate::{Mutant, mutants};
pub use round::{Candidate, Totals, Verdict, candidates, round};
pub use script::{Script, scripts};
pub use server::Server;
pub use suites::{Caught, Suites};
