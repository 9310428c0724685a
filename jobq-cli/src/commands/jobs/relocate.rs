//! `jobq jobs move`

use jobq::{JobId, JobState, Queue, Transfer};

use super::report::Report;
use super::search::{Found, Job, Scope};
use crate::failure::Failure;
use crate::output::counted;
use crate::session::Session;
use crate::state::State;

/// Times a job is looked for that has moved on in its queue meanwhile.
const LOOKS: u32 = 3;

/// Move jobs to another queue: ready, suspect, delayed or dead ones
///
/// A job is enqueued on the other queue first and removed from its own afterwards: what ends this
/// command in between leaves it on both, and a worker that takes it meanwhile runs it there too.
/// Pause its queue first if that must not be. A job that waits and is cancelled is cancelled there too; a
/// dead one goes as if it had never failed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<JobId>,

    /// The queue to move them to; it need not exist yet
    #[arg(long, value_name = "QUEUE")]
    to: String,

    #[command(flatten)]
    scope: Scope,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let to = session.client.queue(&args.to)?;
    let (jobs, from) = (counted(args.ids.len() as u64, "job"), args.scope.place());
    let what = format!("move {jobs} {from} to {}", to.name());
    session
        .consent
        .to_destroy(&what, &session.interrupt)
        .await?;
    let mut report = Report::begin(session)?;
    let done = all(session, args, &to, &mut report).await;
    report.end(done)
}

async fn all(
    session: &Session,
    args: &Args,
    to: &Queue,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    for &id in &args.ids {
        if report.is_over() {
            break;
        }
        match one(session, args, id, to).await {
            Ok((Transfer::Moved, from)) => {
                report.well(id, "moved", &from)?;
            }
            Ok((Transfer::Doubled, from)) => {
                let what =
                    "moved, and taken by a worker of its own queue meanwhile: it may run twice";
                report.badly(id, what, Some(&from))?;
            }
            Ok((_, from)) => report.badly(id, "moved on before it could be moved", Some(&from))?,
            Err(failure) => report.failed(id, failure)?,
        }
    }
    Ok(())
}

/// Moves one job, and says from where.
async fn one(
    session: &Session,
    args: &Args,
    id: JobId,
    to: &Queue,
) -> Result<(Transfer, String), Failure> {
    let mut looks = 1;
    loop {
        let found = args.scope.find(session, id).await?;
        let from = found.queue.name().as_str().to_owned();
        if found.queue.name() == to.name() {
            return Err(Failure::job(format!("is on queue {from} already")));
        }
        match transfer(&found, to).await? {
            Transfer::Gone if looks < LOOKS => looks += 1,
            end => return Ok((end, from)),
        }
    }
}

async fn transfer(found: &Found, to: &Queue) -> Result<Transfer, Failure> {
    let Found {
        queue,
        state,
        place,
        job,
    } = found;
    Ok(match job {
        Job::Dead(job) => queue.dead().transfer(job, to).await?,
        Job::Alive(_) if *state == State::InFlight => {
            let reason = "is running: only its worker can let go of it";
            return Err(Failure::job(reason));
        }
        Job::Alive(job) => {
            let state: JobState = (*state).into();
            queue.transfer(state, job, *place, to).await?
        }
    })
}
