//! The background loops of a worker, one per file.

pub(crate) mod fetcher;
pub(crate) mod heartbeat;
pub(crate) mod idler;
pub(crate) mod reaper;
pub(crate) mod suspects;
pub(crate) mod timekeeper;
