//! The queues: whether their keys are what they should be, and who looks after what lies in them.
//! One line for all of them where nothing is wrong, and one for each queue where something is.

mod untold;

use jobq::broker::{KeyFacts, Owned, QueueFacts};

use self::untold::{
    NotKnown, TELL, all_keys_untold, keys_untold, orphans_untold, unknown, workers_untold,
};
use super::amount::{bytes, number};
use crate::doctor::facts::{QueueSeen, Store};
use crate::doctor::finding::{Cure, Finding, Fix, Subject, quoted};
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

const PAUSED: Subject = Subject {
    id: "paused",
    why: "nothing of a paused queue starts until it is resumed, however many workers it has",
};

const DEAD: Subject = Subject {
    id: "dead-letters",
    why: "a dead list that is full drops its oldest records, which can then not be retried any more",
};

/// Records that a dead list keeps, and from how many on it is nearly full.
const DEAD_KEPT: u64 = 10_000;
const DEAD_NEAR: u64 = 9_000;

/// Bytes that it keeps, and from how many on.
const DEAD_BYTES_KEPT: u64 = 64 << 20;
const DEAD_BYTES_NEAR: u64 = DEAD_BYTES_KEPT / 10 * 9;

/// Who may put back what workers left, where this user may not: that takes the rights of two roles, to
/// look and to take over, and none has both.
const SWEEP_AS: &str = "start a worker for the queue; or connect as an administrator, such as jobq-admin \
                        (JOBQ_USERNAME, JOBQ_PASSWORD), and type: jobq doctor --fix";

pub(super) fn judge(store: &Store) -> Vec<Finding> {
    let known: Vec<Known<'_>> = store.queues.iter().filter_map(Known::new).collect();
    let mut findings = Vec::new();
    let of_each: [(Subject, Judge, NotKnown, AllWell); 5] = [
        (KEYS, keys, all_keys_untold, keys_are_well),
        (ORPHANS, orphans, orphans_untold, no_orphans),
        (WORKERS, workers, workers_untold, all_are_served),
        (PAUSED, paused, keys_untold, no_backlog_is_paused),
        (DEAD, dead, keys_untold, no_list_is_full),
    ];
    for (subject, judge, untold, all_well) in of_each {
        let mut found: Vec<Finding> = known.iter().flat_map(judge).collect();
        if subject.id == KEYS.id {
            found.extend(of_namespace(store));
        }
        found.extend(unknown(subject, untold(store)));
        if found.is_empty() {
            found.push(all_well(&known));
        }
        findings.extend(found);
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
        let facts = queue.facts.as_ref().ok()?;
        Some(Self { queue, facts })
    }

    fn name(&self) -> &str {
        self.queue.name.as_str()
    }
}

fn keys(known: &Known<'_>) -> Vec<Finding> {
    let owned = known.queue.orphans.iter().chain(&known.queue.lost);
    let of_workers = owned.flat_map(|owned| &owned.damaged);
    let all = known.facts.keys.iter().chain(of_workers);
    let tag = format!("{{{}}}:", known.name());
    let name_begins = |key: &str| key.find(&tag).map(|at| at + tag.len());
    damaged(all, name_begins)
        .map(|finding| finding.of_queue(known.name()))
        .collect()
}

/// The same of the keys that belong to no queue.
fn of_namespace(store: &Store) -> impl Iterator<Item = Finding> {
    damaged(store.namespace.iter(), |key| {
        key.rfind(':').map(|at| at + 1)
    })
}

/// A finding for each key of another type.
fn damaged<'a>(
    keys: impl Iterator<Item = &'a KeyFacts>,
    name_begins: impl Fn(&str) -> Option<usize>,
) -> impl Iterator<Item = Finding> {
    let wrong = keys.filter(|key| key.found != key.expected);
    wrong.map(move |key| {
        let (name, found) = (printable(&key.key), printable(&key.found));
        let aside = aside(&key.key, name_begins(&key.key));
        KEYS.error(
            format!("{name} is a {found}, and should be a {}", key.expected),
            // Away, and not gone: there may be jobs in it.
            Cure::redis(format!("RENAMENX {} {}", quoted(&key.key), quoted(&aside))),
        )
    })
}

