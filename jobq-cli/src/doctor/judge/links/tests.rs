use jobq::broker::SlowCall;

use super::*;
use crate::doctor::finding::Level::{Error, Ok, Unknown, Warning};

#[test]
fn a_version_is_told_where_it_is_known() {
    assert_eq!(version(Some("7.0.15")).level, Ok);
    assert_eq!(version(None).level, Unknown);
}

#[test]
fn a_replica_is_the_wrong_server_and_a_primary_needs_those_it_is_set_to() {
    let primary = ReplicationFacts {
        is_replica: Some(false),
        ..ReplicationFacts::default()
    };
    let replica = ReplicationFacts {
        is_replica: Some(true),
        link_up: Some(true),
        ..ReplicationFacts::default()
    };
    let lost = ReplicationFacts {
        link_up: Some(false),
        silent: Some(Duration::from_secs(90)),
        ..replica.clone()
    };
    let good = |good| ReplicationFacts {
        good_replicas: Some(good),
        replicas: Some(2),
        ..primary.clone()
    };
    for (facts, needed, level, words) in [
        (ReplicationFacts::default(), 0, Unknown, "not known"),
        (primary.clone(), 0, Ok, "without replicas"),
        (replica, 0, Error, "refuses every job"),
        (lost, 0, Error, "lost its primary, for 1m 30s"),
        (good(2), 2, Ok, "replicas: 2"),
        (good(1), 2, Error, "1 of 2"),
    ] {
        let settings = Settings {
            min_replicas: Some(needed),
            ..Settings::default()
        };
        let finding = replication(&facts, Some(&settings));
        assert_eq!(finding.level, level, "{facts:?}");
        assert!(finding.seen.contains(words), "{}", finding.seen);
    }
    // As an operator, who is not told how many it needs.
    for (facts, level, words) in [
        (primary.clone(), Ok, "without replicas"),
        (good(0), Error, "enqueues are refused"),
        (good(1), Unknown, "min-replicas-to-write"),
    ] {
        let finding = replication(&facts, None);
        assert_eq!(finding.level, level, "{facts:?}");
        assert!(finding.seen.contains(words), "{}", finding.seen);
    }
}

#[test]
fn connections_go_by_their_share_and_by_those_that_were_refused() {
    for (connected, limit, rejected, level) in [
        (None, Some(1), None, Unknown),
        (Some(79), Some(100), None, Ok),
        (Some(79), Some(100), Some(1), Warning),
        (Some(80), Some(100), None, Warning),
        (Some(95), Some(100), None, Error),
        (Some(1), Some(0), None, Error),
    ] {
        let facts = ClientFacts {
            connected,
            limit,
            rejected,
            ..ClientFacts::default()
        };
        assert_eq!(clients(&facts).level, level, "{facts:?}");
    }
}

#[test]
fn idle_connections_are_neither_cut_nor_kept_for_ever() {
    assert_eq!(idle(None).level, Unknown);
    for (timeout, keepalive, level) in [
        (None, Some(300), Unknown),
        (Some(0), Some(300), Ok),
        (Some(0), Some(0), Warning),
        (Some(60), Some(300), Warning),
    ] {
        let settings = Settings {
            timeout,
            keepalive,
            ..Settings::default()
        };
        assert_eq!(idle(Some(&settings)).level, level, "{settings:?}");
    }
}

#[test]
fn clocks_may_differ_by_a_second_beyond_what_cannot_be_told() {
    for (ahead_ms, error_ms, level, words) in [
        (0, 1, Ok, "the same"),
        (5, 5, Ok, "the same"),
        (900, 1, Ok, "ahead of this machine by 899ms"),
        (-1000, 1, Ok, "behind"),
        (1001, 1, Warning, "ahead of this machine by 1s"),
        (-1001, 1, Warning, "behind this machine by 1s"),
        (-3_600_001, 1, Error, "behind this machine by 1h 0m"),
        (i64::MIN, 1, Error, "behind"),
        (i64::MAX, u64::MAX, Ok, "the same"),
    ] {
        let finding = clock(ClockFacts { ahead_ms, error_ms });
        assert_eq!(finding.level, level, "{ahead_ms}");
        assert!(finding.seen.contains(words), "{}", finding.seen);
    }
}

#[test]
fn a_round_trip_is_short() {
    assert_eq!(round_trip(FAR).level, Ok);
    assert_eq!(round_trip(FAR + Duration::from_micros(1)).level, Warning);
}

#[test]
fn slow_calls_of_the_last_hour_count() {
    let call = |age, took, command: &str| SlowCall {
        age: Duration::from_secs(age),
        took: Duration::from_millis(took),
        command: command.to_owned(),
    };
    for (calls, level, words) in [
        (None, Unknown, "not known"),
        (Some(vec![]), Ok, "none"),
        (Some(vec![call(3601, 500, "KEYS")]), Ok, "none"),
        (Some(vec![call(1, 9, "KEYS")]), Ok, "none"),
        (
            Some(vec![
                call(1, 10, "HGETALL"),
                call(2, 12, "KEYS"),
                call(9999, 99, "x"),
            ]),
            Warning,
            "2 over 10.0 ms within the last hour; the slowest took 12.0 ms: KEYS",
        ),
    ] {
        let server = ServerFacts {
            slow: calls,
            ..ServerFacts::default()
        };
        let finding = slow(&server);
        assert_eq!(finding.level, level, "{server:?}");
        assert!(finding.seen.contains(words), "{}", finding.seen);
    }
}
