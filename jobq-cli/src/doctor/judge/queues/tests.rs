use jobq::broker::KeyFacts;
use jobq::{QueueName, WorkerId};

use super::untold::MEND;
use super::*;
use crate::doctor::facts::{Refused, Untold};
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

/// A dead list of a few large records.
fn dead_of(bytes: u64) -> KeyFacts {
    KeyFacts {
        bytes: Some(bytes),
        ..key("dead", "list", "list", 60)
    }
}

/// A queue of which nothing is known.
fn nothing() -> QueueSeen {
    QueueSeen {
        name: QueueName::new("mail").unwrap(),
        facts: Err(Untold::Denied("refused".to_owned())),
        orphans: Vec::new(),
        lost: Vec::new(),
        refused: None,
        may_sweep: true,
        living: None,
        quiet: 0,
    }
}

/// One that is well, and has these keys.
fn with_keys(keys: Vec<KeyFacts>) -> QueueSeen {
    let facts = QueueFacts {
        keys,
        ..QueueFacts::default()
    };
    QueueSeen {
        facts: Result::Ok(facts),
        living: Some(0),
        ..nothing()
    }
}

fn store(queue: QueueSeen) -> Store {
    Store {
        queues: vec![queue],
        ..Store::default()
    }
}

/// What is said of a store: by subject, how bad.
fn levels(store: &Store) -> Vec<(&'static str, Level)> {
    let findings = judge(store).into_iter();
    findings
        .map(|finding| (finding.id, finding.level))
        .collect()
}

fn owned(in_flight: Option<u64>, handed: Option<u64>) -> Owned {
    let worker = WorkerId::from_stored("gone");
    Owned {
        worker,
        in_flight,
        handed,
        damaged: Vec::new(),
    }
}

/// What is said of one queue: by subject, how bad, and what is to be done.
fn judged(keys: Vec<KeyFacts>, living: usize, orphans: Vec<Owned>) -> Vec<(&'static str, Level)> {
    let queue = QueueSeen {
        orphans,
        living: Some(living),
        ..with_keys(keys)
    };
    levels(&store(queue))
}

#[test]
fn each_fault_of_a_queue_is_told_for_itself() {
    let ready = || vec![key("ready", "list", "list", 3)];
    let well = [
        ("keys", Ok),
        ("orphans", Ok),
        ("workers", Ok),
        ("paused", Ok),
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
            with(4, Warning),
        ),
        (
            vec![key("dead", "list", "list", 10_000)],
            0,
            vec![],
            with(4, Error),
        ),
        (vec![dead_of(57 << 20)], 0, vec![], well),
        (vec![dead_of(58 << 20)], 0, vec![], with(4, Warning)),
    ] {
        assert_eq!(
            judged(keys.clone(), members, orphans.clone()),
            expected,
            "{keys:?} {orphans:?}"
        );
    }
}

#[test]
fn jobs_that_are_ready_wait_where_all_are_quiet_or_the_queue_is_paused() {
    for (length, quiet, is_paused, expected) in [
        (3, 1, false, vec![]),
        (3, 2, false, vec!["workers"]),
        (0, 2, true, vec![]),
        (3, 0, true, vec!["paused"]),
    ] {
        let mut queue = with_keys(vec![key("ready", "list", "list", length)]);
        (queue.living, queue.quiet) = (Some(2), quiet);
        if let Result::Ok(facts) = &mut queue.facts {
            facts.paused = is_paused;
        }
        let levels = levels(&store(queue)).into_iter();
        let not_ok = levels.filter(|(_, level)| *level != Ok);
        let expected: Vec<_> = expected.into_iter().map(|id| (id, Warning)).collect();
        assert_eq!(not_ok.collect::<Vec<_>>(), expected, "{quiet} {is_paused}");
    }
}

#[test]
fn where_there_is_no_queue_none_is_said_to_have_a_worker() {
    let findings = judge(&Store::default());
    let workers = findings.iter().find(|one| one.id == "workers").unwrap();
    assert_eq!(workers.level, Ok);
    assert!(workers.seen.starts_with("there is no queue"), "{workers:?}");
}

#[test]
fn the_key_of_a_worker_may_be_damaged_too() {
    let damaged = || Owned {
        damaged: vec![key("inflight:it's", "hash", "string", 1)],
        ..owned(None, Some(0))
    };
    for (orphans, lost) in [(vec![damaged()], vec![]), (vec![], vec![damaged()])] {
        let known = QueueSeen {
            orphans,
            lost,
            ..with_keys(vec![])
        };
        let finding = keys(&Known::new(&known).unwrap()).remove(0);
        let (name, aside) = (
            r"'jobq:{mail}:inflight:it'\''s'",
            r"'jobq:{mail}:damaged:inflight:it'\''s'",
        );
        let cure = Cure::redis(format!("RENAMENX {name} {aside}"));
        assert_eq!(finding.cure, Some(cure));
    }
}

