//! What INFO answers: fields by name, of which a server may leave out any.

use std::collections::HashMap;
use std::time::Duration;

use crate::broker::{
    AppendOnlyFacts, ClientFacts, MemoryFacts, ReplicationFacts, ServerFacts, SnapshotFacts,
};
use crate::timestamp::At;

/// The sections that [`Info::facts`] reads.
pub(super) const SECTIONS: [&str; 6] = [
    "server",
    "clients",
    "memory",
    "persistence",
    "stats",
    "replication",
];

/// The fields of an answer.
pub(super) struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        Self(fields.map(|(name, value)| (name, value.trim())).collect())
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    fn seconds(&self, name: &str) -> Option<Duration> {
        self.number(name).map(Duration::from_secs)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.number(name).map(|flag| flag != 0)
    }

    fn is(&self, name: &str, expected: &str) -> Option<bool> {
        self.text(name).map(|value| value == expected)
    }

    fn is_ok(&self, name: &str) -> Option<bool> {
        self.is(name, "ok")
    }

    /// What it tells a doctor; `now` is the server's time.
    pub(super) fn facts(&self, now: At) -> ServerFacts {
        ServerFacts {
            version: self.text("redis_version").map(str::to_owned),
            uptime: self.seconds("uptime_in_seconds"),
            memory: self.memory(),
            snapshots: self.snapshots(now),
            append_only: self.append_only(),
            replication: self.replication(),
            clients: self.clients(),
            ..ServerFacts::default()
        }
    }

    fn memory(&self) -> MemoryFacts {
        MemoryFacts {
            used: self.number("used_memory"),
            limit: self.number("maxmemory"),
            policy: self.text("maxmemory_policy").map(str::to_owned),
            resident: self.number("used_memory_rss"),
            machine: self.number("total_system_memory"),
            evicted: self.number("evicted_keys"),
        }
    }

    fn snapshots(&self, now: At) -> SnapshotFacts {
        let last = self.number("rdb_last_save_time");
        let last = last.map(|seconds| At::from_ms(seconds.saturating_mul(1000)));
        SnapshotFacts {
            age: last.map(|last| now.since(last)),
            changes: self.number("rdb_changes_since_last_save"),
            under_way: self.flag("rdb_bgsave_in_progress").unwrap_or(false),
            succeeded: self.is_ok("rdb_last_bgsave_status"),
        }
    }

    fn append_only(&self) -> AppendOnlyFacts {
        let rewriting = ["aof_rewrite_in_progress", "aof_rewrite_scheduled"];
        AppendOnlyFacts {
            enabled: self.flag("aof_enabled"),
            size: self.number("aof_current_size"),
            rewritten_size: self.number("aof_base_size"),
            rewriting: rewriting.iter().any(|name| self.flag(name) == Some(true)),
            rewrite_succeeded: self.is_ok("aof_last_bgrewrite_status"),
            write_succeeded: self.is_ok("aof_last_write_status"),
            delayed: self.number("aof_delayed_fsync"),
        }
    }

    fn replication(&self) -> ReplicationFacts {
        ReplicationFacts {
            is_replica: self.is("role", "slave"),
            link_up: self.is("master_link_status", "up"),
            silent: self.seconds("master_link_down_since_seconds"),
            replicas: self.number("connected_slaves"),
            good_replicas: self.number("min_slaves_good_slaves"),
        }
    }

    fn clients(&self) -> ClientFacts {
        ClientFacts {
            connected: self.number("connected_clients"),
            blocked: self.number("blocked_clients"),
            limit: self.number("maxclients"),
            rejected: self.number("rejected_connections"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read_and_what_is_not_is_not_known() {
        let text = "# Server\r\nredis_version:7.0.15\r\nuptime_in_seconds:9\r\n\r\n# Memory\r\n\
                    used_memory:5\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n\
                    rdb_last_save_time:10\r\nrdb_last_bgsave_status:err\r\n\
                    aof_rewrite_scheduled:1\r\nrole:slave\r\nmaster_link_status:down\r\n\
                    connected_clients:-1\r\nmaxclients\r\n";
        let facts = Info::new(text).facts(At::from_ms(70_500));
        let expected = ServerFacts {
            version: Some("7.0.15".to_owned()),
            uptime: Some(Duration::from_secs(9)),
            memory: MemoryFacts {
                used: Some(5),
                limit: Some(0),
                policy: Some("noeviction".to_owned()),
                ..MemoryFacts::default()
            },
            snapshots: SnapshotFacts {
                age: Some(Duration::from_millis(60_500)),
                succeeded: Some(false),
                ..SnapshotFacts::default()
            },
            append_only: AppendOnlyFacts {
                rewriting: true,
                ..AppendOnlyFacts::default()
            },
            replication: ReplicationFacts {
                is_replica: Some(true),
                link_up: Some(false),
                ..ReplicationFacts::default()
            },
            ..ServerFacts::default()
        };
        assert_eq!(facts, expected);
        assert_eq!(Info::new("").facts(At::default()), ServerFacts::default());
    }
}
