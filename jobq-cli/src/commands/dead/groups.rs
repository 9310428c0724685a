//! Dead jobs by what they have in common: their name and the fingerprint of their last error.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jobq::{DeadJob, JobId, Timestamp};
use sha1_smol::Sha1;

use super::fingerprint::fingerprint;

/// Groups that are told apart; what falls into none of them is counted together.
pub(super) const MOST_GROUPS: usize = 1000;

/// The longest pattern that is shown, in characters.
const LONGEST_PATTERN: usize = 200;

/// The longest example of an error, in bytes.
const LONGEST_EXAMPLE: usize = 1000;

/// The name of a group: the same in every run, for the same name and whole fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct GroupId(u64);

impl GroupId {
    fn new(name: &str, pattern: &str) -> Self {
        // What is shown today is typed tomorrow, perhaps into another build; and errors quote what
        // strangers wrote, who should not find it easy to have theirs taken for others.
        let mut hash = Sha1::new();
        hash.update(name.as_bytes());
        hash.update(&[0]);
        hash.update(pattern.as_bytes());
        let front = hash.digest().bytes().into_iter().take(8);
        Self(front.fold(0, |id, byte| id << 8 | u64::from(byte)))
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for GroupId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() == 16 && text.bytes().all(|c| c.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(Self).ok_or_else(|| {
            "expected 16 hexadecimal digits, as `jobq dead analyze` shows".to_owned()
        })
    }
}

/// The group of a job, its name and the fingerprint.
pub(super) fn group_of(job: &DeadJob) -> (GroupId, &str, String) {
    let (name, pattern) = (job.name().unwrap_or_default(), fingerprint(job.error()));
    (GroupId::new(name, &pattern), name, pattern)
}

/// What jobs of one group have in common, and how many there are.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: GroupId,
    /// Empty where the bytes were no job.
    pub(super) name: String,
    /// The front of the fingerprint.
    pub(super) pattern: String,
    pub(super) count: u64,
    /// `None` if no dead record tells.
    pub(super) first_seen: Option<Timestamp>,
    pub(super) last_seen: Option<Timestamp>,
    pub(super) by_failures: BTreeMap<u32, u64>,
    pub(super) by_reason: BTreeMap<&'static str, u64>,
    pub(super) by_queue: BTreeMap<String, u64>,
    /// The latest of them.
    pub(super) example: Example,
}

/// One job of a group.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) id: JobId,
    pub(super) queue: String,
    pub(super) error: String,
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    known: BTreeMap<GroupId, Group>,
    pub(super) count: u64,
    /// Jobs of no group, for there were too many.
    pub(super) others: u64,
    pub(super) by_failures: BTreeMap<u32, u64>,
    pub(super) by_reason: BTreeMap<&'static str, u64>,
}

impl Groups {
    pub(super) fn add(&mut self, queue: &str, job: &DeadJob) {
        let (failures, reason) = (job.attempts(), job.reason().as_str());
        self.count += 1;
        *self.by_failures.entry(failures).or_default() += 1;
        *self.by_reason.entry(reason).or_default() += 1;
        let (id, name, pattern) = group_of(job);
        if !self.known.contains_key(&id) && self.known.len() >= MOST_GROUPS {
            self.others += 1;
            return;
        }
        let group = self.known.entry(id).or_insert_with(|| Group {
            id,
            name: name.to_owned(),
            pattern: pattern.chars().take(LONGEST_PATTERN).collect(),
            count: 0,
            first_seen: None,
            last_seen: None,
            by_failures: BTreeMap::new(),
            by_reason: BTreeMap::new(),
            by_queue: BTreeMap::new(),
            example: Example::new(queue, job),
        });
        group.add(queue, job);
    }

    /// The largest first.
    pub(super) fn sorted(self) -> Vec<Group> {
        let mut groups: Vec<_> = self.known.into_values().collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.id));
        groups
    }
}

impl Group {
    fn add(&mut self, queue: &str, job: &DeadJob) {
        self.count += 1;
        *self.by_failures.entry(job.attempts()).or_default() += 1;
        *self.by_reason.entry(job.reason().as_str()).or_default() += 1;
        *self.by_queue.entry(queue.to_owned()).or_default() += 1;
        let Some(died) = job.is_record().then(|| job.died_at()) else {
            return;
        };
        self.first_seen = Some(self.first_seen.map_or(died, |first| first.min(died)));
        if self.last_seen.is_none_or(|last| died >= last) {
            self.last_seen = Some(died);
            self.example = Example::new(queue, job);
        }
    }
}

impl Example {
    fn new(queue: &str, job: &DeadJob) -> Self {
        Self {
            id: job.id(),
            queue: queue.to_owned(),
            error: jobq::runtime::text::cut(job.error(), LONGEST_EXAMPLE).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_the_same_name_in_every_run() {
        let id = GroupId::new("mail", "no user <n>");
        assert_eq!(id.to_string(), "a40e86edf9ccb919");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id, GroupId::new("mai", "lno user <n>"));
        for bad in [
            "",
            "e60d02b4",
            "e60d02b4e60d02b",
            "e60d02b4e60d02b40",
            "+60d02b4e60d02b4",
            "xyzxyzxyxyzxyzxy",
            "é0d02b4e60d02b4",
        ] {
            assert!(bad.parse::<GroupId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn errors_that_differ_far_behind_are_of_two_groups() {
        let [one, other] = ["one", "other"].map(|end| {
            let error = format!("{} {end}", "word ".repeat(500));
            GroupId::new("mail", &fingerprint(&error))
        });
        assert_ne!(one, other);
    }
}