/// A name for a damaged key that nothing of jobq looks for.
fn aside(key: &str, name_begins: Option<usize>) -> String {
    let (before, name) = key.split_at(name_begins.unwrap_or(0));
    format!("{before}damaged:{name}")
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
        may_sweep,
        living,
        ..
    } = known.queue;
    if orphans.is_empty() && (lost.is_empty() || *living != Some(0)) {
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
        Some(0) => ORPHANS.error(
            format!("{seen}; no worker serves the queue"),
            match may_sweep {
                true => Cure::shell("jobq doctor --fix"),
                false => Cure::advice(SWEEP_AS),
            },
        ),
        Some(_) => ORPHANS.warning(
            format!("{seen}; a worker of the queue will take them over"),
            Cure::shell("jobq doctor  # again, after a lease"),
        ),
        None => ORPHANS.warning(
            format!("{seen}; whether a worker serves the queue is not known"),
            Cure::advice(TELL),
        ),
    };
    vec![finding.with_fix(Fix::Sweep).of_queue(known.name())]
}

fn no_orphans(_: &[Known<'_>]) -> Finding {
    ORPHANS.ok("all that is in flight belongs to workers that live, or to a queue that has one")
}

fn workers(known: &Known<'_>) -> Vec<Finding> {
    let QueueSeen { living, quiet, .. } = known.queue;
    let (ready, queue) = (known.queue.ready(), known.name());
    let (nobody, start) = match living {
        _ if ready == 0 => return Vec::new(),
        Some(0) => (
            "no worker serves the queue".to_owned(),
            format!("start a worker with --queues {queue}"),
        ),
        Some(living) if living == quiet => (
            format!("all workers of the queue are quiet or stopping: {living}"),
            format!(
                "start a worker with --queues {queue}: one that is quiet takes no job until its end"
            ),
        ),
        _ => return Vec::new(),
    };
    let seen = format!("jobs ready: {}, and {nobody}", number(ready));
    vec![WORKERS.warning(seen, Cure::advice(start)).of_queue(queue)]
}

fn all_are_served(known: &[Known<'_>]) -> Finding {
    WORKERS.ok(match known.is_empty() {
        true => {
            "there is no queue in this namespace: nothing was enqueued to it yet, or it is not the one \
             of the programs"
        }
        false => "every queue with jobs that are ready has a worker that takes them",
    })
}

fn paused(known: &Known<'_>) -> Vec<Finding> {
    let ready = known.queue.ready();
    if ready == 0 || !known.facts.paused {
        return Vec::new();
    }
    let seen = format!("the queue is paused, with jobs ready: {}", number(ready));
    let cure = Cure::shell(format!("jobq queues resume {}", known.name()));
    vec![PAUSED.warning(seen, cure).of_queue(known.name())]
}

fn no_backlog_is_paused(_: &[Known<'_>]) -> Finding {
    PAUSED.ok("no queue with jobs that are ready is paused")
}

fn dead(known: &Known<'_>) -> Vec<Finding> {
    let (records, size) = (known.queue.length("dead"), known.queue.bytes("dead"));
    let seen = format!(
        "{} of {} records that are kept",
        number(records),
        number(DEAD_KEPT)
    );
    let cure = Cure::shell(format!("jobq dead analyze --queue {}", known.name()));
    let finding = match (records, size) {
        (DEAD_KEPT.., _) => DEAD.error(
            format!("{seen}: with each that comes an older one is dropped, as some may have been"),
            cure,
        ),
        // Redis tells the memory of a long list from samples: enough to warn.
        (_, DEAD_BYTES_NEAR..) => {
            let (size, kept) = (bytes(size), bytes(DEAD_BYTES_KEPT));
            let seen = format!(
                "about {size} of {kept} that are kept, in {} records",
                number(records)
            );
            DEAD.warning(seen, cure)
        }
        (DEAD_NEAR.., _) => DEAD.warning(seen, cure),
        _ => return Vec::new(),
    };
    vec![finding.of_queue(known.name())]
}

fn no_list_is_full(_: &[Known<'_>]) -> Finding {
    DEAD.ok("no dead list is nearly full")
}

#[cfg(test)]
mod tests;
