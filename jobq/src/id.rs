//! The names of things: queues, jobs' ids, workers, claim tokens. Each is checked where it comes
//! in and needs no check afterwards.

mod token;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use uuid::{ContextV7, Timestamp, Uuid};

pub use self::token::Token;
pub(crate) use self::token::TokenText;
use crate::error::{InvalidJobId, InvalidQueueName};

/// Whether a text may be part of a key: 1 to `longest` characters of `[A-Za-z0-9_.:-]`.
pub(crate) fn is_name(text: &str, longest: usize) -> bool {
    let legal = |c: u8| c.is_ascii_alphanumeric() || b"_.:-".contains(&c);
    (1..=longest).contains(&text.len()) && text.bytes().all(legal)
}

/// The name of a queue: 1 to 128 characters of `[A-Za-z0-9_.:-]`. Cheap to clone.
///
/// ```
/// use jobq::QueueName;
///
/// assert_eq!(QueueName::new("mail")?.as_str(), "mail");
/// assert!(QueueName::new("no spaces").is_err());
/// # Ok::<_, jobq::InvalidQueueName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueName(Arc<str>);

impl QueueName {
    /// The longest name, in characters.
    pub const MAX_LEN: usize = 128;

    /// Checks and keeps a name.
    ///
    /// # Errors
    ///
    /// [`InvalidQueueName`] when it is empty, too long or has another character.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidQueueName> {
        let name = name.as_ref();
        match is_name(name, Self::MAX_LEN) {
            true => Ok(Self(name.into())),
            false => Err(InvalidQueueName::new(name)),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for QueueName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for QueueName {
    type Err = InvalidQueueName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::new(s)
    }
}

/// The id of a job: a UUID, version 7 unless the producer chose another.
///
/// ```
/// use jobq::JobId;
///
/// let id = JobId::new();
/// assert_eq!(id.to_string().parse(), Ok(id));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(Uuid);

impl JobId {
    /// A new id, ordered by time.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// An id from its 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The 16 bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// Ids for several jobs at one time: each is above the one before.
pub(crate) struct JobIds {
    since_epoch: Duration,
    counter: ContextV7,
}

impl JobIds {
    pub(crate) fn now() -> Self {
        Self {
            // Before 1970 the clock is wrong; the ids are no less unique.
            since_epoch: UNIX_EPOCH.elapsed().unwrap_or_default(),
            counter: ContextV7::new(),
        }
    }

    pub(crate) fn next(&self) -> JobId {
        let (seconds, nanos) = (self.since_epoch.as_secs(), self.since_epoch.subsec_nanos());
        JobId(Uuid::new_v7(Timestamp::from_unix(
            &self.counter,
            seconds,
            nanos,
        )))
    }
}

impl Default for JobId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for JobId {
    type Err = InvalidJobId;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(s)
            .map(Self)
            .map_err(|_| InvalidJobId::new(s))
    }
}

/// The id of one running worker, never used again: a restarted process is another worker. It says
/// how long the worker may be silent, written `<UUID without hyphens>-<lease in ms>`, so that others
/// wait for its lease and not for theirs.
///
/// ```
/// use std::time::Duration;
/// use jobq::WorkerId;
///
/// let worker = WorkerId::leased(Duration::from_secs(7));
/// assert!(worker.as_str().ends_with("-7000"));
/// assert_eq!(worker.lease(), Some(Duration::from_secs(7)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(Arc<str>);

/// The shortest lease that an id is believed.
const SHORTEST_LEASE: Duration = Duration::from_millis(10);

/// The longest: whoever writes an id that says more must not own its jobs for ever.
const LONGEST_LEASE: Duration = Duration::from_secs(3600);

impl WorkerId {
    /// A new id that no worker has had, and that says nothing of a lease.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::now_v7().simple().to_string().into())
    }

    /// A new id of a worker that may be silent for so long.
    #[must_use]
    pub fn leased(lease: Duration) -> Self {
        // Upwards: nobody may wait less than the worker trusts.
        let ms = lease.as_nanos().div_ceil(1_000_000);
        Self(format!("{}-{ms}", Uuid::now_v7().simple()).into())
    }

    /// A new id of the same worker, which lost this one: it says the same of its lease.
    #[must_use]
    pub fn successor(&self) -> Self {
        self.lease().map_or_else(Self::random, Self::leased)
    }

