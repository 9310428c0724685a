//! What a worker tells of itself and of its work, with each heartbeat and never for a job: reports of
//! what its jobs came to, which are added to the totals of their queue, and a record of who it is and
//! what runs. With the answer it learns what it was ordered.
//!
//! | file | knows |
//! | --- | --- |
//! | `report/tallies.rs` | what the jobs came to, by queue and name |
//! | `report/ledger.rs` | what of it the broker has counted: nothing twice |
//! | `report/record.rs` | who the worker is, and what runs |

mod ledger;
mod record;
mod tallies;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jobq::BrokerError;
use jobq::broker::{Broker, Order, Reported};

pub(crate) use self::ledger::Ledger;
pub(crate) use self::tallies::{JobIndex, Streak, Tallies};
#[cfg(any(feature = "metrics", feature = "prometheus"))]
pub(crate) use self::tallies::{OUTCOMES, USUAL};
use crate::shared::Shared;
use crate::shutdown::Phase;

/// How long a worker is told of that was silent for its lease: people want to see that it has died.
const MISSED: Duration = Duration::from_secs(60);

/// How long to wait for the next try of a last report.
const AGAIN: Duration = Duration::from_millis(20);

/// Sends what there is to be told, and does what was ordered.
pub(crate) async fn tell(shared: &Arc<Shared>, broker: &dyn Broker) -> Result<(), BrokerError> {
    let reports = (0..shared.memberships.len()).map(|index| report(shared, broker, index));
    let reports: Result<(), BrokerError> = join_all(reports).await.into_iter().collect();
    register(shared, broker).await?;
    reports
}

/// Reports what the jobs of a queue came to: each name once, or what is left of an earlier report.
async fn report(
    shared: &Arc<Shared>,
    broker: &dyn Broker,
    index: usize,
) -> Result<(), BrokerError> {
    for _ in 0..shared.tallies.reports() {
        if !report_some(shared, broker, index).await? {
            break;
        }
    }
    Ok(())
}

/// One report. Answers whether there was one to be counted: then there may be another.
async fn report_some(
    shared: &Arc<Shared>,
    broker: &dyn Broker,
    index: usize,
) -> Result<bool, BrokerError> {
    let (membership, ledger) = (&shared.memberships[index], &shared.ledgers[index]);
    let member = membership.member();
    // It was answered under another id, or none, and will be a member with its next claim.
    if member.known == 0 {
        return Ok(false);
    }
    let Some(report) = ledger.next(&member, &shared.tallies, index) else {
        return Ok(false);
    };
    let answer = broker.report(&report).await?;
    ledger.answered(answer);
    // If it was reaped, the next renewal finds that too, and has the worker take another id.
    Ok(answer != Reported::Reaped)
}

/// Tells who it is.
async fn register(shared: &Arc<Shared>, broker: &dyn Broker) -> Result<(), BrokerError> {
    shared.meters.set_clock(shared.broker().now());
    let record = record::record(shared).encode();
    let kept = shared.settings.lease + MISSED;
    let order = broker.register(&shared.id, &record, kept).await?;
    shared.hear();
    if let Some(order) = order {
        obey(shared, order);
    }
    Ok(())
}

/// Orders are answered until the worker has gone: each is told once.
fn obey(shared: &Shared, order: Order) {
    let phase = match order {
        Order::Quiet => Phase::Quiet,
        Order::Stop => Phase::Draining,
    };
    if shared.shutdown.phase() >= phase {
        return;
    }
    match order {
        Order::Quiet => {
            tracing::info!("ordered to be quiet: no more jobs are taken, running ones may end");
        }
        Order::Stop => tracing::info!("ordered to stop: shutting down, running jobs may end"),
    }
    shared.shutdown.advance(phase);
}

/// Reports what is left to be reported, for as long as it takes, before the worker leaves: afterwards
/// nobody would believe it. The first report may be an earlier one that was not answered, and tells
/// nothing of what has come since.
pub(crate) async fn tell_the_rest(shared: &Arc<Shared>) {
    for index in 0..shared.memberships.len() {
        loop {
            match report_some(shared, &**shared.broker(), index).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if error.is_retryable() => tokio::time::sleep(AGAIN).await,
                Err(error) => {
                    tracing::debug!(%error, "could not report what the last jobs came to");
                    break;
                }
            }
        }
    }
}

/// Takes back what it told of itself.
pub(crate) async fn sign_off(shared: &Arc<Shared>) {
    if let Err(error) = shared.broker().deregister(&shared.id).await {
        tracing::debug!(%error, "could not sign off; it will be forgotten");
    }
}
