//! Figures and limits to reasons. Pure.

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::{Value, json};

use super::figures::{Figures, QueueFigures};
use super::limits::{Limit, MemoryLimit};
use crate::doctor::finding::Level;
use crate::doctor::judge::amount::{bytes, number, percent};
use crate::doctor::judge::judge_server;
use crate::output::{age, printable};

/// The limits that were given.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) ready: Option<Limit<u64>>,
    pub(crate) age: Option<Limit<Duration>>,
    pub(crate) dead: Option<Limit<u64>>,
    pub(crate) failure_rate: Option<Limit<f64>>,
    pub(crate) memory: Option<MemoryLimit>,
    /// Of queues with jobs that are ready.
    pub(crate) workers: Option<Limit<Reverse<u64>>>,
}

/// Why not all is well.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reason {
    /// The flag that set the limit, or the finding of `jobq doctor`.
    pub(crate) check: &'static str,
    pub(crate) queue: Option<String>,
    pub(crate) level: Level,
    /// The figure, in its unit; nothing where there is none.
    pub(crate) figure: Value,
    /// The border that it has passed.
    pub(crate) limit: Value,
    pub(crate) said: String,
}

/// What keeps Redis from doing its work: an error of `jobq doctor` that is one for a probe too.
const OF_DOCTOR: [&str; 5] = [
    "replication",
    "memory",
    "append-only-file",
    "snapshot",
    "clients",
];

/// All reasons, those of the server first.
pub(crate) fn judge(figures: &Figures, limits: &Limits) -> Vec<Reason> {
    let mut reasons = of_server(figures);
    reasons.extend(limits.memory.and_then(|limit| memory(figures, limit)));
    reasons.extend(no_queue(figures));
    let of_workers = figures.workers_unreadable.iter();
    reasons.extend(of_workers.map(|why| unreadable(None, why)));
    let of_queues = figures.unreadable.iter();
    reasons.extend(of_queues.map(|(queue, why)| unreadable(Some(queue), why)));
    for queue in &figures.queues {
        reasons.extend(limits.ready.and_then(|limit| ready(queue, limit)));
        reasons.extend(limits.age.and_then(|limit| oldest(queue, limit)));
        reasons.extend(limits.dead.and_then(|limit| dead(queue, limit)));
        reasons.extend(limits.workers.and_then(|limit| workers(queue, limit)));
        reasons.extend(limits.failure_rate.and_then(|limit| failing(queue, limit)));
    }
    reasons
}

/// The worst of them.
pub(crate) fn worst(reasons: &[Reason]) -> Level {
    let levels = reasons.iter().map(|reason| reason.level);
    levels.max().unwrap_or(Level::Ok)
}

fn of_server(figures: &Figures) -> Vec<Reason> {
    let findings = judge_server(&figures.server).into_iter();
    let errors =
        findings.filter(|finding| finding.level == Level::Error && OF_DOCTOR.contains(&finding.id));
    let reasons = errors.map(|finding| Reason {
        check: finding.id,
        queue: None,
        level: Level::Error,
        figure: Value::Null,
        limit: Value::Null,
        said: printable(&finding.seen),
    });
    reasons.collect()
}

fn no_queue(figures: &Figures) -> Option<Reason> {
    let is_none = figures.queues.is_empty() && figures.unreadable.is_empty();
    is_none.then(|| Reason {
        check: "queue",
        queue: None,
        level: Level::Warning,
        figure: Value::Null,
        limit: Value::Null,
        said:
            "there is no queue in this namespace: nothing was enqueued to it yet, or it is not the \
               one of the programs"
                .to_owned(),
    })
}

fn unreadable(queue: Option<&String>, why: &str) -> Reason {
    Reason {
        check: "keys",
        queue: queue.cloned(),
        level: Level::Error,
        figure: Value::Null,
        limit: Value::Null,
        said: printable(why),
    }
}

