//! Which members of a queue live. A worker tells of itself with each heartbeat, and for a minute or
//! two after its last one that is kept. Of a member that tells nothing (it died before that, or has
//! just begun) its counter says whether it lives, to who waits until the next heartbeat is due.

use std::collections::BTreeMap;
use std::time::Duration;

use jobq::WorkerId;
use jobq::broker::Broker;
use tokio::time::sleep;

use super::{QueueSeen, owned};
use crate::failure::Failure;

/// Nobody is waited for who may be silent for longer than this, and is thought to live.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How much later than it is due a heartbeat may come.
const LATE: Duration = Duration::from_millis(500);

/// Says of each queue how many of its members live, and what the others own. `heard` has whether
/// each that tells of itself does so still.
pub(super) async fn judge(
    broker: &dyn Broker,
    queues: &mut [QueueSeen],
    heard: &BTreeMap<WorkerId, bool>,
) -> Result<(), Failure> {
    let mut doubtful = Vec::new();
    let mut wait = Duration::ZERO;
    for (place, queue) in queues.iter_mut().enumerate() {
        let (sorted, untold) = sort(queue, heard);
        queue.living = sorted.living;
        queue.lost = owned(broker, &queue.name, &sorted.lost).await?;
        if untold.is_empty() {
            continue;
        }
        let names: Vec<WorkerId> = untold.keys().cloned().collect();
        let hold = owned(broker, &queue.name, &names).await?;
        if queue.living > 0 || hold.is_empty() {
            // They decide over nothing: others look after what they have, or they have nothing.
            queue.living += untold.len();
            continue;
        }
        wait = names.iter().map(until_heartbeat).fold(wait, Duration::max);
        doubtful.push((place, untold));
    }
    if doubtful.is_empty() {
        return Ok(());
    }
    sleep(wait.min(LONGEST_WAIT) + LATE).await;
    for (place, before) in doubtful {
        let queue = &mut queues[place];
        let now: BTreeMap<_, _> = broker.members(&queue.name).await?.into_iter().collect();
        let stands = |(worker, counter): &(&WorkerId, &u64)| now.get(*worker) == Some(*counter);
        let still = before.iter().filter(stands).map(|(worker, _)| worker);
        let still = still.filter(|worker| until_heartbeat(worker) <= LONGEST_WAIT);
        let still: Vec<WorkerId> = still.cloned().collect();
        queue.living += now.len().saturating_sub(still.len() + queue.lost.len());
        queue.lost.extend(owned(broker, &queue.name, &still).await?);
    }
    Ok(())
}

/// How long a worker may take from one heartbeat to the next: half of its lease at the most.
fn until_heartbeat(worker: &WorkerId) -> Duration {
    worker.lease().map_or(Duration::MAX, |lease| lease / 2)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sorted {
    living: usize,
    lost: Vec<WorkerId>,
}

/// The members by what they tell, and those with their counters that tell nothing.
fn sort(queue: &QueueSeen, heard: &BTreeMap<WorkerId, bool>) -> (Sorted, BTreeMap<WorkerId, u64>) {
    let (mut sorted, mut untold) = (Sorted::default(), BTreeMap::new());
    for (worker, counter) in queue.facts.iter().flat_map(|facts| &facts.members) {
        match heard.get(worker) {
            Some(true) => sorted.living += 1,
            Some(false) => sorted.lost.push(worker.clone()),
            None => drop(untold.insert(worker.clone(), *counter)),
        }
    }
    (sorted, untold)
}

#[cfg(test)]
mod tests {
    use jobq::QueueName;
    use jobq::broker::QueueFacts;

    use super::*;

    #[test]
    fn members_are_sorted_by_what_they_tell() {
        let id = WorkerId::from_stored;
        let queue = QueueSeen {
            name: QueueName::new("mail").unwrap(),
            facts: Some(QueueFacts {
                members: vec![(id("a"), 1), (id("b"), 2), (id("c"), 3)],
                ..QueueFacts::default()
            }),
            orphans: Vec::new(),
            lost: Vec::new(),
            living: 0,
        };
        let heard = BTreeMap::from([(id("a"), true), (id("b"), false), (id("x"), true)]);
        let expected = Sorted {
            living: 1,
            lost: vec![id("b")],
        };
        let untold = BTreeMap::from([(id("c"), 3)]);
        assert_eq!(sort(&queue, &heard), (expected, untold));
    }

    #[test]
    fn a_heartbeat_is_due_within_half_a_lease() {
        let worker = WorkerId::leased(Duration::from_secs(7));
        assert_eq!(until_heartbeat(&worker), Duration::from_millis(3500));
        assert!(until_heartbeat(&WorkerId::from_stored("ghost")) > LONGEST_WAIT);
    }
}
