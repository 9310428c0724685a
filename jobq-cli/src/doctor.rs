//! What is wrong with a Redis and the queues in it, or may become so.
//!
//! | file | knows |
//! | --- | --- |
//! | `doctor/facts.rs` | what is asked |
//! | `doctor/judge.rs`, `judge/` | facts to findings: pure, a table of cases for each |
//! | `doctor/finding.rs` | how bad, what was seen, why it matters, the cure |
//! | `doctor/fix.rs` | what may be done about it without asking anyone |
//! | `doctor/sweep.rs`, `sweep/` | taking over what dead workers left |
//! | `doctor/report.rs` | findings as they are printed |
//!
//! `docs/operations/doctor.md` has each finding.

pub(crate) mod facts;
pub(crate) mod finding;
pub(crate) mod fix;
pub(crate) mod judge;
pub(crate) mod report;
mod sweep;
