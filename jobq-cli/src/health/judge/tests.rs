use jobq::broker::{MemoryFacts, ReplicationFacts, ServerFacts};

use super::*;
use crate::health::figures::Runs;

fn mail() -> QueueFigures {
    QueueFigures {
        name: "mail".to_owned(),
        ready: 10,
        delayed: 0,
        in_flight: 0,
        dead: 3,
        paused: false,
        workers: Some(2),
        oldest_ready: Some(Duration::from_secs(90)),
        runs: Some(Runs { done: 3, failed: 1 }),
    }
}

fn figures(server: ServerFacts) -> Figures {
    Figures {
        server,
        queues: vec![mail()],
        unreadable: Vec::new(),
        workers_unreadable: None,
    }
}

/// The checks that fail, and how badly.
fn judged(figures: &Figures, limits: Limits) -> Vec<(&'static str, Level)> {
    let reasons = judge(figures, &limits);
    reasons
        .iter()
        .map(|reason| (reason.check, reason.level))
        .collect()
}

fn over<T>(warning: T, error: T) -> Option<Limit<T>> {
    let warning = Some(warning);
    Some(Limit { warning, error })
}

#[test]
fn a_figure_is_bad_only_beyond_a_limit_that_was_given() {
    use Level::{Error, Warning};
    let secs = Duration::from_secs;
    let none = Limits::default();
    for (limits, expected) in [
        (none, vec![]),
        (
            Limits {
                ready: over(10, 10),
                dead: over(3, 3),
                age: over(secs(90), secs(90)),
                ..none
            },
            vec![],
        ),
        (
            Limits {
                ready: over(9, 10),
                ..none
            },
            vec![("max-ready", Warning)],
        ),
        (
            Limits {
                ready: over(8, 9),
                dead: over(2, 9),
                ..none
            },
            vec![("max-ready", Error), ("max-dead", Warning)],
        ),
        (
            Limits {
                failure_rate: over(0.25, 0.25),
                ..none
            },
            vec![],
        ),
        (
            Limits {
                failure_rate: over(0.1, 0.2),
                ..none
            },
            vec![("max-failure-rate", Error)],
        ),
        (
            Limits {
                age: over(secs(1), secs(89)),
                ..none
            },
            vec![("max-age", Error)],
        ),
    ] {
        assert_eq!(
            judged(&figures(ServerFacts::default()), limits),
            expected,
            "{limits:?}"
        );
    }
}

#[test]
fn workers_are_missed_only_where_jobs_are_ready() {
    let least = |warning, error| Limits {
        workers: over(Reverse(warning), Reverse(error)),
        ..Limits::default()
    };
    for (ready, workers, limits, level) in [
        (10, Some(2), least(2, 1), None),
        (10, Some(2), least(3, 1), Some(Level::Warning)),
        (10, Some(0), least(3, 1), Some(Level::Error)),
        (0, Some(0), least(3, 1), None),
        (10, None, least(3, 1), None),
    ] {
        let queue = QueueFigures {
            ready,
            workers,
            ..mail()
        };
        let mut figures = figures(ServerFacts::default());
        figures.queues = vec![queue];
        let expected: Vec<_> = level
            .map(|level| ("min-workers", level))
            .into_iter()
            .collect();
        assert_eq!(judged(&figures, limits), expected, "{ready} {workers:?}");
    }
}

#[test]
fn that_there_is_no_queue_at_all_is_a_reason() {
    let mut figures = figures(ServerFacts::default());
    figures.queues.clear();
    let expected = [("queue", Level::Warning)];
    assert_eq!(judged(&figures, Limits::default()), expected);
}

#[test]
fn memory_is_judged_by_what_there_is() {
    use Level::{Error, Warning};
    let with = |used, limit| {
        let memory = MemoryFacts {
            used,
            limit,
            ..MemoryFacts::default()
        };
        figures(ServerFacts {
            memory,
            ..ServerFacts::default()
        })
    };
    let share = |warning, error| Limits {
        memory: over(warning, error).map(MemoryLimit::Share),
        ..Limits::default()
    };
    let amount = |warning, error| Limits {
        memory: over(warning, error).map(MemoryLimit::Bytes),
        ..Limits::default()
    };
    for (figures, limits, expected) in [
        (with(Some(50), Some(100)), share(0.5, 0.6), None),
        (with(Some(55), Some(100)), share(0.5, 0.6), Some(Warning)),
        (with(Some(61), Some(100)), share(0.5, 0.6), Some(Error)),
        (with(Some(61), Some(0)), share(0.5, 0.6), Some(Warning)),
        (with(None, Some(100)), share(0.5, 0.6), Some(Warning)),
        (with(Some(10), Some(0)), amount(5, 20), Some(Warning)),
        (with(Some(30), None), amount(5, 20), Some(Error)),
    ] {
        let reasons = judged(&figures, limits);
        let levels: Vec<_> = reasons.iter().map(|(_, level)| *level).collect();
        assert_eq!(levels, Vec::from_iter(expected), "{figures:?} {limits:?}");
    }
}

#[test]
fn a_queue_that_cannot_be_read_is_an_error_and_the_others_are_judged() {
    let damaged = ("bulk".to_owned(), "a string".to_owned());
    let figures = Figures {
        unreadable: vec![damaged],
        ..figures(ServerFacts::default())
    };
    let limits = Limits {
        ready: over(9, 9),
        ..Limits::default()
    };
    assert_eq!(
        judged(&figures, limits),
        [("keys", Level::Error), ("max-ready", Level::Error)]
    );
}

#[test]
fn a_server_that_cannot_take_jobs_is_an_error_without_any_limit() {
    let replication = ReplicationFacts {
        is_replica: Some(true),
        ..ReplicationFacts::default()
    };
    let replica = ServerFacts {
        replication,
        ..ServerFacts::default()
    };
    let figures = figures(replica);
    assert_eq!(
        judged(&figures, Limits::default()),
        [("replication", Level::Error)]
    );
    assert_eq!(worst(&judge(&figures, &Limits::default())), Level::Error);
    assert_eq!(worst(&[]), Level::Ok);
}
