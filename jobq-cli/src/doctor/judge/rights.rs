//! Whether the login may do what its role does.

use std::collections::BTreeSet;

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
    let Some(missing) = &rights.missing else {
        return RIGHTS.error(
            format!("user \"{user}\" may not ask what it may do, as an {role} does"),
            Cure::redis(format!("ACL SETUSER {} +eval_ro +evalsha_ro", quoted(user))),
        );
    };
    if missing.is_empty() {
        return RIGHTS.ok(format!("user \"{user}\" may do the work of a jobq {role}"));
    }
    let mut named = missing[..missing.len().min(NAMED)].join(", ");
    if missing.len() > NAMED {
        named += &format!(" and {} more", missing.len() - NAMED);
    }
    let rules: BTreeSet<String> = missing.iter().map(|right| rule(right)).collect();
    let rules: Vec<String> = rules.into_iter().collect();
    RIGHTS.error(
        format!("user \"{user}\" may not do the work of a jobq {role}: {named}"),
        Cure::redis(format!("ACL SETUSER {} {}", quoted(user), rules.join(" "))),
    )
}

/// The rule that grants the command of a right, as a word of a shell.
fn rule(right: &str) -> String {
    let right = right.to_lowercase();
    let mut words = right.split(' ');
    let command = words.next().unwrap_or_default();
    match (command, words.next()) {
        ("client" | "memory" | "object", Some(sub)) => format!("'+{command}|{sub}'"),
        _ => format!("+{command}"),
    }
}

#[cfg(test)]
mod tests {
    use jobq::broker::Role;

    use super::*;
    use crate::doctor::finding::Level;

    fn judged(user: &str, missing: Option<&[&str]>) -> Finding {
        let missing = missing.map(|all| all.iter().map(|&one| one.to_owned()).collect());
        let role = Role::Operator;
        judge(user, &Rights { role, missing })
    }

    #[test]
    fn what_is_missing_is_named_with_the_rule_that_grants_it() {
        let finding = judged(
            "ops",
            Some(&["LRANGE jobq:{a}:dead", "OBJECT ENCODING jobq:{a}:meta"]),
        );
        assert_eq!(finding.level, Level::Error);
        assert!(
            finding
                .seen
                .contains("LRANGE jobq:{a}:dead, OBJECT ENCODING")
        );
        let cure = "ACL SETUSER ops '+object|encoding' +lrange";
        assert_eq!(finding.cure, Some(Cure::redis(cure)));
    }

    #[test]
    fn much_that_is_missing_is_counted_and_granted_once_each() {
        let missing = ["A 1", "B 1", "B 2", "C 1", "D 1", "E 1"];
        let finding = judged("it's", Some(&missing));
        assert!(finding.seen.ends_with("C 1 and 2 more"), "{}", finding.seen);
        let cure = r"ACL SETUSER 'it'\''s' +a +b +c +d +e";
        assert_eq!(finding.cure, Some(Cure::redis(cure)));
    }

    #[test]
    fn one_who_lacks_nothing_is_well_and_one_who_may_not_ask_is_not() {
        assert_eq!(judged("ops", Some(&[])).level, Level::Ok);
        assert_eq!(judged("ops", None).level, Level::Error);
    }
}