fn memory(figures: &Figures, limit: MemoryLimit) -> Option<Reason> {
    let memory = &figures.server.memory;
    let reason = |level, figure, limit, said| Reason {
        check: "max-memory",
        queue: None,
        level,
        figure,
        limit,
        said,
    };
    let Some(used) = memory.used else {
        let said = "how much memory is used is not known: the user lacks +info".to_owned();
        return Some(reason(Level::Warning, Value::Null, Value::Null, said));
    };
    match limit {
        MemoryLimit::Bytes(limit) => {
            let (level, border) = limit.judge(used)?;
            let said = format!("memory used: {}, over {}", bytes(used), bytes(border));
            Some(reason(level, json!(used), json!(border), said))
        }
        MemoryLimit::Share(limit) => {
            let Some(most) = memory.limit.filter(|most| *most > 0) else {
                let said = "there is no maxmemory to take a share of".to_owned();
                return Some(reason(
                    Level::Warning,
                    Value::Null,
                    json!(limit.error),
                    said,
                ));
            };
            let share = used as f64 / most as f64;
            let (level, border) = limit.judge(share)?;
            let said = format!(
                "memory used: {} of {}, over {}",
                percent(share),
                bytes(most),
                percent(border)
            );
            Some(reason(level, json!(share), json!(border), said))
        }
    }
}

fn of_queue<T: PartialOrd + Copy>(
    check: &'static str,
    queue: &QueueFigures,
    figure: T,
    limit: Limit<T>,
    to_json: fn(T) -> Value,
    said: impl Fn(T) -> String,
) -> Option<Reason> {
    let (level, border) = limit.judge(figure)?;
    Some(Reason {
        check,
        queue: Some(queue.name.clone()),
        level,
        figure: to_json(figure),
        limit: to_json(border),
        said: said(border),
    })
}

fn ready(queue: &QueueFigures, limit: Limit<u64>) -> Option<Reason> {
    let (name, figure) = (&queue.name, queue.ready);
    of_queue(
        "max-ready",
        queue,
        figure,
        limit,
        |n| json!(n),
        |border| {
            let paused = if queue.paused {
                "; the queue is paused"
            } else {
                ""
            };
            format!(
                "ready on {name}: {}, over {}{paused}",
                number(figure),
                number(border)
            )
        },
    )
}

fn oldest(queue: &QueueFigures, limit: Limit<Duration>) -> Option<Reason> {
    let (name, figure) = (&queue.name, queue.oldest_ready?);
    let ms = |time: Duration| json!(whole_ms(time));
    of_queue("max-age", queue, figure, limit, ms, |border| {
        let paused = if queue.paused {
            "; the queue is paused"
        } else {
            ""
        };
        format!(
            "the oldest ready job of {name} waits for {}, over {}{paused}",
            age(figure),
            age(border)
        )
    })
}

/// As JSON has lengths of time.
pub(crate) fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn dead(queue: &QueueFigures, limit: Limit<u64>) -> Option<Reason> {
    let (name, figure) = (&queue.name, queue.dead);
    of_queue(
        "max-dead",
        queue,
        figure,
        limit,
        |n| json!(n),
        |border| {
            format!(
                "dead on {name}: {}, over {}",
                number(figure),
                number(border)
            )
        },
    )
}

/// Where nothing is ready, nobody is missed.
fn workers(queue: &QueueFigures, limit: Limit<Reverse<u64>>) -> Option<Reason> {
    let (name, workers) = (&queue.name, queue.workers.filter(|_| queue.ready > 0)?);
    let to_json = |Reverse(workers)| json!(workers);
    let said = |Reverse(border)| {
        let (workers, border, ready) = (number(workers), number(border), number(queue.ready));
        format!("workers that take jobs of {name}: {workers}, under {border}; jobs ready: {ready}")
    };
    of_queue("min-workers", queue, Reverse(workers), limit, to_json, said)
}

fn failing(queue: &QueueFigures, limit: Limit<f64>) -> Option<Reason> {
    let runs = queue.runs?;
    let (name, figure) = (&queue.name, runs.failure_rate()?);
    let to_json = |share: f64| json!(share);
    of_queue(
        "max-failure-rate",
        queue,
        figure,
        limit,
        to_json,
        |border| {
            let (failed, all) = (number(runs.failed), number(runs.failed + runs.done));
            let (rate, border) = (percent(figure), percent(border));
            format!("failed on {name}: {failed} of {all} ({rate}), over {border}")
        },
    )
}

#[cfg(test)]
mod tests;
