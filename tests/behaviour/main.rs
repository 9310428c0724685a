//! What jobq promises to applications: one module per promise, each test a sentence. Tests that
//! need no server run on `memory://`, most of them in virtual time; those about Redis say so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adoption;
mod building;
mod cancel;
mod cohorts;
mod compatibility;
mod decisions;
mod delayed;
mod dropped;
mod errors;
mod fixture;
mod foreign;
mod heartbeat;
mod http;
mod idle;
mod in_place;
mod inspect;
mod intervene;
mod lease;
mod limits;
mod metrics;
mod names;
mod orders;
mod outage;
mod panics;
mod plain;
mod process;
mod program;
mod queues;
mod reaped;
mod reconcile;
mod retries;
mod rights;
mod runs;
mod secrets;
mod shutdown;
mod slow_network;
mod suspects;
mod timeouts;
mod tls;
mod totals;
mod tracing;
mod unanswered;
mod undecodable;
mod wire_format;

/// Runs each case on each broker: a failure reads `runs::redis::a_job_enqueues_another`.
macro_rules! on_every_broker {
    ($($case:ident)*) => {
        crate::on_every_broker! { memory: $($case)* }
        crate::on_every_broker! { redis: $($case)* }
    };
    ($broker:ident: $($case:ident)*) => {
        mod $broker {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::fixture::Fixture::$broker().await).await;
            })*
        }
    };
}
pub(crate) use on_every_broker;
