//! What `ACL SETUSER` must be told so that a user may do the work of a role: the commands that it
//! lacks, and the patterns of keys, as `docs/operations/users.acl` has them.

use std::collections::BTreeSet;

use crate::broker::Role;
use crate::broker::redis::keys::glob_of;

/// The patterns of a role's keys, without the namespace.
fn patterns(role: Role) -> &'static [&'static str] {
    match role {
        Role::Producer => &["%W~queues", "%W~{*}:ready", "~{*}:delayed"],
        Role::Worker => &["%W~queues", "~workers", "~order:*", "~{*}:*"],
        Role::Operator => &[
            "~queues",
            "%R~workers",
            "~order:*",
            "%R~{*}:totals",
            "%R~{*}:reports",
            "%R~{*}:workers",
            "%R~{*}:timekeeper",
            "%R~{*}:inflight:*",
            "%R~{*}:handoff:*",
            "~{*}:suspects",
            "~{*}:delayed",
            "~{*}:ready",
            "~{*}:dead",
            "~{*}:cancelled",
            "~{*}:meta",
        ],
    }
}

/// A command that only who may use every key of the namespace may run: that one needs no pattern.
pub(super) fn with_any_key(namespace: &str) -> Vec<String> {
    ["EVALSHA", "", "1", &format!("{namespace}:")]
        .map(str::to_owned)
        .into()
}

/// The rules that give what is missing, by its place in what is needed: commands first. A command
/// that is missing with each of its keys is missing itself, and one that is had with another key lacks
/// this key. With one key only it may be either, and both are given.
pub(super) fn granting(
    role: Role,
    namespace: &str,
    needed: &[Vec<String>],
    missing: &[usize],
    has_all_keys: bool,
) -> Vec<String> {
    let rights: Vec<Right<'_>> = needed
        .iter()
        .map(|words| Right::new(words, namespace))
        .collect();
    let is_missing = |place: &usize| missing.contains(place);
    let granted = |is: &dyn Fn(&Right<'_>) -> bool| {
        let places = 0..rights.len();
        places
            .filter(|place| !is_missing(place))
            .any(|place| is(&rights[place]))
    };
    let (mut commands, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for right in missing.iter().filter_map(|place| rights.get(*place)) {
        let has_command = granted(&|other| other.command == right.command);
        if !has_command {
            commands.insert(format!("+{}", right.command));
        }
        // Of two keys it would not be known which is missing: each of them stands by itself too.
        let [key] = right.keys[..] else {
            continue;
        };
        let used = rights.iter().filter(|one| one.command == right.command);
        let with: BTreeSet<_> = used.flat_map(|one| &one.keys).collect();
        let has_key = || granted(&|other| other.keys == [key]);
        if !has_all_keys && (has_command || with.len() == 1 || !has_key()) {
            keys.extend(pattern(role, namespace, key));
        }
    }
    commands.into_iter().chain(keys).collect()
}

/// One command that is needed, as a rule has it, with its keys.
struct Right<'a> {
    command: String,
    keys: Vec<&'a str>,
}

impl<'a> Right<'a> {
    fn new(words: &'a [String], namespace: &str) -> Self {
        let command = match words {
            [command, sub, ..] if super::HAVE_PARTS.contains(&command.as_str()) => {
                format!("{command}|{sub}")
            }
            words => words.first().cloned().unwrap_or_default(),
        };
        let is_key = |word: &&str| {
            let rest = word.strip_prefix(namespace);
            rest.is_some_and(|rest| rest.starts_with(':'))
        };
        Self {
            command: command.to_lowercase(),
            keys: words.iter().map(String::as_str).filter(is_key).collect(),
        }
    }
}

/// The rule of the role that is for this key.
fn pattern(role: Role, namespace: &str, key: &str) -> Option<String> {
    let name = key.strip_prefix(namespace)?.strip_prefix(':')?;
    let name = match name.split_once('}') {
        Some((_, of_queue)) => format!("{{*}}{of_queue}"),
        None => name.to_owned(),
    };
    let matches = |glob: &str| match glob.strip_suffix('*') {
        Some(front) => name.starts_with(front),
        None => name == glob,
    };
    let all = patterns(role)
        .iter()
        .filter_map(|rule| rule.split_once('~'));
    let (kind, glob) = all.into_iter().find(|(_, glob)| matches(glob))?;
    let namespace = glob_of(namespace.as_bytes());
    let namespace = String::from_utf8_lossy(&namespace).into_owned();
    Some(format!("{kind}~{namespace}:{glob}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::redis::keys::QueueKeys;
    use crate::broker::redis::rights::needed::needed;
    use crate::id::QueueName;

    const USERS: &str = include_str!("../../../../../docs/operations/users.acl");

    #[test]
    fn the_patterns_are_those_of_the_documented_users() {
        for role in Role::ALL {
            let begins = format!("user jobq-{} ", role.as_str());
            let line = USERS.lines().find(|line| line.starts_with(&begins));
            let rules = line.expect("it is documented").split(' ');
            let keys = rules.filter_map(|rule| {
                let (kind, key) = rule.split_once("~jobq:")?;
                Some(format!("{kind}~{key}"))
            });
            assert_eq!(keys.collect::<Vec<_>>(), patterns(role));
        }
    }

    /// The rules for an operator that lacks these, each a command with its key.
    fn rules(lacks: impl Fn(&[String]) -> bool, has_all_keys: bool) -> Vec<String> {
        let keys = QueueKeys::new("n-s", &QueueName::new("mail").unwrap());
        let needed = needed(Role::Operator, "n-s", &keys);
        let places = 0..needed.len();
        let missing: Vec<usize> = places.filter(|place| lacks(&needed[*place])).collect();
        assert!(!missing.is_empty());
        granting(Role::Operator, "n-s", &needed, &missing, has_all_keys)
    }

    #[test]
    fn a_command_or_a_key_is_told_by_what_is_had() {
        let dead = "n-s:{mail}:dead".to_owned();
        let of_dead = |words: &[String]| words.contains(&dead);
        assert_eq!(rules(of_dead, false), [r"~n\-s:{*}:dead"]);
        assert_eq!(rules(|words| words[0] == "LRANGE", false), ["+lrange"]);
        let either = |words: &[String]| words[0] == "SADD";
        assert_eq!(rules(either, false), ["+sadd", r"~n\-s:queues"]);
        assert_eq!(rules(either, true), ["+sadd"]);
        let encoding = |words: &[String]| words[0] == "OBJECT";
        assert_eq!(rules(encoding, false), ["+object|encoding"]);
        let all = rules(|_| true, false);
        for rule in ["+lrange", r"%R~n\-s:{*}:inflight:*", r"~n\-s:{*}:dead"] {
            assert!(all.iter().any(|one| one == rule), "{rule}: {all:?}");
        }
    }
}
