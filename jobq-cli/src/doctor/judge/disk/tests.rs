use jobq::broker::{ReplicationFacts, Settings};

use super::*;
use crate::doctor::finding::Level::{Error, Ok, Unknown, Warning};

#[test]
fn the_tier_is_told_by_append_only_file_and_snapshots() {
    for (enabled, fsync, save, level, words) in [
        (None, None, None, Unknown, "not known"),
        (
            Some(false),
            Some("always"),
            Some(""),
            Error,
            "loses all jobs",
        ),
        (Some(false), None, None, Warning, "which is not known"),
        (
            Some(false),
            None,
            Some("3600 1"),
            Warning,
            "since the last snapshot",
        ),
        (Some(true), Some("everysec"), Some(""), Ok, "up to 2 s"),
        (Some(true), Some("always"), None, Ok, "lose nothing"),
        (Some(true), Some("no"), None, Warning, "half a minute"),
        (Some(true), None, None, Unknown, "not known: appendfsync"),
    ] {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let server = ServerFacts {
            append_only: AppendOnlyFacts {
                enabled,
                ..AppendOnlyFacts::default()
            },
            settings: Some(Settings {
                appendfsync: text(fsync),
                save: text(save),
                ..Settings::default()
            }),
            ..ServerFacts::default()
        };
        let finding = durability(&server);
        assert_eq!(finding.level, level, "{server:?}");
        assert!(finding.seen.contains(words), "{}", finding.seen);
    }
}

#[test]
fn replicas_are_no_promise() {
    let server = ServerFacts {
        append_only: AppendOnlyFacts {
            enabled: Some(true),
            ..AppendOnlyFacts::default()
        },
        replication: ReplicationFacts {
            replicas: Some(1),
            ..ReplicationFacts::default()
        },
        ..ServerFacts::default()
    };
    assert!(durability(&server).seen.contains("a failover may lose"));
}

#[test]
fn the_append_only_file_is_written_and_not_too_large() {
    let on = AppendOnlyFacts {
        enabled: Some(true),
        ..AppendOnlyFacts::default()
    };
    let rewrite = Some(Fix::Begin(Upkeep::Rewrite));
    for (file, level, fix) in [
        (AppendOnlyFacts::default(), Unknown, None),
        (
            AppendOnlyFacts {
                enabled: Some(false),
                ..on.clone()
            },
            Ok,
            None,
        ),
        (on.clone(), Ok, None),
        (
            AppendOnlyFacts {
                size: Some(LARGE),
                ..on.clone()
            },
            Ok,
            None,
        ),
        (
            AppendOnlyFacts {
                size: Some(LARGE + 1),
                ..on.clone()
            },
            Warning,
            rewrite.clone(),
        ),
        (
            AppendOnlyFacts {
                size: Some(LARGE + 1),
                rewriting: true,
                ..on.clone()
            },
            Ok,
            None,
        ),
        (
            AppendOnlyFacts {
                rewrite_succeeded: Some(false),
                ..on.clone()
            },
            Warning,
            rewrite,
        ),
        (
            AppendOnlyFacts {
                write_succeeded: Some(false),
                ..on.clone()
            },
            Error,
            None,
        ),
        (
            AppendOnlyFacts {
                delayed: Some(99),
                ..on.clone()
            },
            Ok,
            None,
        ),
        (
            AppendOnlyFacts {
                delayed: Some(100),
                ..on
            },
            Warning,
            None,
        ),
    ] {
        let finding = append_only(&file);
        assert_eq!((finding.level, finding.fix), (level, fix), "{file:?}");
    }
}

#[test]
fn a_snapshot_must_succeed_and_be_young_where_it_is_all_there_is() {
    let taken = SnapshotFacts {
        age: Some(Duration::ZERO),
        ..SnapshotFacts::default()
    };
    let old = SnapshotFacts {
        age: Some(OLD + Duration::from_secs(1)),
        changes: Some(1),
        ..taken.clone()
    };
    let save = Some(Fix::Begin(Upkeep::Save));
    for (snapshots, append_only, level, fix) in [
        (SnapshotFacts::default(), Some(false), Unknown, None),
        (taken.clone(), Some(false), Ok, None),
        (old.clone(), Some(false), Warning, save.clone()),
        (old.clone(), Some(true), Ok, None),
        (old.clone(), None, Ok, None),
        (
            SnapshotFacts {
                changes: Some(0),
                ..old.clone()
            },
            Some(false),
            Ok,
            None,
        ),
        (
            SnapshotFacts {
                under_way: true,
                ..old
            },
            Some(false),
            Ok,
            None,
        ),
        (
            SnapshotFacts {
                succeeded: Some(false),
                under_way: true,
                ..taken.clone()
            },
            Some(true),
            Warning,
            None,
        ),
        (
            SnapshotFacts {
                succeeded: Some(false),
                ..taken
            },
            Some(true),
            Error,
            save,
        ),
    ] {
        let finding = snapshot(&snapshots, append_only);
        assert_eq!((finding.level, finding.fix), (level, fix), "{snapshots:?}");
    }
}
