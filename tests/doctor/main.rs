//! `jobq doctor` and `jobq health`, end to end: real servers with planted faults, and the command as
//! a process.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod faults;
mod fixture;
mod health;
mod members;
mod outside;
mod refused;
// The same for all commands.
#[path = "../cli/schema.rs"]
mod schema;
mod slow;
mod sweep;
mod well;
