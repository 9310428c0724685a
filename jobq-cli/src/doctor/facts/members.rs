//! Which members of a queue live. A worker tells of itself with each heartbeat, the first time where it
//! begins, and for a minute or two after its last one that is kept. Of a member that tells nothing
//! (it died before that, or may not tell) its counter says whether it lives, to who waits until the
//! next heartbeat is due.

use std::collections::BTreeMap;
use std::time::Duration;

use jobq::WorkerId;
use jobq::broker::Broker;
use tokio::time::sleep;

use super::QueueSeen;
use crate::failure::Failure;
use crate::heard::{Heard, Life};

/// Nobody is waited for longer than this: more than twice what a worker takes unless it was set
/// otherwise.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How much later than it is due a heartbeat may come.
const LATE: Duration = Duration::from_millis(500);

/// Members by what they tell; those that tell nothing, with their counters.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sorted {
    living: usize,
    /// Those of the living that take no more jobs.
    quiet: usize,
    lost: Vec<WorkerId>,
    untold: BTreeMap<WorkerId, u64>,
}

/// Says of each queue how many of its members live, and what the others own.
pub(super) async fn judge(
    broker: &dyn Broker,
    queues: &mut [QueueSeen],
    heard: &Heard,
) -> Result<(), Failure> {
    let mut doubtful = Vec::new();
    let mut wait = Duration::ZERO;
    for (place, queue) in queues.iter_mut().enumerate() {
        let Ok(facts) = &queue.facts else {
            continue;
        };
        let members = facts.members.iter().cloned();
        let sorted = Sorted::new(members, |member| heard.life(&queue.name, member));
        (queue.living, queue.quiet) = (Some(sorted.living), sorted.quiet);
        queue.lost = queue.owned(broker, &sorted.lost).await?;
        let untold = sorted.untold;
        // Where another lives it looks after what they have.
        if sorted.living > 0 || untold.is_empty() {
            continue;
        }
        let names: Vec<WorkerId> = untold.keys().cloned().collect();
        // Whether they live decides over something.
        if queue.ready() > 0 || !queue.owned(broker, &names).await?.is_empty() {
            wait = names.iter().map(until_heartbeat).fold(wait, Duration::max);
            doubtful.push((place, untold));
        }
    }
    if doubtful.is_empty() {
        return Ok(());
    }
    sleep(wait + LATE).await;
    for (place, before) in doubtful {
        let queue = &mut queues[place];
        let now = broker.members(&queue.name).await?.into_iter();
        let now = Sorted::after(now, &before, |member| heard.life(&queue.name, member));
        (queue.living, queue.quiet) = (Some(now.living), now.quiet);
        let lost = queue.owned(broker, &now.lost).await?;
        queue.lost.extend(lost);
    }
    Ok(())
}

/// How long to wait for a worker's next heartbeat, which is due within half of its lease.
fn until_heartbeat(worker: &WorkerId) -> Duration {
    let due = worker.lease().map_or(LONGEST_WAIT, |lease| lease / 2);
    due.min(LONGEST_WAIT)
}

impl Sorted {
    fn new(
        members: impl Iterator<Item = (WorkerId, u64)>,
        life: impl Fn(&WorkerId) -> Option<Life>,
    ) -> Self {
        let mut sorted = Self::default();
        for (member, counter) in members {
            match life(&member) {
                Some(Life::Working) => sorted.living += 1,
                Some(Life::Quiet) => {
                    sorted.living += 1;
                    sorted.quiet += 1;
                }
                Some(Life::Lost) => sorted.lost.push(member),
                None => drop(sorted.untold.insert(member, counter)),
            }
        }
        sorted
    }

    /// Later, once a heartbeat was due: of those that tell nothing who has renewed lives, and so does
    /// who has joined since. Of the lost only these are told, for of the others it is known.
    fn after(
        members: impl Iterator<Item = (WorkerId, u64)>,
        before: &BTreeMap<WorkerId, u64>,
        life: impl Fn(&WorkerId) -> Option<Life>,
    ) -> Self {
        let mut sorted = Self::new(members, life);
        sorted.lost.clear();
        for (member, counter) in std::mem::take(&mut sorted.untold) {
            match before.get(&member) {
                Some(&stood) if stood == counter => sorted.lost.push(member),
                _ => sorted.living += 1,
            }
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> WorkerId {
        WorkerId::from_stored(name)
    }

    fn members(all: &[(&str, u64)]) -> impl Iterator<Item = (WorkerId, u64)> {
        let all: Vec<_> = all
            .iter()
            .map(|&(name, counter)| (id(name), counter))
            .collect();
        all.into_iter()
    }

    fn life(member: &WorkerId) -> Option<Life> {
        match member.as_str() {
            "alive" => Some(Life::Working),
            "quiet" => Some(Life::Quiet),
            "lost" => Some(Life::Lost),
            _ => None,
        }
    }

    #[test]
    fn members_are_sorted_by_what_they_tell() {
        let all = members(&[("alive", 1), ("lost", 2), ("silent", 3), ("quiet", 4)]);
        let expected = Sorted {
            living: 2,
            quiet: 1,
            lost: vec![id("lost")],
            untold: BTreeMap::from([(id("silent"), 3)]),
        };
        assert_eq!(Sorted::new(all, life), expected);
    }

    #[test]
    fn of_those_that_tell_nothing_who_renews_or_joins_lives() {
        let before = members(&[("gone", 1), ("stands", 3), ("renews", 3)]).collect();
        let now = members(&[("lost", 2), ("stands", 3), ("renews", 4), ("joins", 1)]);
        let expected = Sorted {
            living: 2,
            quiet: 0,
            lost: vec![id("stands")],
            untold: BTreeMap::new(),
        };
        assert_eq!(Sorted::after(now, &before, life), expected);
    }

    #[test]
    fn a_heartbeat_is_waited_for_no_longer_than_half_a_lease() {
        let worker = WorkerId::leased(Duration::from_secs(7));
        assert_eq!(until_heartbeat(&worker), Duration::from_millis(3500));
        let worker = WorkerId::leased(Duration::from_secs(600));
        assert_eq!(until_heartbeat(&worker), LONGEST_WAIT);
        assert_eq!(until_heartbeat(&id("ghost")), LONGEST_WAIT);
    }
}
