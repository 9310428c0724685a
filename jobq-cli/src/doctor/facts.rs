//! Asks the broker what there is to judge: a bounded question each, and nothing that changes
//! anything. What this user may not ask is kept as such, with the words of the refusal, which name the
//! right that is missing: it is neither damage nor well. A damaged key leaves unknown what it says, and
//! nothing else.

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
    /// The keys that belong to no queue.
    pub(crate) namespace: Vec<KeyFacts>,
    /// Those that are listed, and those on which somebody owns something.
    pub(crate) queues: Vec<QueueSeen>,
    pub(crate) refused: Refused,
}

/// What of all queues is not known.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    /// How the keys lie in the server that belong to no queue.
    pub(crate) namespace: Option<Untold>,
    /// Which queues there are.
    pub(crate) names: Option<Untold>,
    /// Who owns something.
    pub(crate) owners: Option<Untold>,
    /// What workers tell of themselves.
    pub(crate) workers: Option<Untold>,
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Untold {
    /// This user may not ask: the refusal, which names the right.
    Denied(String),
    /// The key that says it is damaged.
    Damaged(String),
}

impl Untold {
    pub(crate) fn said(&self) -> &str {
        match self {
            Self::Denied(said) | Self::Damaged(said) => said,
        }
    }
}

/// What a login lacks of a role's rights.
#[derive(Debug)]
pub(crate) struct Rights {
    pub(crate) role: Role,
    /// `None` if it may not even ask.
    pub(crate) missing: Option<Vec<String>>,
    /// The rules that would give it what is missing.
    pub(crate) rules: Vec<String>,
    /// Another role of which it has all rights, if some are missing.
    pub(crate) instead: Option<Role>,
}

/// One queue.
#[derive(Debug)]
pub(crate) struct QueueSeen {
    pub(crate) name: QueueName,
    /// How its keys lie in the server, or why this user is not told.
    pub(crate) facts: Result<QueueFacts, Untold>,
    /// What workers own that are no members.
    pub(crate) orphans: Vec<Owned>,
    /// What members own that have died, as far as can be told.
    pub(crate) lost: Vec<Owned>,
    /// Why this user is not told what those own.
    pub(crate) refused: Option<Untold>,
    /// Whether this user may take over what those own; asked only where they own something.
    pub(crate) may_sweep: bool,
    /// How many members live, as far as can be told; `None` if this user is not told.
    pub(crate) living: Option<usize>,
    /// How many of these are known to take no more jobs.
    pub(crate) quiet: usize,
}

impl QueueSeen {
    /// The elements of its key of this name.
    pub(crate) fn length(&self, name: &str) -> u64 {
        self.key(name).and_then(|key| key.length).unwrap_or(0)
    }

    /// The bytes of memory that it takes, about.
    pub(crate) fn bytes(&self, name: &str) -> u64 {
        self.key(name).and_then(|key| key.bytes).unwrap_or(0)
    }

    fn key(&self, name: &str) -> Option<&KeyFacts> {
        let named = |key: &&KeyFacts| key.key.rsplit(':').next() == Some(name);
        self.facts.iter().flat_map(|facts| &facts.keys).find(named)
    }

    /// The jobs that the next worker would take.
    pub(crate) fn ready(&self) -> u64 {
        self.length("ready") + self.length("suspects")
    }

    /// What these own, of whom own something: what was settled or adopted in the meantime is
    /// nobody's any more.
    async fn owned(
        &mut self,
        broker: &dyn Broker,
        workers: &[WorkerId],
    ) -> Result<Vec<Owned>, Failure> {
        let owned = broker.owned(&self.name, workers).await;
        let mut owned = or_untold(owned.map_err(Failure::from), &mut self.refused)?;
        owned.retain(|owned| owned.in_flight != Some(0) || owned.handed != Some(0));
        Ok(owned)
    }
}

