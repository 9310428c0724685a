//! The only place that spells a key. All keys of one queue share the hash tag `{queue}`, so that a
//! queue lives in one slot of a cluster.

use std::fmt::Display;

use crate::id::{QueueName, WorkerId};

/// The set of queue names, for people and tools that look.
pub(super) fn queues(namespace: &str) -> String {
    format!("{namespace}:queues")
}

/// What workers tell of themselves, for people and tools that look.
pub(super) fn registry(namespace: &str) -> String {
    format!("{namespace}:workers")
}

/// The keys that belong to no queue and that every namespace can have, and their types.
pub(super) fn of_namespace(namespace: &str) -> [(String, &'static str); 2] {
    [(queues(namespace), "set"), (registry(namespace), "hash")]
}

/// What a worker was ordered and has not seen yet.
pub(super) fn order(namespace: &str, worker: &WorkerId) -> String {
    format!("{namespace}:order:{worker}")
}

/// The glob that matches exactly these bytes.
pub(super) fn glob_of(bytes: &[u8]) -> Vec<u8> {
    let mut glob = Vec::with_capacity(bytes.len() + 2);
    for &byte in bytes {
        if b"*?[]\\^-".contains(&byte) {
            glob.push(b'\\');
        }
        glob.push(byte);
    }
    glob
}

/// A channel like that of a queue, on which nobody listens: no queue has this name.
pub(super) fn nobody(namespace: &str) -> String {
    format!("{namespace}:{{}}:due")
}

/// What SCAN must match to find the keys that workers own on whatever queue: all of them, and few
/// others.
pub(super) fn owned_pattern(namespace: &str) -> Vec<u8> {
    let mut pattern = glob_of(namespace.as_bytes());
    pattern.extend(b":{*}:[hi][an]*:*");
    pattern
}

/// The queue and the worker of a key, if it is one that workers own.
pub(super) fn owner(namespace: &str, key: &str) -> Option<(QueueName, WorkerId)> {
    let tagged = key.strip_prefix(namespace)?.strip_prefix(":{")?;
    let queue = tagged.split_once('}')?.0.parse().ok()?;
    let worker = QueueKeys::new(namespace, &queue).owner(key)?;
    Some((queue, worker))
}

/// The keys of one queue.
#[derive(Debug, Clone)]
pub(super) struct QueueKeys {
    prefix: String,
}

impl QueueKeys {
    pub(super) fn new(namespace: &str, queue: &QueueName) -> Self {
        Self {
            prefix: format!("{namespace}:{{{queue}}}:"),
        }
    }

    fn key(&self, name: impl Display) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn ready(&self) -> String {
        self.key("ready")
    }

    pub(super) fn delayed(&self) -> String {
        self.key("delayed")
    }

    pub(super) fn in_flight(&self, worker: &WorkerId) -> String {
        self.key(format_args!("{IN_FLIGHT}{worker}"))
    }

    pub(super) fn handoff(&self, worker: &WorkerId) -> String {
        self.key(format_args!("{HANDOFF}{worker}"))
    }

    pub(super) fn workers(&self) -> String {
        self.key("workers")
    }

    pub(super) fn suspects(&self) -> String {
        self.key("suspects")
    }

    pub(super) fn cancelled(&self) -> String {
        self.key("cancelled")
    }

    pub(super) fn dead(&self) -> String {
        self.key("dead")
    }

    pub(super) fn timekeeper(&self) -> String {
        self.key("timekeeper")
    }

    pub(super) fn meta(&self) -> String {
        self.key("meta")
    }

    pub(super) fn totals(&self) -> String {
        self.key("totals")
    }

    pub(super) fn reports(&self) -> String {
        self.key("reports")
    }

    /// The channel on which a new first of delayed is told. No key, but named like one.
    pub(super) fn due(&self) -> String {
        self.key("due")
    }

    /// The keys that every queue can have, and their types.
    pub(super) fn fixed(&self) -> [(String, &'static str); 10] {
        [
            (self.ready(), "list"),
            (self.delayed(), "zset"),
            (self.workers(), "hash"),
            (self.suspects(), "list"),
            (self.dead(), "list"),
            (self.cancelled(), "zset"),
            (self.timekeeper(), "string"),
            (self.meta(), "hash"),
            (self.totals(), "hash"),
            (self.reports(), "hash"),
        ]
    }

    /// What SCAN must match to find the keys that workers own: of both kinds, and few others.
    pub(super) fn owned_pattern(&self) -> Vec<u8> {
        let mut pattern = glob_of(self.prefix.as_bytes());
        pattern.extend(b"[hi][an]*:*");
        pattern
    }

    /// The worker that owns a key, if it is one that workers own.
    pub(super) fn owner(&self, key: &str) -> Option<WorkerId> {
        let name = key.strip_prefix(&self.prefix)?;
        let worker = name
            .strip_prefix(IN_FLIGHT)
            .or_else(|| name.strip_prefix(HANDOFF))?;
        Some(WorkerId::from_stored(worker))
    }
}

const IN_FLIGHT: &str = "inflight:";
const HANDOFF: &str = "handoff:";

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> QueueKeys {
        QueueKeys::new("jobq", &QueueName::new("mail").unwrap())
    }

    #[test]
    fn keys_are_spelled_as_documented() {
        let (keys, worker) = (keys(), WorkerId::from_stored("w1"));
        let spelled = [
            (queues("shop"), "shop:queues"),
            (registry("shop"), "shop:workers"),
            (order("shop", &worker), "shop:order:w1"),
            (keys.ready(), "jobq:{mail}:ready"),
            (keys.delayed(), "jobq:{mail}:delayed"),
            (keys.in_flight(&worker), "jobq:{mail}:inflight:w1"),
            (keys.handoff(&worker), "jobq:{mail}:handoff:w1"),
            (keys.workers(), "jobq:{mail}:workers"),
            (keys.suspects(), "jobq:{mail}:suspects"),
            (keys.cancelled(), "jobq:{mail}:cancelled"),
            (keys.dead(), "jobq:{mail}:dead"),
            (keys.timekeeper(), "jobq:{mail}:timekeeper"),
            (keys.meta(), "jobq:{mail}:meta"),
            (keys.totals(), "jobq:{mail}:totals"),
            (keys.reports(), "jobq:{mail}:reports"),
            (keys.due(), "jobq:{mail}:due"),
        ];
        for (key, expected) in spelled {
            assert_eq!(key, expected);
        }
    }

    #[test]
    fn owners_are_read_from_their_keys_and_from_no_others() {
        let (keys, worker) = (keys(), WorkerId::from_stored("a:b"));
        assert_eq!(keys.owner(&keys.in_flight(&worker)), Some(worker.clone()));
        assert_eq!(keys.owner(&keys.handoff(&worker)), Some(worker));
        for other in [keys.ready(), keys.workers(), "x:{mail}:handoff:w".into()] {
            assert_eq!(keys.owner(&other), None, "{other}");
        }
    }

    #[test]
    fn owners_of_any_queue_are_read_from_their_keys_and_from_no_others() {
        let worker = WorkerId::from_stored("a:b");
        for key in [keys().in_flight(&worker), keys().handoff(&worker)] {
            let expected = (QueueName::new("mail").unwrap(), worker.clone());
            assert_eq!(owner("jobq", &key), Some(expected), "{key}");
        }
        for other in [
            "jobq:{mail}:ready",
            "jobq:{no queue}:handoff:w",
            "jobqx:{mail}:handoff:w",
            "jobq:mail:handoff:w",
            "jobq:{mail:handoff:w",
        ] {
            assert_eq!(owner("jobq", other), None, "{other}");
        }
    }

    #[test]
    fn patterns_escape_what_a_glob_would_read() {
        let queue = QueueName::new("a-b").unwrap();
        let pattern = QueueKeys::new("n[s*", &queue).owned_pattern();
        assert_eq!(pattern, br"n\[s\*:{a\-b}:[hi][an]*:*");
    }
}
