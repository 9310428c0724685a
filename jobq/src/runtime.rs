//! What a worker runtime is built on; `jobq-worker` is one. Applications need nothing of it, and
//! any release may change it.

pub use crate::client::DEFAULT_URL;
pub use crate::context::{Cancellation, ContextParts, Lease, States, Surroundings};
pub use crate::error::text;
pub use crate::inspect::worker_record::{MAX_RUNNING, QueueRecord, RunningRecord, WorkerRecord};
pub use crate::outcome::{
    AfterCrash, Ended, Outcome, Policy, SUSPECT_AFTER, UNKNOWN_LIFETIME, after_crash, decide,
};
pub use crate::private::{Handler, Place, Registration, RunBlocking, RunFuture, registrations};
pub use crate::verdict::judge;

/// [`Envelope::decode`](crate::Envelope::decode); what cannot be read is given back.
///
/// # Errors
///
/// Why it cannot be read, and the bytes.
pub fn read_envelope(
    bytes: bytes::Bytes,
) -> Result<crate::Envelope, (crate::EnvelopeError, bytes::Bytes)> {
    crate::Envelope::read(bytes)
}

/// [`Envelope::name`](crate::Envelope::name) as bytes, for who looks it up.
#[must_use]
pub fn name_bytes(envelope: &crate::Envelope) -> &[u8] {
    envelope.name_bytes()
}

/// Asks the run of a context to end, and no other.
pub fn cancel(context: &crate::Context) {
    context.cancel();
}
