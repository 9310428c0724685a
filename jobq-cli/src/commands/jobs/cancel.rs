//! `jobq jobs cancel`

use jobq::{JobId, Queue};

use super::report::Report;
use super::search::{Found, Scope};
use crate::failure::Failure;
use crate::output::counted;
use crate::session::Session;
use crate::state::State;

/// Cancel jobs that wait: the worker that comes to one drops it
///
/// A job that is running is not stopped, but not retried either. One that is dead is left alone. With
/// --queue nothing is searched: the id is cancelled on that queue, whether the job is there or not,
/// and in whatever state.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<JobId>,

    #[command(flatten)]
    scope: Scope,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let what = format!(
        "cancel {} {}",
        counted(args.ids.len() as u64, "job"),
        args.scope.place()
    );
    session
        .consent
        .to_destroy(&what, &session.interrupt)
        .await?;
    let known = match &args.scope.queue {
        Some(name) => Some(session.known_queue(name).await?),
        None => None,
    };
    let mut report = Report::begin(session)?;
    let done = all(session, args, known.as_ref(), &mut report).await;
    report.end(done)
}

async fn all(
    session: &Session,
    args: &Args,
    known: Option<&Queue>,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    for &id in &args.ids {
        if report.is_over() {
            break;
        }
        let (queue, what) = match known {
            Some(queue) => (queue.clone(), "cancelled"),
            None => match args.scope.find(session, id).await {
                Ok(Found {
                    queue,
                    state: State::Dead,
                    ..
                }) => {
                    let what = "is dead already: nothing was done";
                    report.badly(id, what, Some(queue.name().as_str()))?;
                    continue;
                }
                Ok(Found {
                    queue,
                    state: State::InFlight,
                    ..
                }) => (queue, "runs on, and will not be retried"),
                Ok(found) => (found.queue, "cancelled"),
                Err(failure) => {
                    report.failed(id, failure)?;
                    continue;
                }
            },
        };
        let name = queue.name().as_str();
        match queue.cancel(id).await {
            Ok(()) => report.well(id, what, name)?,
            Err(error) => report.failed(id, Failure::from(error).before(&format!("{name}: ")))?,
        }
    }
    Ok(())
}
