//! Jobs that a producer and a worker process share. They stand in a crate of their own, as in an
//! application, whose only dependencies are `jobq` and what the jobs themselves use.

pub mod contract;
pub mod invoices;

/// The programs of the README, compiled and run by the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
