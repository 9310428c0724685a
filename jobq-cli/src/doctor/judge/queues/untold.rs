//! What of the queues is not known: a line for each reason, with what would help.

use std::collections::BTreeMap;

use crate::doctor::facts::{Store, Untold};
use crate::doctor::finding::{Finding, Subject};

/// What has to be done that more is known of the queues.
pub(super) const TELL: &str = "connect as an operator: docs/operations/users.acl";

/// The same where a key is damaged: that is a finding of its own.
pub(super) const MEND: &str =
    "put the damaged key aside first, as the finding `keys` says, and look again";

/// What is not known that one line names.
const NAMED: usize = 4;

/// What is not known, each with the reason.
pub(super) type NotKnown = for<'a> fn(&'a Store) -> Vec<(&'a str, &'a Untold)>;

pub(super) fn all_keys_untold(store: &Store) -> Vec<(&str, &Untold)> {
    let namespace = store.refused.namespace.as_ref();
    let namespace = namespace.map(|why| ("the keys of no queue", why));
    namespace.into_iter().chain(keys_untold(store)).collect()
}

pub(super) fn keys_untold(store: &Store) -> Vec<(&str, &Untold)> {
    let names = store.refused.names.as_ref();
    let names = names.map(|why| ("which queues there are", why));
    names.into_iter().chain(facts_untold(store)).collect()
}

pub(super) fn workers_untold(store: &Store) -> Vec<(&str, &Untold)> {
    keys_untold(store)
        .into_iter()
        .chain(lives_untold(store))
        .collect()
}

pub(super) fn orphans_untold(store: &Store) -> Vec<(&str, &Untold)> {
    let owners = store
        .refused
        .owners
        .as_ref()
        .map(|why| ("who owns jobs", why));
    let refused = store.queues.iter().filter_map(|queue| {
        let why = queue.refused.as_ref()?;
        Some((queue.name.as_str(), why))
    });
    let all = owners.into_iter().chain(facts_untold(store)).chain(refused);
    all.chain(lives_untold(store)).collect()
}

fn facts_untold(store: &Store) -> impl Iterator<Item = (&str, &Untold)> {
    store.queues.iter().filter_map(|queue| {
        let why = queue.facts.as_ref().err()?;
        Some((queue.name.as_str(), why))
    })
}

fn lives_untold(store: &Store) -> Option<(&str, &Untold)> {
    let workers = store.refused.workers.as_ref();
    workers.map(|why| ("which workers live", why))
}

/// A line for each right that is missing, and for each key that is damaged.
pub(super) fn unknown(subject: Subject, untold: Vec<(&str, &Untold)>) -> Vec<Finding> {
    let mut by_right = BTreeMap::<_, Vec<_>>::new();
    for (what, why) in untold {
        by_right.entry(why).or_default().push(what);
    }
    let findings = by_right.into_iter().map(|(why, what)| {
        let mut named = what[..what.len().min(NAMED)].join(", ");
        if what.len() > NAMED {
            named += &format!(" and {} more", what.len() - NAMED);
        }
        let cure = match why {
            Untold::Denied(_) => TELL,
            Untold::Damaged(_) => MEND,
        };
        subject.unknown(&format!("{named}: {}", why.said()), cure)
    });
    findings.collect()
}
