//! Which members of a queue live. A worker tells of itself with each heartbeat, and under which id it
//! serves each of its queues; a member that is killed stays one until others take over from it.

use std::collections::BTreeMap;

use jobq::broker::Broker;
use jobq::{Client, QueueName, WorkerId, WorkerInfo, WorkerState};

use crate::damage::Damage;
use crate::failure::Failure;

/// How a member was heard of, from the worst to the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Life {
    /// Not within its lease.
    Lost,
    /// It takes no more jobs: it is quiet, or stops.
    Quiet,
    /// It takes jobs, as far as is known.
    Working,
}

/// What workers told of themselves: of each queue that they serve, the member that they are there,
/// and whether they were heard of within their lease.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    lives: BTreeMap<(QueueName, WorkerId), Life>,
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

    /// Why nothing can be read of the workers, if it is so.
    pub(crate) fn damage(&self) -> Option<String> {
        self.damage.as_ref().map(ToString::to_string)
    }

    /// The same among what is damaged.
    pub(crate) fn note_damage(&self, damage: &mut Damage) {
        if let Some(why) = self.damage() {
            damage.note_workers(&why);
        }
    }

    /// How a member of a queue was heard of; `None` if it tells nothing.
    pub(crate) fn life(&self, queue: &QueueName, member: &WorkerId) -> Option<Life> {
        self.lives.get(&(queue.clone(), member.clone())).copied()
    }

    /// How many members of a queue live; `None` where nothing can be read of them.
    pub(crate) async fn living(
        &self,
        broker: &dyn Broker,
        queue: &QueueName,
    ) -> Result<Option<u64>, Failure> {
        self.count(broker, queue, Life::Quiet).await
    }

    /// How many of them take jobs.
    pub(crate) async fn working(
        &self,
        broker: &dyn Broker,
        queue: &QueueName,
    ) -> Result<Option<u64>, Failure> {
        self.count(broker, queue, Life::Working).await
    }

    async fn count(
        &self,
        broker: &dyn Broker,
        queue: &QueueName,
        least: Life,
    ) -> Result<Option<u64>, Failure> {
        if self.damage.is_some() {
            return Ok(None);
        }
        let members = broker.members(queue).await?;
        let lives = |(member, _): &&(WorkerId, u64)| self.life(queue, member) >= Some(least);
        Ok(Some(members.iter().filter(lives).count() as u64))
    }
}

impl FromIterator<(QueueName, WorkerId, Life)> for Heard {
    fn from_iter<T: IntoIterator<Item = (QueueName, WorkerId, Life)>>(told: T) -> Self {
        let mut heard = Self::default();
        for (queue, member, life) in told {
            let best = heard.lives.entry((queue, member)).or_insert(life);
            *best = life.max(*best);
        }
        heard
    }
}

fn members(worker: &WorkerInfo) -> impl Iterator<Item = (QueueName, WorkerId, Life)> {
    let life = match worker.state {
        _ if worker.is_lost() => Life::Lost,
        WorkerState::Quiet | WorkerState::Stopping => Life::Quiet,
        _ => Life::Working,
    };
    let served = worker.queues.iter();
    served.map(move |served| (served.name.clone(), served.member.clone(), life))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lives_under_the_id_that_it_has_on_that_queue() {
        let queue = |name| QueueName::new(name).unwrap();
        let id = WorkerId::from_stored;
        let heard: Heard = [
            (queue("mail"), id("second"), Life::Working),
            (queue("other"), id("first"), Life::Quiet),
            (queue("other"), id("dead"), Life::Lost),
        ]
        .into_iter()
        .collect();
        for (name, member, life) in [
            ("mail", "second", Some(Life::Working)),
            ("mail", "first", None),
            ("other", "first", Some(Life::Quiet)),
            ("other", "dead", Some(Life::Lost)),
        ] {
            assert_eq!(
                heard.life(&queue(name), &id(member)),
                life,
                "{name} {member}"
            );
        }
    }
}
