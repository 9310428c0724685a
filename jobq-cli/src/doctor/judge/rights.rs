//! Whether the login may do what its role does.

use jobq::broker::Role;

use crate::doctor::facts::Rights;
use crate::doctor::finding::{Cure, Finding, Subject, quoted};

const RIGHTS: Subject = Subject {
    id: "rights",
    why: "a step that the user may not do is refused whole, with NOPERM; \
          docs/operations/users.acl has the commands and the keys of each role",
};

/// Missing rights that one line names.
const NAMED: usize = 4;

pub(super) fn judge(user: &str, rights: &Rights) -> Finding {
    let role = rights.role.as_str();
    let grant = |rules: &str| match is_of_another_role(user, rights) {
        true => log_in(role),
        false => Cure::redis(format!("ACL SETUSER {} {rules}", quoted(user))),
    };
    let Some(missing) = &rights.missing else {
        return RIGHTS.error(
            format!(
                "user \"{user}\" may not ask what it may do, as {} does",
                with_article(role)
            ),
            grant("+eval_ro +evalsha_ro"),
        );
    };
    if missing.is_empty() {
        return RIGHTS.ok(format!("user \"{user}\" may do the work of a jobq {role}"));
    }
    let mut named = missing[..missing.len().min(NAMED)].join(", ");
    if missing.len() > NAMED {
        named += &format!(" and {} more", missing.len() - NAMED);
    }
    let instead = rights.instead.map_or(String::new(), |other| {
        format!(", but that of {}", with_article(other.as_str()))
    });
    let rules: Vec<String> = rights.rules.iter().map(|rule| word(rule)).collect();
    RIGHTS.error(
        format!("user \"{user}\" may not do the work of a jobq {role}{instead}: {named}"),
        grant(&rules.join(" ")),
    )
}

/// Whether this is the user of another role: it is not to be given more rights. Who may not ask is told
/// by the name.
fn is_of_another_role(user: &str, rights: &Rights) -> bool {
    let documented = |role: Role| user == format!("jobq-{}", role.as_str());
    let others = Role::ALL.into_iter().filter(|role| *role != rights.role);
    rights.instead.is_some() || others.into_iter().any(documented)
}

fn log_in(role: &str) -> Cure {
    Cure::advice(format!(
        "log in as {}, such as jobq-{role} (JOBQ_USERNAME, JOBQ_PASSWORD); docs/operations/users.acl has \
         the line that makes this user",
        with_article(role)
    ))
}

fn with_article(role: &str) -> String {
    let article = if role.starts_with('o') { "an" } else { "a" };
    format!("{article} {role}")
}

/// A rule as a word of a shell: one that only grants a command is plain.
fn word(rule: &str) -> String {
    match rule.strip_prefix('+') {
        Some(command) if quoted(command) == command => rule.to_owned(),
        _ => quoted(rule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    fn rights(missing: Option<&[&str]>, rules: &[&str]) -> Rights {
        let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        Rights {
            role: Role::Operator,
            missing: missing.map(owned),
            rules: owned(rules),
            instead: None,
        }
    }

    #[test]
    fn what_is_missing_is_named_with_the_rules_that_grant_it() {
        let missing = ["LRANGE jobq:{a}:dead", "OBJECT ENCODING jobq:{a}:meta"];
        let rules = ["+lrange", "+object|encoding", "~jobq:{*}:dead"];
        let finding = judge("ops", &rights(Some(&missing), &rules));
        assert_eq!(finding.level, Level::Error);
        assert!(
            finding
                .seen
                .contains("LRANGE jobq:{a}:dead, OBJECT ENCODING")
        );
        let cure = "ACL SETUSER ops +lrange '+object|encoding' '~jobq:{*}:dead'";
        assert_eq!(finding.cure, Some(Cure::redis(cure)));
    }

    #[test]
    fn much_that_is_missing_is_counted() {
        let missing = ["A 1", "B 1", "B 2", "C 1", "D 1", "E 1"];
        let finding = judge("it's", &rights(Some(&missing), &["+a"]));
        assert!(finding.seen.ends_with("C 1 and 2 more"), "{}", finding.seen);
        let cure = r"ACL SETUSER 'it'\''s' +a";
        assert_eq!(finding.cure, Some(Cure::redis(cure)));
    }

    #[test]
    fn the_user_of_another_role_is_not_widened() {
        let lacks = || rights(Some(&["A 1"]), &["+a"]);
        let works = Rights {
            instead: Some(Role::Worker),
            ..lacks()
        };
        for (user, rights, is_other) in [
            ("app", works, true),
            ("jobq-worker", lacks(), true),
            ("jobq-producer", rights(None, &[]), true),
            ("jobq-operator", lacks(), false),
            ("app", rights(None, &[]), false),
        ] {
            let finding = judge(user, &rights);
            let is_login = finding.cure == Some(log_in("operator"));
            assert_eq!(is_login, is_other, "{user} {rights:?} {finding:?}");
        }
    }

    #[test]
    fn a_role_has_its_article() {
        let articles = Role::ALL.map(|role| with_article(role.as_str()));
        assert_eq!(articles, ["a producer", "a worker", "an operator"]);
    }

    #[test]
    fn one_who_lacks_nothing_is_well_and_one_who_may_not_ask_is_not() {
        assert_eq!(judge("ops", &rights(Some(&[]), &[])).level, Level::Ok);
        assert_eq!(judge("ops", &rights(None, &[])).level, Level::Error);
    }
}
