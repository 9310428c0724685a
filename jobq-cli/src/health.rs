//! Whether all is within limits, for cron and probes: figures and limits to a verdict.
//!
//! | file | knows |
//! | --- | --- |
//! | `health/limits.rs` | the limits, and how they are written |
//! | `health/figures.rs` | what is asked |
//! | `health/judge.rs` | figures and limits to reasons: pure |

pub(crate) mod figures;
pub(crate) mod judge;
pub(crate) mod limits;
