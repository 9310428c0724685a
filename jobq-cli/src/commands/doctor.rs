//! `jobq doctor`: what is wrong, why it matters, and the cure.

use std::collections::BTreeSet;

use clap::ValueEnum;
use jobq::broker::Role;

use crate::doctor::facts::{Store, gather};
use crate::doctor::finding::{FIXABLE, Finding, Level};
use crate::doctor::fix::{Fixed, fix};
use crate::doctor::judge::judge;
use crate::doctor::report::Report;
use crate::failure::{EXIT_ERROR, EXIT_WARNING, Failure};
use crate::output::counted;
use crate::session::Session;

/// Examine Redis and the queues in it: what is wrong, why it matters, and the cure
///
/// Exits with 0 if nothing is wrong, with 3 if there is a warning, and with 4 if there is an error.
/// What this user may not know is told as unknown, and is no warning; but with --fix it exits with 77
/// where it may not look for something that it would mend, and never with 0 where it could not mend it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Do what is safe about it: begin a save or a rewrite, put back what dead workers left. It needs an
    /// administrator's login, such as jobq-admin
    #[arg(long)]
    fix: bool,

    /// Whose rights the login should have; several with commas in between
    #[arg(long, value_enum, value_delimiter = ',', default_value = "operator")]
    role: Vec<RoleFlag>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleFlag {
    /// Enqueues
    Producer,
    /// Runs jobs, and enqueues
    Worker,
    /// Looks in and intervenes
    Operator,
}

impl From<RoleFlag> for Role {
    fn from(flag: RoleFlag) -> Self {
        match flag {
            RoleFlag::Producer => Self::Producer,
            RoleFlag::Worker => Self::Worker,
            RoleFlag::Operator => Self::Operator,
        }
    }
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    if args.fix {
        session.consent.to_change("fix anything")?;
    }
    let roles: Vec<Role> = args.role.iter().copied().map(Role::from).collect();
    let mut store = look(session, &roles).await?;
    let mut findings = judge(&store);
    let mut fixed = Vec::new();
    let mut looked = Ok(());
    if args.fix && findings.iter().any(|finding| finding.fix.is_some()) {
        fixed = fix(session, &store, &findings).await;
        // What was done is told also where nobody can look again: with what was found before.
        match look(session, &roles).await {
            Ok(again) => {
                findings = judge(&again);
                store = again;
            }
            Err(failure) => {
                let what =
                    "the findings are those from before the fix, for it could not look again: ";
                looked = Err(failure.before(what));
            }
        }
    }
    let report = Report {
        broker: &session.client.broker().describe(),
        store: &store,
        findings: &findings,
        fixed: &fixed,
    };
    report.print(session.out)?;
    looked?;
    match report.worst() {
        Level::Error => Err(Failure::quiet(EXIT_ERROR)),
        Level::Warning => Err(Failure::quiet(EXIT_WARNING)),
        Level::Ok | Level::Unknown if args.fix => all_was_mended(&findings, &fixed),
        Level::Ok | Level::Unknown => Ok(()),
    }
}

/// Whether `--fix` could look for all that it mends, and mend it. The output has told the reasons.
fn all_was_mended(findings: &[Finding], fixed: &[Fixed]) -> Result<(), Failure> {
    if let Some(not_done) = fixed.iter().find(|fixed| !fixed.done) {
        return Err(Failure::quiet(not_done.code));
    }
    let unknown = findings.iter().filter(|one| one.level == Level::Unknown);
    let unseen: BTreeSet<_> = unknown.map(|one| one.id).collect();
    let unseen: Vec<_> = FIXABLE
        .into_iter()
        .filter(|id| unseen.contains(id))
        .collect();
    match unseen.is_empty() {
        true => Ok(()),
        false => Err(Failure::denied(format!(
            "this user may not look for all that --fix mends: {}; connect as an administrator, such as \
             jobq-admin",
            unseen.join(", ")
        ))),
    }
}

/// Asks all that there is to judge.
async fn look(session: &Session, roles: &[Role]) -> Result<Store, Failure> {
    let mut store = Store::default();
    let gathering = gather(&session.client, roles, &mut store);
    match session.interrupt.before(gathering).await {
        Some(gathered) => gathered.map(|()| store),
        // Half of the facts would say of the rest that it is well.
        None => Err(Failure::job(format!(
            "interrupted after {}",
            counted(store.queues.len() as u64, "queue")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Subject;

    fn code(findings: &[Finding], fixed: &[Fixed]) -> u8 {
        let mended = all_was_mended(findings, fixed);
        mended.err().map_or(0, |failure| failure.code())
    }

    #[test]
    fn what_could_not_be_mended_or_looked_for_is_never_0() {
        let unknown = |id| {
            let why = "it matters";
            Subject { id, why }.unknown("refused", "ask")
        };
        let fixed = |code| Fixed {
            id: "orphans",
            queue: None,
            done: code == 0,
            said: String::new(),
            code,
        };
        for (findings, done, expected) in [
            (vec![], vec![fixed(0)], 0),
            (vec![unknown("slow-calls")], vec![], 0),
            (vec![unknown("orphans")], vec![], 77),
            (vec![unknown("snapshot")], vec![fixed(0)], 77),
            (vec![], vec![fixed(0), fixed(1)], 1),
            (vec![unknown("orphans")], vec![fixed(69)], 69),
        ] {
            assert_eq!(code(&findings, &done), expected, "{findings:?} {done:?}");
        }
    }
}
