//! The background loops of a worker, one per file.

pub(crate) mod fetcher;
pub(crate) mod heartbeat;
pub(crate) mod idler;
pub(crate) mod reaper;
#[cfg(any(feature = "metrics", feature = "prometheus"))]
pub(crate) mod surveyor;
pub(crate) mod suspects;
pub(crate) mod timekeeper;