/// Looks at everything, and notes what it has seen until it fails or is dropped.
pub(crate) async fn gather(
    client: &Client,
    roles: &[Role],
    store: &mut Store,
) -> Result<(), Failure> {
    let broker = &**client.broker();
    store.server = broker.examine().await?.unwrap_or_default();
    let refused = &mut store.refused;
    let keys = broker.examine_namespace().await.map_err(Failure::from);
    store.namespace = or_untold(keys, &mut refused.namespace)?;
    let mut owners = or_untold(owners(broker).await, &mut refused.owners)?;
    let heard = or_untold(Heard::ask(client).await, &mut refused.workers)?;
    let mut names: BTreeSet<QueueName> = owners.keys().cloned().collect();
    let listed = broker.queues().await.map_err(Failure::from);
    names.extend(or_untold(listed, &mut refused.names)?);
    for name in names {
        let owners = owners.remove(&name).unwrap_or_default();
        store.queues.push(queue(broker, name, owners).await?);
    }
    if store.refused.workers.is_none() {
        members::judge(broker, &mut store.queues, &heard).await?;
    }
    for queue in &mut store.queues {
        if !queue.orphans.is_empty() || !queue.lost.is_empty() {
            let missing = missing_rights(broker, Role::Worker, &queue.name).await?;
            queue.may_sweep = missing.is_some_and(|missing| missing.is_empty());
        }
    }
    // Where there is no queue yet, of the one that most have.
    let example = match store.queues.first() {
        Some(queue) => queue.name.clone(),
        None => QueueName::new("default")?,
    };
    for &role in roles {
        store.rights.push(rights(broker, role, &example).await?);
    }
    Ok(())
}

/// Roles that may ask which rights they have, and of which none has all rights of the other.
const APART: [Role; 2] = [Role::Worker, Role::Operator];

async fn rights(broker: &dyn Broker, role: Role, queue: &QueueName) -> Result<Rights, Failure> {
    let mut rights = Rights {
        role,
        missing: missing_rights(broker, role, queue).await?,
        rules: Vec::new(),
        instead: None,
    };
    if rights.missing.as_ref().is_none_or(Vec::is_empty) {
        return Ok(rights);
    }
    rights.rules = broker.missing_rules(role, queue).await?;
    for other in APART.into_iter().filter(|other| *other != role) {
        let missing = missing_rights(broker, other, queue).await?;
        if missing.is_some_and(|missing| missing.is_empty()) {
            rights.instead = Some(other);
        }
    }
    Ok(rights)
}

/// What this user may not do of what a role does; `None` if it may not even ask.
async fn missing_rights(
    broker: &dyn Broker,
    role: Role,
    queue: &QueueName,
) -> Result<Option<Vec<String>>, Failure> {
    match broker.missing_rights(role, queue).await {
        Err(error) if error.kind() == BrokerErrorKind::Forbidden => Ok(None),
        missing => Ok(Some(missing?)),
    }
}

/// The answer, or nothing where this user may not ask or the key is damaged, and why.
fn or_untold<T: Default>(
    answer: Result<T, Failure>,
    untold: &mut Option<Untold>,
) -> Result<T, Failure> {
    match answer {
        Err(failure) if failure.is_denied() => {
            *untold = Some(Untold::Denied(failure.to_string()));
            Ok(T::default())
        }
        Err(failure) if failure.is_damage() => {
            *untold = Some(Untold::Damaged(failure.to_string()));
            Ok(T::default())
        }
        answer => answer,
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
    let mut why = None;
    let facts = broker.examine_queue(&name).await.map_err(Failure::from);
    let facts = or_untold(facts, &mut why)?.unwrap_or_default();
    for (worker, _) in &facts.members {
        owners.remove(worker);
    }
    let mut seen = QueueSeen {
        name,
        facts: why.map_or(Ok(facts), Err),
        orphans: Vec::new(),
        lost: Vec::new(),
        refused: None,
        may_sweep: true,
        living: None,
        quiet: 0,
    };
    // Who is no member is known to whom the members are told.
    if seen.facts.is_ok() {
        let owners: Vec<WorkerId> = owners.into_iter().collect();
        seen.orphans = seen.owned(broker, &owners).await?;
    }
    Ok(seen)
}
