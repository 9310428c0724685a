//! Looking into queues of a million jobs holds Redis for less than 2 ms a call: whatever people and
//! tools ask and change is put to a server that notes what takes longer, and it notes nothing.
//!
//! A binary of its own: test binaries run one after another, and in this one the tests do too, so
//! that nothing of ours takes the processor from the server while it is measured.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod dead;
mod large;
mod many;
mod million;
mod slow;
mod store;
