//! `jobq jobs cancel`

use jobq::JobId;

use super::report::Report;
use super::search::Scope;
use crate::failure::Failure;
use crate::session::Session;

/// Cancel jobs that wait: the worker that comes to one drops it
///
/// A job that is running is not stopped, but not retried either. With --queue nothing is searched:
/// the id is cancelled on that queue, whether the job is there or not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<JobId>,

    #[command(flatten)]
    scope: Scope,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let what = format!("cancel {} jobs", args.ids.len());
    session
        .consent
        .to_destroy(&what, &session.interrupt)
        .await?;
    let known = match &args.scope.queue {
        Some(name) => Some(session.known_queue(name).await?),
        None => None,
    };
    let mut report = Report::begin(session)?;
    for &id in &args.ids {
        if report.is_over() {
            break;
        }
        let queue = match &known {
            Some(queue) => queue.clone(),
            None => match args.scope.find(session, id).await {
                Ok(found) => found.queue,
                Err(failure) => {
                    report.failed(id, failure)?;
                    continue;
                }
            },
        };
        queue.cancel(id).await?;
        report.well(id, "cancelled", queue.name().as_str())?;
    }
    report.end()
}