#[test]
fn a_damaged_key_is_put_aside_and_not_deleted() {
    let known = with_keys(vec![key("workers", "hash", "string", 1)]);
    let finding = keys(&Known::new(&known).unwrap()).remove(0);
    assert_eq!(
        finding.seen,
        "jobq:{mail}:workers is a string, and should be a hash"
    );
    let cure = "RENAMENX 'jobq:{mail}:workers' 'jobq:{mail}:damaged:workers'";
    assert_eq!(finding.cure, Some(Cure::redis(cure)));
    assert_eq!(finding.queue.as_deref(), Some("mail"));
}

#[test]
fn a_damaged_key_of_no_queue_leaves_unknown_only_what_it_says() {
    let damaged = Untold::Damaged("it is a string".to_owned());
    let store = Store {
        namespace: vec![KeyFacts {
            key: "a:b:queues".to_owned(),
            ..key("queues", "set", "string", 1)
        }],
        refused: Refused {
            names: Some(damaged),
            ..Refused::default()
        },
        ..store(with_keys(vec![]))
    };
    let findings = judge(&store);
    let aside = Cure::redis("RENAMENX a:b:queues a:b:damaged:queues");
    assert_eq!((findings[0].id, findings[0].level), ("keys", Error));
    assert_eq!(findings[0].cure, Some(aside));
    let unknown = findings.iter().filter(|one| one.level == Unknown);
    for finding in unknown.clone() {
        assert_eq!(finding.cure, Some(Cure::advice(MEND)));
    }
    let ids: Vec<_> = unknown.map(|one| one.id).collect();
    assert_eq!(ids, ["keys", "workers", "paused", "dead-letters"]);
}

#[test]
fn orphans_can_be_swept() {
    let of_dead = || vec![owned(Some(1), Some(0))];
    for (orphaned, lost, living, level) in [
        (of_dead(), vec![], Some(0), Some(Error)),
        (of_dead(), vec![], Some(1), Some(Warning)),
        (of_dead(), vec![], None, Some(Warning)),
        (vec![], of_dead(), Some(0), Some(Error)),
        // The others know it too.
        (vec![], of_dead(), Some(1), None),
    ] {
        let known = QueueSeen {
            orphans: orphaned,
            lost,
            living,
            ..with_keys(vec![])
        };
        let finding = orphans(&Known::new(&known).unwrap()).pop();
        assert_eq!(finding.as_ref().map(|finding| finding.level), level);
        assert!(finding.is_none_or(|finding| finding.fix == Some(Fix::Sweep)));
    }
}

#[test]
fn who_may_not_sweep_is_told_who_may() {
    for (may_sweep, cure) in [
        (true, Cure::shell("jobq doctor --fix")),
        (false, Cure::advice(SWEEP_AS)),
    ] {
        let known = QueueSeen {
            orphans: vec![owned(Some(1), Some(0))],
            may_sweep,
            ..with_keys(vec![])
        };
        let finding = orphans(&Known::new(&known).unwrap()).pop();
        assert_eq!(finding.and_then(|finding| finding.cure), Some(cure));
    }
}

#[test]
fn who_may_not_look_is_told_which_right_is_missing_and_not_that_all_is_well() {
    let findings = judge(&store(nothing()));
    let expected = ["keys", "orphans", "workers", "paused", "dead-letters"];
    assert_eq!(
        findings.iter().map(|one| one.id).collect::<Vec<_>>(),
        expected
    );
    for finding in findings {
        assert_eq!(finding.level, Unknown);
        assert_eq!(finding.seen, "not known: mail: refused");
    }
}

#[test]
fn each_question_that_is_refused_leaves_unknown_what_it_decides() {
    let why = || Some(Untold::Denied("refused".to_owned()));
    let well = || store(with_keys(vec![]));
    let refused = |refused| Store { refused, ..well() };
    let names = Refused {
        names: why(),
        ..Refused::default()
    };
    let owners = Refused {
        owners: why(),
        ..Refused::default()
    };
    let workers = Refused {
        workers: why(),
        ..Refused::default()
    };
    let owned = store(QueueSeen {
        refused: why(),
        ..with_keys(vec![])
    });
    let namespace = Refused {
        namespace: why(),
        ..Refused::default()
    };
    for (store, unknown) in [
        (refused(namespace), &["keys"][..]),
        (
            refused(names),
            &["keys", "workers", "paused", "dead-letters"],
        ),
        (refused(owners), &["orphans"]),
        (refused(workers), &["orphans", "workers"]),
        (owned, &["orphans"]),
    ] {
        let levels = levels(&store).into_iter();
        let not_ok = levels.filter(|(_, level)| *level != Ok);
        let expected: Vec<_> = unknown.iter().map(|id| (*id, Unknown)).collect();
        assert_eq!(not_ok.collect::<Vec<_>>(), expected, "{:?}", store.refused);
    }
}

#[test]
fn what_is_not_known_for_want_of_one_right_is_one_line() {
    let named = |name: &str| QueueSeen {
        name: QueueName::new(name).unwrap(),
        ..nothing()
    };
    let store = Store {
        queues: ["a", "b", "c", "d", "e"].map(named).into(),
        ..Store::default()
    };
    let findings = unknown(KEYS, keys_untold(&store));
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].seen,
        "not known: a, b, c, d and 1 more: refused"
    );
}
