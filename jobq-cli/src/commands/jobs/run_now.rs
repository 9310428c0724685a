//! `jobq jobs run-now`

use jobq::{JobId, Queue};

use super::report::Report;
use crate::failure::Failure;
use crate::session::Session;

/// Let delayed jobs run now, ahead of their time or of their retry
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
    session
        .consent
        .to_change(&format!("run {} jobs now", args.ids.len()))?;
    let named: Vec<String> = args.queue.iter().cloned().collect();
    let queues = session.queues(&named).await?;
    let mut report = Report::begin(session)?;
    let done = all(&mut report, &queues, args).await;
    report.end(done)
}

async fn all(report: &mut Report<'_>, queues: &[Queue], args: &Args) -> Result<(), Failure> {
    'jobs: for &id in &args.ids {
        for queue in queues {
            let name = queue.name().as_str();
            // One that looks through a million delayed jobs takes seconds.
            match report.unless_interrupted(queue.run_now(id)).await {
                None => {
                    let what = "interrupted; it may run now, or be delayed as before";
                    return report.badly(id, what, Some(name));
                }
                Some(Err(error)) => {
                    let failure = Failure::from(error).before(&format!("{name}: "));
                    return report.failed(id, failure);
                }
                Some(Ok(true)) => {
                    report.well(id, "runs now", name)?;
                    continue 'jobs;
                }
                Some(Ok(false)) => {}
            }
        }
        report.badly(id, "no delayed job has this id", args.queue.as_deref())?;
    }
    Ok(())
}
