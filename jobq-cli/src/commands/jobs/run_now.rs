//! `jobq jobs run-now`

use jobq::JobId;

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
    'jobs: for &id in &args.ids {
        for queue in &queues {
            if report.is_over() {
                break 'jobs;
            }
            if queue.run_now(id).await? {
                report.well(id, "runs now", queue.name().as_str())?;
                continue 'jobs;
            }
        }
        report.badly(id, "no delayed job has this id", args.queue.as_deref())?;
    }
    report.end()
}