    /// How long this worker may be silent before others take its jobs over, within 10 ms and 1 h.
    /// `None` if the id does not say.
    #[must_use]
    pub fn lease(&self) -> Option<Duration> {
        let (uuid, ms) = self.0.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let ms = Some(ms).filter(|ms| digits(ms))?.parse().ok()?;
        Uuid::try_parse(uuid).ok()?;
        Some(Duration::from_millis(ms).clamp(SHORTEST_LEASE, LONGEST_LEASE))
    }

    /// An id as it stands in the store.
    #[must_use]
    pub fn from_stored(id: &str) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_names_are_checked() {
        let longest = "q".repeat(QueueName::MAX_LEN);
        for good in ["default", "a", "A-z_0.9:x", &longest] {
            assert_eq!(QueueName::new(good).unwrap().as_str(), good);
        }
        let long = "q".repeat(QueueName::MAX_LEN + 1);
        for bad in ["", " ", "a b", "größe", "{a}", "a\n", &long] {
            let message = QueueName::new(bad).unwrap_err().to_string();
            assert!(message.contains("A-Za-z0-9_.:-"), "{message}");
        }
    }

    #[test]
    fn a_bad_queue_name_is_quoted_short_and_printable() {
        let bad = format!("\u{1b}[31m{}", "x".repeat(10_000));
        let message = QueueName::new(bad).unwrap_err().to_string();
        assert!(
            message.starts_with("queue name \"\\u{1b}[31mxxx"),
            "{message}"
        );
        assert!(message.len() < 200, "{message}");
    }

    #[test]
    fn job_ids_survive_text_and_bytes() {
        let id = JobId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(JobId::from_bytes(*id.as_bytes()), id);
        assert_eq!(id.as_bytes()[6] >> 4, 7, "a UUID of version 7");
        for bad in ["", "1", "01890a5d-ac96-774b-bcce-b302099a805", "x\n"] {
            let message = bad.parse::<JobId>().unwrap_err().to_string();
            assert!(message.contains("is not a UUID"), "{message}");
        }
    }

    #[test]
    fn job_ids_are_ordered_by_time_and_never_equal() {
        let ids: Vec<_> = (0..10_000).map(|_| JobId::new()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        let many = JobIds::now();
        let ids: Vec<_> = (0..10_000).map(|_| many.next()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        let later = JobIds::now();
        assert!((0..1_000).all(|_| ids.binary_search(&later.next()).is_err()));
        assert_eq!(later.next().as_bytes()[6] >> 4, 7, "a UUID of version 7");
    }

    #[test]
    fn no_two_workers_are_equal() {
        let (one, other) = (WorkerId::random(), WorkerId::random());
        assert_ne!(one, other);
        assert_eq!(WorkerId::from_stored(one.as_str()), one);
        assert!(QueueName::new(one.as_str()).is_ok(), "fit for a key");
    }

    #[test]
    fn the_id_of_a_worker_says_its_lease() {
        let cases = [
            (Duration::from_secs(7), "-7000", 7000),
            (Duration::from_micros(25_100), "-26", 26),
            (Duration::from_millis(3), "-3", 10),
            (Duration::from_secs(7200), "-7200000", 3_600_000),
        ];
        for (lease, suffix, believed) in cases {
            let worker = WorkerId::leased(lease);
            assert!(worker.as_str().ends_with(suffix), "{worker}");
            let stored = WorkerId::from_stored(worker.as_str());
            assert_eq!(stored.lease(), Some(Duration::from_millis(believed)));
            assert!(QueueName::new(worker.as_str()).is_ok(), "fit for a key");
        }
    }

    #[test]
    fn an_id_of_another_shape_says_nothing_of_a_lease() {
        let uuid = "0192aaaabbbbccccddddeeeeffff0000";
        let others = [
            "",
            "w1",
            "w1-7000",
            "-7000",
            uuid,
            "7000-7000",
            "99999999999999999999",
            &format!("{uuid}-"),
            &format!("{uuid}-7s"),
            &format!("{uuid}-+7000"),
            &format!("{uuid}-7000-1"),
            &format!("{uuid}--1"),
            &format!("{uuid}-99999999999999999999"),
        ];
        for other in others {
            assert_eq!(WorkerId::from_stored(other).lease(), None, "{other}");
        }
    }

    #[test]
    fn a_worker_that_lost_its_id_keeps_its_lease() {
        let lost = WorkerId::leased(Duration::from_secs(30));
        let next = lost.successor();
        assert_ne!(next, lost);
        assert_eq!(next.lease(), lost.lease());
        assert_eq!(WorkerId::random().successor().lease(), None);
    }
}
