//! The arguments of every job.

use serde::{Deserialize, Serialize};

use crate::clock::now_us;

/// 52 characters: with the other fields and their names, JSON is about 100 bytes.
const TEXT: &str = "user-00042/abcdefghijklmnopqrstuvwxyz0123456789-abcd";

/// The arguments of every job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Args {
    /// Which job it is.
    pub id: u64,
    /// When it was enqueued or is due, in µs since the Unix epoch.
    pub time: u64,
    /// What makes it as large as jobs are.
    pub text: String,
}

impl Args {
    /// Those of a job that may run at `time`, in µs since the Unix epoch.
    #[must_use]
    pub fn at(id: u64, time: u64) -> Self {
        Self {
            id,
            time,
            text: TEXT.to_owned(),
        }
    }

    /// Those of a job that may run now.
    #[must_use]
    pub fn now(id: u64) -> Self {
        Self::at(id, now_us())
    }
}
