//! A job as a contract between two crates: the data, the name and the policy, but no handler. A
//! producer needs no more than this; the worker's crate adds the handler (`examples/contract.rs`).

/// Takes the money for an order.
#[derive(Debug, jobq::Job)]
#[job(
    name = "billing.charge",
    queue = "billing",
    retries = 5,
    backoff = "linear",
    base_delay = "2s"
)]
pub struct Charge {
    /// The order.
    pub order: u64,
    /// How much, in cents.
    pub cents: u64,
    /// A field that came later: jobs that were queued before it existed still decode.
    pub voucher: Option<String>,
}
