//! The queues: whether their keys are what they should be, and who looks after what lies in them.
//! One line for all of them where nothing is wrong, and one for each queue where something is.

use jobq::broker::{Owned, QueueFacts};

use super::amount::{bytes, number};
use crate::doctor::facts::{QueueSeen, Store};
use crate::doctor::finding::{Cure, Finding, Fix, Subject};
use crate::output::printable;

const KEYS: Subject = Subject {
    id: "keys",
    why: "a key of another type is one that a stranger wrote: every step that uses it fails, and \
          with it the queue",
};

const ORPHANS: Subject = Subject {
    id: "orphans",
    why: "jobs in flight of a worker that is gone run nowhere: another worker of the queue takes them \
          over within a lease, and without one they stay where they are",
};

const WORKERS: Subject = Subject {
    id: "workers",
    why: "jobs that are ready on a queue that no worker serves wait for ever",
};

const DEAD: Subject = Subject {
    id: "dead-letters",
    why: "a dead list that is full drops its oldest records, which can then not be retried any more",
};

/// Records that a dead list keeps, and from how many on it is nearly full.
const DEAD_KEPT: u64 = 10_000;
const DEAD_NEAR: u64 = 9_000;

pub(super) fn judge(store: &Store) -> Vec<Finding> {
    let queues = &store.queues;
    if queues.iter().any(|queue| queue.facts.is_none()) {
        let what = "the keys of the queues";
        return vec![KEYS.unknown(what, "connect as an operator: docs/operations/users.acl")];
    }
    let known: Vec<Known<'_>> = queues.iter().filter_map(Known::new).collect();
    let mut findings = Vec::new();
    let of_each: [(Judge, AllWell); 4] = [
        (keys, keys_are_well),
        (orphans, no_orphans),
        (workers, all_are_served),
        (dead, no_list_is_full),
    ];
    for (judge, all_well) in of_each {
        let wrong: Vec<Finding> = known.iter().flat_map(judge).collect();
        match wrong.is_empty() {
            true => findings.push(all_well(&known)),
            false => findings.extend(wrong),
        }
    }
    findings
}

type Judge = fn(&Known<'_>) -> Vec<Finding>;
type AllWell = fn(&[Known<'_>]) -> Finding;

/// A queue whose keys this user may look at.
struct Known<'a> {
    queue: &'a QueueSeen,
    facts: &'a QueueFacts,
}

impl<'a> Known<'a> {
    fn new(queue: &'a QueueSeen) -> Option<Self> {
        let facts = queue.facts.as_ref()?;
        Some(Self { queue, facts })
    }

    fn name(&self) -> &str {
        self.queue.name.as_str()
    }
}

fn keys(known: &Known<'_>) -> Vec<Finding> {
    let wrong = known
        .facts
        .keys
        .iter()
        .filter(|key| key.found != key.expected);
    let of_workers = known.queue.orphans.iter().filter_map(|owned| {
        let (which, is) = match (owned.in_flight, owned.handed) {
            (None, _) => ("inflight", "hash"),
            (_, None) => ("handoff", "list"),
            _ => return None,
        };
        let (name, worker) = (known.name(), printable(owned.worker.as_str()));
        Some(format!("the {which} of {worker} on {name} is no {is}")).map(|seen| {
            KEYS.error(
                seen,
                Cure::advice("find who wrote it: GET, LRANGE or HGETALL; then DEL it"),
            )
        })
    });
    let of_queue = wrong.map(|key| {
        let (name, found) = (printable(&key.key), printable(&key.found));
        KEYS.error(
            format!("{name} is a {found}, and should be a {}", key.expected),
            // Away, and not gone: there may be jobs in it.
            Cure::redis(format!("RENAMENX '{name}' '{name}:damaged'")),
        )
    });
    let all = of_queue.chain(of_workers);
    all.map(|finding| finding.of_queue(known.name())).collect()
}

fn keys_are_well(known: &[Known<'_>]) -> Finding {
    let all = known.iter().flat_map(|known| &known.facts.keys);
    let memory = all.clone().filter_map(|key| key.bytes).sum();
    let largest = all.clone().max_by_key(|key| (key.bytes, key.length));
    let largest = largest.map_or(String::new(), |key| {
        let length = key.length.map_or(String::new(), |length| {
            format!(", elements: {}", number(length))
        });
        format!(
            "; the largest is {} ({}{length})",
            key.key,
            bytes(key.bytes.unwrap_or(0))
        )
    });
    let (queues, keys) = (number(known.len() as u64), number(all.count() as u64));
    KEYS.ok(format!(
        "queues: {queues}, with {keys} keys, {} in all{largest}",
        bytes(memory)
    ))
}

fn orphans(known: &Known<'_>) -> Vec<Finding> {
    let QueueSeen {
        orphans,
        lost,
        living,
        ..
    } = known.queue;
    if orphans.is_empty() && (lost.is_empty() || *living > 0) {
        return Vec::new();
    }
    let dead = || orphans.iter().chain(lost);
    let sum = |of: fn(&Owned) -> Option<u64>| number(dead().filter_map(of).sum::<u64>());
    let seen = format!(
        "jobs in flight: {}, handed over: {}, of workers that are gone: {}",
        sum(|owned| owned.in_flight),
        sum(|owned| owned.handed),
        number(dead().count() as u64)
    );
    let finding = match living {
        0 => ORPHANS.error(
            format!("{seen}; no worker serves the queue"),
            Cure::shell("jobq doctor --fix"),
        ),
        _ => ORPHANS.warning(
            format!("{seen}; a worker of the queue will take them over"),
            Cure::shell("jobq doctor  # again, after a lease"),
        ),
    };
    vec![finding.with_fix(Fix::Sweep).of_queue(known.name())]
}

fn no_orphans(_: &[Known<'_>]) -> Finding {
    ORPHANS.ok("all that is in flight belongs to workers that live, or to a queue that has one")
}

fn workers(known: &Known<'_>) -> Vec<Finding> {
    let ready = known.queue.ready();
    if ready == 0 || known.queue.living > 0 {
        return Vec::new();
    }
    let seen = format!(
        "jobs ready: {}, and no worker serves the queue",
        number(ready)
    );
    let queue = known.name();
    let cure = Cure::advice(format!("start a worker with --queues {queue}"));
    vec![WORKERS.warning(seen, cure).of_queue(queue)]
}

fn all_are_served(_: &[Known<'_>]) -> Finding {
    WORKERS.ok("every queue with jobs that are ready has a worker")
}

fn dead(known: &Known<'_>) -> Vec<Finding> {
    let records = known.queue.length("dead");
    if records < DEAD_NEAR {
        return Vec::new();
    }
    let seen = format!(
        "{} of {} records that are kept",
        number(records),
        number(DEAD_KEPT)
    );
    let cure = Cure::shell(format!("jobq dead analyze --queue {}", known.name()));
    vec![DEAD.warning(seen, cure).of_queue(known.name())]
}

fn no_list_is_full(_: &[Known<'_>]) -> Finding {
    DEAD.ok("no dead list is nearly full")
}

#[cfg(test)]
mod tests;
