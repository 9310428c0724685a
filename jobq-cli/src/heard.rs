//! Which members of a queue live. A worker tells of itself with each heartbeat, and under which id it
//! serves each of its queues; a member that is killed stays one until others take over from it.

use std::collections::BTreeMap;

use jobq::broker::Broker;
use jobq::{Client, QueueName, WorkerId, WorkerInfo};

use crate::damage::Damage;
use crate::failure::Failure;

/// What workers told of themselves: of each queue that they serve, the member that they are there,
/// and whether they were heard of within their lease.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    lives: BTreeMap<(QueueName, WorkerId), bool>,
    /// Why none of it can be read, if the key that it lies in is damaged.
    damage: Option<Failure>,
}

impl Heard {
    pub(crate) async fn ask(client: &Client) -> Result<Self, Failure> {
        match client.workers().await.map_err(Failure::from) {
            Ok(workers) => Ok(workers.iter().flat_map(members).collect()),
            Err(failure) if failure.is_damage() => Ok(Self {
                damage: Some(failure),
                ..Self::default()
            }),
            Err(failure) => Err(failure),
        }
    }

    /// Notes that nothing can be read of the workers, if it is so.
    pub(crate) fn note_damage(&self, damage: &mut Damage) {
        if let Some(failure) = &self.damage {
            damage.note("what workers tell", &failure.to_string());
        }
    }

    /// Whether a member of a queue was heard of within its lease; `None` if it tells nothing.
    pub(crate) fn lives(&self, queue: &QueueName, member: &WorkerId) -> Option<bool> {
        self.lives.get(&(queue.clone(), member.clone())).copied()
    }

    /// How many members of a queue live; `None` where nothing can be read of them.
    pub(crate) async fn living(
        &self,
        broker: &dyn Broker,
        queue: &QueueName,
    ) -> Result<Option<u64>, Failure> {
        if self.damage.is_some() {
            return Ok(None);
        }
        let members = broker.members(queue).await?;
        let lives = |(member, _): &&(WorkerId, u64)| self.lives(queue, member) == Some(true);
        Ok(Some(members.iter().filter(lives).count() as u64))
    }
}

impl FromIterator<(QueueName, WorkerId, bool)> for Heard {
    fn from_iter<T: IntoIterator<Item = (QueueName, WorkerId, bool)>>(told: T) -> Self {
        let mut heard = Self::default();
        for (queue, member, lives) in told {
            *heard.lives.entry((queue, member)).or_default() |= lives;
        }
        heard
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
