//! The steps of a queue as pure Rust.
//!
//! [`store`] is what a broker does, rule by rule. `tests/properties` puts the same requests to it,
//! to the in-process broker and to Redis, and finds every answer and the whole state equal; so what
//! is shown of these rules is shown of the brokers.

pub mod store;
