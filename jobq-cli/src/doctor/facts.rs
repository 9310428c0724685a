//! Asks the broker what there is to judge: a bounded question each, and nothing that changes
//! anything.

mod members;

use std::collections::{BTreeMap, BTreeSet};

use jobq::broker::{Broker, KeyFacts, Owned, QueueFacts, Role, ServerFacts};
use jobq::{BrokerErrorKind, Client, QueueName, WorkerId};

use crate::failure::Failure;
use crate::heard::Heard;

/// All that is judged.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) server: ServerFacts,
    pub(crate) rights: Vec<Rights>,
    /// Those that are listed, and those on which somebody owns something.
    pub(crate) queues: Vec<QueueSeen>,
}

/// What a login lacks of a role's rights.
#[derive(Debug)]
pub(crate) struct Rights {
    pub(crate) role: Role,
    /// `None` if it may not even ask.
    pub(crate) missing: Option<Vec<String>>,
}

/// One queue.
#[derive(Debug)]
pub(crate) struct QueueSeen {
    pub(crate) name: QueueName,
    /// `None` if this user may not look.
    pub(crate) facts: Option<QueueFacts>,
    /// What workers own that are no members.
    pub(crate) orphans: Vec<Owned>,
    /// What members own that have died, as far as can be told.
    pub(crate) lost: Vec<Owned>,
    /// How many members live, as far as can be told.
    pub(crate) living: usize,
}

impl QueueSeen {
    /// The elements of its key of this name.
    pub(crate) fn length(&self, name: &str) -> u64 {
        let named = |key: &&KeyFacts| key.key.rsplit(':').next() == Some(name);
        let key = self.facts.iter().flat_map(|facts| &facts.keys).find(named);
        key.and_then(|key| key.length).unwrap_or(0)
    }

    /// The jobs that the next worker would take.
    pub(crate) fn ready(&self) -> u64 {
        self.length("ready") + self.length("suspects")
    }
}

/// Looks at everything.
pub(crate) async fn gather(client: &Client, roles: &[Role]) -> Result<Store, Failure> {
    let broker = &**client.broker();
    let server = broker.examine().await?.unwrap_or_default();
    let mut owners = if_allowed(owners(broker).await)?.unwrap_or_default();
    let heard = if_allowed(Heard::ask(client).await)?.unwrap_or_default();
    let mut names: BTreeSet<QueueName> = owners.keys().cloned().collect();
    names.extend(if_allowed(broker.queues().await.map_err(Failure::from))?.unwrap_or_default());
    let mut queues = Vec::with_capacity(names.len());
    for name in names {
        let owners = owners.remove(&name).unwrap_or_default();
        queues.push(queue(broker, name, owners).await?);
    }
    members::judge(broker, &mut queues, &heard).await?;
    // Where there is no queue yet, of the one that most have.
    let example = match queues.first() {
        Some(queue) => queue.name.clone(),
        None => QueueName::new("default")?,
    };
    let mut rights = Vec::with_capacity(roles.len());
    for &role in roles {
        let missing = match broker.missing_rights(role, &example).await {
            Err(error) if error.kind() == BrokerErrorKind::Forbidden => None,
            missing => Some(missing?),
        };
        rights.push(Rights { role, missing });
    }
    Ok(Store {
        server,
        rights,
        queues,
    })
}

/// What this user may not ask is found by its rights.
fn if_allowed<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Err(failure) if failure.is_denied() => Ok(None),
        answer => answer.map(Some),
    }
}

/// Who owns something, by queue.
async fn owners(broker: &dyn Broker) -> Result<BTreeMap<QueueName, BTreeSet<WorkerId>>, Failure> {
    let mut owners = BTreeMap::<_, BTreeSet<_>>::new();
    let mut cursor = 0;
    loop {
        let (next, found) = broker.all_owners(cursor).await?;
        for (queue, worker) in found {
            owners.entry(queue).or_default().insert(worker);
        }
        if next == 0 {
            return Ok(owners);
        }
        cursor = next;
    }
}

async fn queue(
    broker: &dyn Broker,
    name: QueueName,
    mut owners: BTreeSet<WorkerId>,
) -> Result<QueueSeen, Failure> {
    // After the owners: one that has joined since then is no orphan.
    let facts = broker.examine_queue(&name).await?;
    for (worker, _) in facts.iter().flat_map(|facts| &facts.members) {
        owners.remove(worker);
    }
    let owners: Vec<WorkerId> = owners.into_iter().collect();
    let orphans = owned(broker, &name, &owners).await?;
    Ok(QueueSeen {
        name,
        facts,
        orphans,
        lost: Vec::new(),
        living: 0,
    })
}

/// What these own, of whom own something: what was settled or adopted in the meantime is nobody's
/// any more.
async fn owned(
    broker: &dyn Broker,
    queue: &QueueName,
    workers: &[WorkerId],
) -> Result<Vec<Owned>, Failure> {
    let mut owned = broker.owned(queue, workers).await?;
    owned.retain(|owned| owned.in_flight != Some(0) || owned.handed != Some(0));
    Ok(owned)
}
