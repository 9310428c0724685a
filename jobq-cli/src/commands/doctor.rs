//! `jobq doctor`: what is wrong, why it matters, and the cure.

use clap::ValueEnum;
use jobq::broker::Role;

use crate::doctor::facts::{Store, gather};
use crate::doctor::finding::Level;
use crate::doctor::fix::fix;
use crate::doctor::judge::judge;
use crate::doctor::report::Report;
use crate::failure::{EXIT_ERROR, EXIT_WARNING, Failure};
use crate::session::Session;

/// Examine Redis and the queues in it: what is wrong, why it matters, and the cure
///
/// Exits with 0 if nothing is wrong, with 3 if there is a warning, and with 4 if there is an error.
/// What this user may not know is told as unknown, and is no warning.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Do what is safe about it: begin a save or a rewrite, put back what dead workers left
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
        Level::Ok | Level::Unknown => Ok(()),
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
            "interrupted after {} queues",
            store.queues.len()
        ))),
    }
}
