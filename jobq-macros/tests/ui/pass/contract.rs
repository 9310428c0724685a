//! A job as a contract: no function, no serde.
#![deny(missing_docs, warnings)]
#![forbid(unsafe_code)]

use jobq::{job, Context, Job, Perform};

/// A charge.
#[derive(Job)]
#[job(queue = "money", retries = 5)]
pub struct Charge {
    /// The order.
    pub order: u64,
    note: Option<String>,
}

impl Perform for Charge {
    type Output = Result<(), std::io::Error>;

    async fn perform(self, _ctx: Context) -> Self::Output {
        drop((self.order, self.note));
        Ok(())
    }
}

/// Nothing to say.
#[derive(Job)]
pub struct HTTPPing;

/// The attribute beside the derive of one crate.
#[job]
pub async fn tick() {}

fn main() {
    assert_eq!(
        (Charge::NAME, HTTPPing::NAME, tick::NAME),
        ("charge", "http_ping", "tick")
    );
    let _ = (Charge {
        order: 7,
        note: None,
    })
    .delay(std::time::Duration::from_secs(1));
}
