//! The steps of a queue as pure Rust, and a search through all that can come of them.
//!
//! [`store`] is what a broker does, rule by rule. `tests/properties` puts the same requests to it,
//! to the in-process broker and to Redis, and finds every answer and the whole state equal; so what
//! is shown of these rules is shown of the brokers.
//!
//! [`system`] puts processes around it that keep the worker's rules, and a network that loses and
//! delays; [`search`] goes through all states breadth first. [`themes`] says where it begins, and
//! which rules are left out to see that it would notice; [`suite`] runs all of it.

pub mod search;
pub mod store;
pub mod suite;
pub mod system;
pub mod themes;
