use jobq::broker::KeyFacts;
use jobq::{QueueName, WorkerId};

use super::*;
use crate::doctor::finding::Level::{self, Error, Ok, Unknown, Warning};

fn key(name: &str, expected: &'static str, found: &str, length: u64) -> KeyFacts {
    KeyFacts {
        key: format!("jobq:{{mail}}:{name}"),
        expected,
        found: found.to_owned(),
        length: Some(length).filter(|_| expected == found),
        bytes: Some(length * 100),
        encoding: None,
    }
}

/// A queue of which nothing is known.
fn nothing() -> QueueSeen {
    QueueSeen {
        name: QueueName::new("mail").unwrap(),
        facts: None,
        orphans: Vec::new(),
        lost: Vec::new(),
        living: 0,
    }
}

fn owned(in_flight: Option<u64>, handed: Option<u64>) -> Owned {
    let worker = WorkerId::from_stored("gone");
    Owned {
        worker,
        in_flight,
        handed,
    }
}

/// What is said of one queue: by subject, how bad, and what is to be done.
fn judged(keys: Vec<KeyFacts>, living: usize, orphans: Vec<Owned>) -> Vec<(&'static str, Level)> {
    let members = Vec::new();
    let queue = QueueSeen {
        facts: Some(QueueFacts { keys, members }),
        orphans,
        living,
        ..nothing()
    };
    let store = Store {
        queues: vec![queue],
        ..Store::default()
    };
    let findings = judge(&store).into_iter();
    findings
        .map(|finding| (finding.id, finding.level))
        .collect()
}

#[test]
fn each_fault_of_a_queue_is_told_for_itself() {
    let ready = || vec![key("ready", "list", "list", 3)];
    let well = [
        ("keys", Ok),
        ("orphans", Ok),
        ("workers", Ok),
        ("dead-letters", Ok),
    ];
    let with = |place: usize, level| {
        let mut findings = well;
        findings[place].1 = level;
        findings
    };
    for (keys, members, orphans, expected) in [
        (vec![], 0, vec![], well),
        (ready(), 1, vec![], well),
        (ready(), 0, vec![], with(2, Warning)),
        (
            vec![key("suspects", "list", "list", 1)],
            0,
            vec![],
            with(2, Warning),
        ),
        (
            vec![key("meta", "hash", "string", 1)],
            0,
            vec![],
            with(0, Error),
        ),
        (vec![], 0, vec![owned(Some(2), Some(1))], with(1, Error)),
        (vec![], 1, vec![owned(Some(2), Some(1))], with(1, Warning)),
        (vec![key("dead", "list", "list", 8_999)], 0, vec![], well),
        (
            vec![key("dead", "list", "list", 9_000)],
            0,
            vec![],
            with(3, Warning),
        ),
    ] {
        assert_eq!(
            judged(keys.clone(), members, orphans.clone()),
            expected,
            "{keys:?} {orphans:?}"
        );
    }
}

#[test]
fn the_key_of_a_worker_may_be_damaged_too() {
    for damaged in [owned(None, Some(0)), owned(Some(1), None)] {
        let findings = judged(vec![], 1, vec![damaged]);
        assert_eq!(findings[0], ("keys", Error));
    }
}

#[test]
fn a_damaged_key_is_put_aside_and_not_deleted() {
    let known = QueueSeen {
        facts: Some(QueueFacts {
            keys: vec![key("workers", "hash", "string", 1)],
            members: Vec::new(),
        }),
        ..nothing()
    };
    let finding = keys(&Known::new(&known).unwrap()).remove(0);
    assert_eq!(
        finding.seen,
        "jobq:{mail}:workers is a string, and should be a hash"
    );
    let cure = "RENAMENX 'jobq:{mail}:workers' 'jobq:{mail}:workers:damaged'";
    assert_eq!(finding.cure, Some(Cure::redis(cure)));
    assert_eq!(finding.queue.as_deref(), Some("mail"));
}

#[test]
fn orphans_can_be_swept() {
    let of_dead = || vec![owned(Some(1), Some(0))];
    for (orphaned, lost, living, level) in [
        (of_dead(), vec![], 0, Some(Error)),
        (of_dead(), vec![], 1, Some(Warning)),
        (vec![], of_dead(), 0, Some(Error)),
        // The others know it too.
        (vec![], of_dead(), 1, None),
    ] {
        let known = QueueSeen {
            facts: Some(QueueFacts::default()),
            orphans: orphaned,
            lost,
            living,
            ..nothing()
        };
        let finding = orphans(&Known::new(&known).unwrap()).pop();
        assert_eq!(finding.as_ref().map(|finding| finding.level), level);
        assert!(finding.is_none_or(|finding| finding.fix == Some(Fix::Sweep)));
    }
}

#[test]
fn who_may_not_look_is_told_nothing_of_the_queues() {
    let store = Store {
        queues: vec![nothing()],
        ..Store::default()
    };
    let findings = judge(&store);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].level, Unknown);
}
