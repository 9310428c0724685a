//! `jobq jobs run-now`

use jobq::{JobId, Queue};

use super::report::Report;
use crate::damage::Damage;
use crate::failure::Failure;
use crate::output::counted;
use crate::session::Session;

/// Let delayed jobs run now, ahead of their time or of their retry
///
/// One that was cancelled is then no longer cancelled: it runs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<JobId>,

    /// The queue they are on; all are searched unless named
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    session.consent.to_change(&format!(
        "run {} now",
        counted(args.ids.len() as u64, "job")
    ))?;
    let named: Vec<String> = args.queue.iter().cloned().collect();
    let queues = session.queues(&named).await?;
    let mut report = Report::begin(session)?;
    let done = all(session, &mut report, &queues, args).await;
    report.end(done)
}

async fn all(
    session: &Session,
    report: &mut Report<'_>,
    queues: &[Queue],
    args: &Args,
) -> Result<(), Failure> {
    'jobs: for &id in &args.ids {
        let mut damage = Damage::default();
        for queue in queues {
            let name = queue.name().as_str();
            // One that looks through a million delayed jobs takes seconds.
            let Some(done) = report.unless_interrupted(run_now(session, queue, id)).await else {
                let what = "interrupted; it may run now, or be delayed as before";
                return report.badly(id, what, Some(name));
            };
            match damage.pass(queue, done) {
                Err(failure) => return report.failed(id, failure.before(&format!("{name}: "))),
                Ok(Some(Some(what))) => {
                    report.well(id, what, name)?;
                    continue 'jobs;
                }
                Ok(Some(None) | None) => {}
            }
        }
        let reason = "no delayed job has this id";
        match damage.end() {
            Ok(()) => report.badly(id, reason, args.queue.as_deref())?,
            Err(unread) => report.failed(id, unread.before(&format!("{reason}; ")))?,
        }
    }
    Ok(())
}

/// Lets the job run, if it is delayed on this queue, and says what that came to.
async fn run_now(
    session: &Session,
    queue: &Queue,
    id: JobId,
) -> Result<Option<&'static str>, Failure> {
    // Asked before: once it is ordered to run it is cancelled no more.
    let broker = session.client.broker();
    let cancelled = broker.cancelled(queue.name(), &[id]).await?;
    let done = queue.run_now(id).await?;
    Ok(done.then(|| match cancelled.contains(&true) {
        true => "runs now, and is no longer cancelled",
        false => "runs now",
    }))
}
