//! What a server says of itself, and how the keys of a queue lie there: facts, judged by nobody
//! here. `None` is "not known": this user is not told, or this server does not say.

use std::time::Duration;

use crate::id::WorkerId;

/// What a server says of itself at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerFacts {
    /// As whom the server knows who asks.
    pub user: String,
    /// Whether who asks has logged in with a password.
    pub has_password: bool,
    /// Its version.
    pub version: Option<String>,
    /// How long it has run.
    pub uptime: Option<Duration>,
    /// How long the fastest of a few calls took that do nothing.
    pub round_trip: Duration,
    /// How its clock compares with that of this machine.
    pub clock: ClockFacts,
    /// Its memory.
    pub memory: MemoryFacts,
    /// Its snapshots.
    pub snapshots: SnapshotFacts,
    /// Its append-only file.
    pub append_only: AppendOnlyFacts,
    /// Whom it copies, and who copies it.
    pub replication: ReplicationFacts,
    /// Who is connected.
    pub clients: ClientFacts,
    /// What its configuration says, where this user may read that.
    pub settings: Option<Settings>,
    /// The calls that were slow, newest first, where this user may read that.
    pub slow: Option<Vec<SlowCall>>,
}

/// How the server's clock compares with that of this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockFacts {
    /// How many ms it is ahead; negative, behind.
    pub ahead_ms: i64,
    /// By how many ms this may be wrong: half of the fastest round trip.
    pub error_ms: u64,
}

/// The server's memory, in bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MemoryFacts {
    /// Used by data, and by what the server needs itself.
    pub used: Option<u64>,
    /// `maxmemory`: 0 is none.
    pub limit: Option<u64>,
    /// `maxmemory-policy`.
    pub policy: Option<String>,
    /// What the operating system gave to the process.
    pub resident: Option<u64>,
    /// Of the machine it runs on.
    pub machine: Option<u64>,
    /// Keys that were thrown away for want of memory, since the server started.
    pub evicted: Option<u64>,
}

/// The server's snapshots (RDB).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotFacts {
    /// How long ago the last one was taken, or the server started.
    pub age: Option<Duration>,
    /// Changes since then.
    pub changes: Option<u64>,
    /// Whether one is being taken.
    pub under_way: bool,
    /// Whether the last one succeeded.
    pub succeeded: Option<bool>,
}

/// The server's append-only file (AOF).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendOnlyFacts {
    /// Whether there is one.
    pub enabled: Option<bool>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its size after the last rewrite.
    pub rewritten_size: Option<u64>,
    /// Whether it is being rewritten, or will be once a save has ended.
    pub rewriting: bool,
    /// Whether the last rewrite succeeded.
    pub rewrite_succeeded: Option<bool>,
    /// Whether the last write succeeded.
    pub write_succeeded: Option<bool>,
    /// How often a write had to wait for the disk, since the server started.
    pub delayed: Option<u64>,
}

/// Whom the server copies, and who copies it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplicationFacts {
    /// Whether it is a replica.
    pub is_replica: Option<bool>,
    /// Of a replica, whether it hears its primary.
    pub link_up: Option<bool>,
    /// Of a replica, how long it has not heard its primary.
    pub silent: Option<Duration>,
    /// Of a primary, how many replicas it has.
    pub replicas: Option<u64>,
    /// Of those, how many are near enough for `min-replicas-to-write`, where that is set.
    pub good_replicas: Option<u64>,
}

/// Who is connected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFacts {
    /// Connections.
    pub connected: Option<u64>,
    /// Of those, how many wait in a blocking command, as idle workers do.
    pub blocked: Option<u64>,
    /// `maxclients`.
    pub limit: Option<u64>,
    /// Refused for the limit, since the server started.
    pub rejected: Option<u64>,
}

/// What the server's configuration says. What it does not know is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `appendfsync`: `always`, `everysec` or `no`.
    pub appendfsync: Option<String>,
    /// `save`: seconds and changes, empty for no snapshots.
    pub save: Option<String>,
    /// `timeout`: seconds after which an idle connection is cut, 0 for never.
    pub timeout: Option<u64>,
    /// `tcp-keepalive`: seconds, 0 for none.
    pub keepalive: Option<u64>,
    /// `list-max-listpack-size`: how large a node of a list is.
    pub list_node_size: Option<i64>,
    /// `list-compress-depth`: nodes at each end of a list that are not compressed, 0 for no
    /// compression at all.
    pub list_compress_depth: Option<u64>,
    /// `min-replicas-to-write`.
    pub min_replicas: Option<u64>,
}

/// A call that was slow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowCall {
    /// How long ago.
    pub age: Duration,
    /// How long it held the server.
    pub took: Duration,
    /// The command, or the step of jobq; nothing of its arguments.
    pub command: String,
}

/// How the keys of one queue lie in a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFacts {
    /// The keys that there are, of those that every queue can have.
    pub keys: Vec<KeyFacts>,
    /// The workers that are registered, with their counters.
    pub members: Vec<(WorkerId, u64)>,
    /// Whether it is paused, as far as can be read.
    pub paused: bool,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The whole key.
    pub key: String,
    /// What it should be: `list`, `hash`, `set`, `zset` or `string`.
    pub expected: &'static str,
    /// What it is.
    pub found: String,
    /// Its elements, if it is what it should be and has any.
    pub length: Option<u64>,
    /// Its bytes, estimated by a few of its elements.
    pub bytes: Option<u64>,
    /// How it is encoded.
    pub encoding: Option<String>,
}

/// What a worker that nobody knows has in its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Whose keys these are.
    pub worker: WorkerId,
    /// Jobs in flight; `None` if the key is of another type.
    pub in_flight: Option<u64>,
    /// Jobs in its handoff; `None` if the key is of another type.
    pub handed: Option<u64>,
    /// Its keys that are of another type.
    pub damaged: Vec<KeyFacts>,
}

/// What a program does with a store, for the rights that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// Enqueues.
    Producer,
    /// Runs jobs, and enqueues.
    Worker,
    /// Looks in and intervenes.
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Producer, Self::Worker, Self::Operator];

    /// Its name, as in the documentation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Worker => "worker",
            Self::Operator => "operator",
        }
    }
}

/// What a server can be told to begin, to look after its own files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Upkeep {
    /// A snapshot.
    Save,
    /// A rewrite of the append-only file.
    Rewrite,
}
