//! Reports of workers and orders to them.

use std::time::Duration;

use bytes::Bytes;

use super::{ceil_ms, loaded};
use crate::broker::redis::keys::{self, QueueKeys};
use crate::broker::redis::step::Step;
use crate::broker::{MAX_NAMES, ORDER_KEPT, OTHER_JOBS, Order, Report};
use crate::id::WorkerId;

pub(in crate::broker::redis) fn report(keys: &QueueKeys, report: &Report) -> Step {
    let keys = [keys.workers(), keys.reports(), keys.totals()];
    let mut step = Step::script(&loaded::report, &keys)
        .arg(report.worker.as_str())
        .arg(report.number)
        .arg(MAX_NAMES)
        .arg(OTHER_JOBS);
    for tally in &report.tallies {
        let totals = &tally.totals;
        let ms = u64::try_from(totals.spent.as_millis()).unwrap_or(u64::MAX);
        step.command.arg(&tally.name);
        for figure in [totals.done, totals.failed, totals.retried, totals.dead, ms] {
            step.command.arg(figure);
        }
    }
    step
}

/// All of a hash that is bounded.
pub(in crate::broker::redis) fn totals(keys: &QueueKeys) -> Step {
    Step::command("HGETALL").arg(keys.totals())
}

/// Two steps: what a worker tells of itself is kept, and what it was ordered is asked for.
pub(in crate::broker::redis) fn register(
    namespace: &str,
    worker: &WorkerId,
    record: &Bytes,
    kept: Duration,
) -> [Step; 2] {
    let tell = Step::script(&loaded::register, &[keys::registry(namespace)])
        .arg(worker.as_str())
        .arg(ceil_ms(kept))
        .arg(&record[..]);
    [
        tell,
        Step::command("GET").arg(keys::order(namespace, worker)),
    ]
}

pub(in crate::broker::redis) fn deregister(namespace: &str, worker: &WorkerId) -> [Step; 2] {
    let record = Step::command("HDEL").arg(keys::registry(namespace));
    let order = Step::command("DEL").arg(keys::order(namespace, worker));
    [record.arg(worker.as_str()), order]
}

pub(in crate::broker::redis) fn order(namespace: &str, worker: &WorkerId, order: Order) -> Step {
    let word = match order {
        Order::Quiet => "quiet",
        Order::Stop => "stop",
    };
    Step::script(&loaded::order, &[keys::order(namespace, worker)])
        .arg(word)
        .arg(ceil_ms(ORDER_KEPT))
}
