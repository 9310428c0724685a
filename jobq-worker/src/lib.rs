//! The worker runtime of jobq (stub).
