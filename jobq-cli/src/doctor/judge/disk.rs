//! The disk: what outlasts what, and whether the files are written.

use std::time::Duration;

use jobq::broker::{AppendOnlyFacts, ServerFacts, SnapshotFacts, Upkeep};

use super::amount::{bytes, number};
use super::{TELL, TELL_CONFIG};
use crate::doctor::finding::{Cure, Finding, Fix, Subject};
use crate::output::age as age_of;

const DURABILITY: Subject = Subject {
    id: "durability",
    why: "an accepted job is as durable as Redis is set to be; the death of clients and workers \
          loses nothing in any case",
};

const APPEND_ONLY: Subject = Subject {
    id: "append-only-file",
    why: "what cannot be written to it is lost when Redis dies; the larger it is, the longer Redis \
          loads it at its start, and takes no jobs meanwhile",
};

const SNAPSHOT: Subject = Subject {
    id: "snapshot",
    why: "without an append-only file the last snapshot is all that outlasts Redis; when one fails, \
          Redis takes no writes until one succeeds, as it is usually set",
};

/// An append-only file over this is large.
const LARGE: u64 = 1 << 30;

/// A snapshot over this is old.
const OLD: Duration = Duration::from_secs(3600);

/// So many delayed writes say that the disk is too slow, and not that it was once.
const MANY_DELAYED: u64 = 100;

pub(super) fn judge(server: &ServerFacts) -> [Finding; 3] {
    [
        durability(server),
        append_only(&server.append_only),
        snapshot(&server.snapshots, server.append_only.enabled),
    ]
}

/// The tier in plain words.
fn durability(server: &ServerFacts) -> Finding {
    let settings = server.settings.as_ref();
    let fsync = settings.and_then(|settings| settings.appendfsync.as_deref());
    let save = settings.and_then(|settings| settings.save.as_deref());
    let copies = match server.replication.replicas {
        None | Some(0) => "",
        Some(_) => "; its replicas follow a little behind, and a failover may lose the last writes",
    };
    let to_append = || Cure::redis("CONFIG SET appendonly yes");
    match (server.append_only.enabled, fsync, save) {
        (None, ..) => DURABILITY.unknown("whether there is an append-only file", TELL),
        (Some(false), _, Some("")) => DURABILITY.error(
            format!("nothing is kept on disk: the death of Redis loses all jobs{copies}"),
            to_append(),
        ),
        (Some(false), _, None) => DURABILITY.warning(
            format!(
                "no append-only file: the death of Redis loses all since the last snapshot, and all jobs \
                 if none are taken, which is not known{copies}"
            ),
            to_append(),
        ),
        (Some(false), ..) => DURABILITY.warning(
            format!(
                "no append-only file: the death of Redis loses all since the last snapshot{copies}"
            ),
            to_append(),
        ),
        (Some(true), Some("always"), _) => DURABILITY.ok(format!(
            "append-only file, always: the death of Redis and a power cut lose nothing, the loss \
             of the disk does{copies}"
        )),
        (Some(true), Some("everysec"), _) => DURABILITY.ok(format!(
            "append-only file, everysec: the death of Redis loses up to 2 s, and so does a power \
             cut{copies}"
        )),
        (Some(true), Some(other), _) => DURABILITY.warning(
            format!(
                "append-only file, appendfsync {other}: a power cut loses what the system has not \
                 written yet, half a minute and more{copies}"
            ),
            Cure::redis("CONFIG SET appendfsync everysec"),
        ),
        (Some(true), None, _) => DURABILITY.unknown(
            &format!(
                "appendfsync; there is an append-only file, and unless that is no, the death of Redis \
                 loses 2 s at the most{copies}"
            ),
            TELL_CONFIG,
        ),
    }
}

fn append_only(file: &AppendOnlyFacts) -> Finding {
    match file.enabled {
        None => return APPEND_ONLY.unknown("whether there is one", TELL),
        Some(false) => return APPEND_ONLY.ok("there is none"),
        Some(true) => {}
    }
    let size = file.size.unwrap_or(0);
    let seen = bytes(size);
    if file.write_succeeded == Some(false) {
        return APPEND_ONLY.error(
            format!("{seen}; the last write failed, and Redis refuses all that change something"),
            Cure::shell("df -h; see the log of Redis: the disk is full, or broken"),
        );
    }
    if file.rewriting {
        return APPEND_ONLY.ok(format!("{seen}; it is being rewritten"));
    }
    let rewrite = Cure::redis("BGREWRITEAOF");
    if file.rewrite_succeeded == Some(false) {
        let seen = format!("{seen}; the last rewrite failed, and it grows on");
        return APPEND_ONLY
            .warning(seen, rewrite)
            .with_fix(Fix::Begin(Upkeep::Rewrite));
    }
    if size > LARGE {
        let after = file.rewritten_size.map_or(String::new(), |size| {
            format!(", {} after its last rewrite", bytes(size))
        });
        let seen = format!("{seen}{after}");
        return APPEND_ONLY
            .warning(seen, rewrite)
            .with_fix(Fix::Begin(Upkeep::Rewrite));
    }
    let delayed = file.delayed.unwrap_or(0);
    if delayed >= MANY_DELAYED {
        return APPEND_ONLY.warning(
            format!(
                "{seen}; writes had to wait for the disk {} times",
                number(delayed)
            ),
            Cure::redis("CONFIG SET no-appendfsync-on-rewrite yes"),
        );
    }
    APPEND_ONLY.ok(seen)
}

fn snapshot(snapshots: &SnapshotFacts, append_only: Option<bool>) -> Finding {
    let Some(age) = snapshots.age else {
        return SNAPSHOT.unknown("when the last one was taken", TELL);
    };
    let seen = format!(
        "the last is of {} ago, or of the start of Redis",
        age_of(age)
    );
    let save = Cure::redis("BGSAVE");
    if snapshots.succeeded == Some(false) && snapshots.under_way {
        let seen = format!("the last attempt failed; {seen}; another is under way");
        return SNAPSHOT.warning(seen, Cure::shell("jobq doctor  # again, once it has ended"));
    }
    if snapshots.succeeded == Some(false) {
        let seen = format!("the last attempt failed; {seen}");
        return SNAPSHOT
            .error(seen, save)
            .with_fix(Fix::Begin(Upkeep::Save));
    }
    if snapshots.under_way {
        return SNAPSHOT.ok(format!("{seen}; one is being taken"));
    }
    let changes = snapshots.changes.unwrap_or(0);
    if age > OLD && changes > 0 && append_only == Some(false) {
        let seen = format!("{seen}; {} changes since then", number(changes));
        return SNAPSHOT
            .warning(seen, save)
            .with_fix(Fix::Begin(Upkeep::Save));
    }
    SNAPSHOT.ok(seen)
}

#[cfg(test)]
mod tests;
