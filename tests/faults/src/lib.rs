//! The fault matrix. Each row does harm to real processes, heals it, waits until all work is done and
//! then asks the ledgers of all processes and every key of Redis whether a promise was broken.
//!
//! | file | knows |
//! | --- | --- |
//! | `row.rs`, `rows.rs`, `rows/` | what a row is; the rows, a file each |
//! | `world.rs`, `world/` | a Redis, and the processes around it: started, killed, stopped, looked at |
//! | `jobs.rs` | the jobs that workers run |
//! | `ledger.rs` | what each process writes down before it acts |
//! | `death.rs` | where a process ends itself |
//! | `history.rs` | all ledgers as one |
//! | `census.rs` | every element in every key, at one moment |
//! | `traffic.rs` | a producer and workers around a server that is harmed |
//! | `check.rs`, `check/` | the invariants |
//! | `schedule.rs` | chance, from a seed, and what was done by it |
//! | `simulation.rs`, `simulation/` | whole workers in paused time, with faults from a seed |
//! | `fuzz.rs`, `fuzz/` | broken input for every reader |
//! | `sheet.rs`, `sheet/` | the figures, as people read them; those that are promised, over all rows |

pub mod census;
pub mod check;
pub mod death;
mod fuzz;
pub mod history;
pub mod jobs;
pub mod ledger;
pub mod row;
pub mod rows;
pub mod schedule;
pub mod sheet;
mod simulation;
pub mod traffic;
pub mod turn;
pub mod world;
