//! Which members of a queue live. A worker tells of itself with each heartbeat, and under which id it
//! serves each of its queues; a member that is killed stays one until others take over from it.

use std::collections::BTreeMap;

use jobq::broker::Broker;
use jobq::{Client, QueueName, WorkerId, WorkerInfo};

use crate::failure::Failure;

/// What workers told of themselves: of each queue that they serve, the member that they are there,
/// and whether they were heard of within their lease.
#[derive(Debug, Default)]
pub(crate) struct Heard(BTreeMap<(QueueName, WorkerId), bool>);

impl Heard {
    pub(crate) async fn ask(client: &Client) -> Result<Self, Failure> {
        let workers = client.workers().await?;
        let told = workers.iter().flat_map(members);
        Ok(told.collect())
    }

    /// Whether a member of a queue was heard of within its lease; `None` if it tells nothing.
    pub(crate) fn lives(&self, queue: &QueueName, member: &WorkerId) -> Option<bool> {
        self.0.get(&(queue.clone(), member.clone())).copied()
    }

    /// How many members of a queue live.
    pub(crate) async fn living(
        &self,
        broker: &dyn Broker,
        queue: &QueueName,
    ) -> Result<u64, Failure> {
        let members = broker.members(queue).await?;
        let lives = |(member, _): &&(WorkerId, u64)| self.lives(queue, member) == Some(true);
        Ok(members.iter().filter(lives).count() as u64)
    }
}

impl FromIterator<(QueueName, WorkerId, bool)> for Heard {
    fn from_iter<T: IntoIterator<Item = (QueueName, WorkerId, bool)>>(told: T) -> Self {
        let mut heard = BTreeMap::new();
        for (queue, member, lives) in told {
            *heard.entry((queue, member)).or_default() |= lives;
        }
        Self(heard)
    }
}

fn members(worker: &WorkerInfo) -> impl Iterator<Item = (QueueName, WorkerId, bool)> {
    let lives = !worker.is_lost();
    let served = worker.queues.iter();
    served.map(move |served| (served.name.clone(), served.member.clone(), lives))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lives_under_the_id_that_it_has_on_that_queue() {
        let queue = |name| QueueName::new(name).unwrap();
        let id = WorkerId::from_stored;
        let heard: Heard = [
            (queue("mail"), id("second"), true),
            (queue("other"), id("first"), true),
            (queue("other"), id("dead"), false),
        ]
        .into_iter()
        .collect();
        for (name, member, lives) in [
            ("mail", "second", Some(true)),
            ("mail", "first", None),
            ("other", "first", Some(true)),
            ("other", "dead", Some(false)),
        ] {
            assert_eq!(
                heard.lives(&queue(name), &id(member)),
                lives,
                "{name} {member}"
            );
        }
    }
}
