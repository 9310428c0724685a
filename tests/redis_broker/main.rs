//! What only the broker on a Redis server has: scripts that are forgotten, connections that are
//! lost, servers that refuse. What every broker must do is in the conformance suite.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod adoption;
mod cancelled;
mod connections;
mod damaged;
mod dead;
mod delayed;
mod examine;
mod fixture;
mod guards;
mod login;
mod operate;
mod producers;
mod refusals;
mod rights;
mod scripts;
mod tls;
mod waiting;
mod withdrawal;
