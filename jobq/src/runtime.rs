//! What a worker runtime is built on; `jobq-worker` is one. Applications need nothing of it, and
//! any release may change it.

pub use crate::client::DEFAULT_URL;
pub use crate::context::{Cancellation, ContextParts, Lease, States};
pub use crate::error::text;
pub use crate::outcome::{
    AfterCrash, Ended, Outcome, Policy, SUSPECT_AFTER, UNKNOWN_LIFETIME, after_crash, decide,
};
pub use crate::private::{Handler, Place, Registration, RunBlocking, RunFuture, registrations};
pub use crate::verdict::judge;
