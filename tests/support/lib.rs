//! What the suites share: a Redis server of one's own, a namespace of one's own on a server that
//! a whole test binary shares, and waiting for events with a deadline; and random sequences of
//! steps, which the fault matrix runs too.

mod beside;
mod certificates;
mod deadline;
mod folder;
pub mod hooked;
pub mod jobs;
mod port;
mod record;
mod roles;
pub mod sequences;
mod server;
mod signal;
pub mod strangers;

pub use beside::{beside, connected};
pub use certificates::{Authority, Certificate};
pub use deadline::{DEADLINE, eventually, within};
pub use folder::Folder;
pub use port::Port;
pub use record::Record;
pub use roles::Role;
pub use server::{RedisServer, namespace, shared};
pub use signal::signal;
