//! What a worker runtime is built on; `jobq-worker` is one. Applications need nothing of it, and
//! any release may change it.

pub use crate::client::{DEFAULT_URL, InUrl};
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

/// The arguments of a job whose type is not known, for who shows them: as whatever `seed` makes of
/// them. `None` if they are not well-formed, or `seed` refuses them.
#[must_use]
pub fn read_arguments<'a, S: serde::de::DeserializeSeed<'a>>(
    envelope: &'a crate::Envelope,
    seed: S,
) -> Option<S::Value> {
    crate::envelope::read_value(envelope.args(), seed)
}

/// The options of a job as they are on the wire, those that this build does not know included; as
/// [`read_arguments`].
#[must_use]
pub fn read_options<'a, S: serde::de::DeserializeSeed<'a>>(
    envelope: &'a crate::Envelope,
    seed: S,
) -> Option<S::Value> {
    crate::envelope::read_value(envelope.raw_options(), seed)
}

/// Asks the run of a context to end, and no other.
pub fn cancel(context: &crate::Context) {
    context.cancel();
}
