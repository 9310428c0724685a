//! Does what may be done without asking anyone: nothing that loses a job, or takes one from a worker
//! that lives.

use jobq::QueueName;
use jobq::broker::Upkeep;

use super::facts::Store;
use super::finding::{Finding, Fix};
use super::sweep::sweep;
use crate::failure::Failure;
use crate::output::age;
use crate::session::Session;

/// What was done about a finding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// The finding.
    pub(crate) id: &'static str,
    /// Its queue, if it has one.
    pub(crate) queue: Option<String>,
    /// Whether it was done.
    pub(crate) done: bool,
    /// What was done, or what kept it from being done.
    pub(crate) said: String,
}

/// Tries all that can be fixed; one that cannot keeps the others from nothing. Ends early only where
/// the server is gone.
pub(crate) async fn fix(
    session: &Session,
    store: &Store,
    findings: &[Finding],
) -> Result<Vec<Fixed>, Failure> {
    let mut all = Vec::new();
    for finding in findings {
        let Some(fix) = &finding.fix else {
            continue;
        };
        if session.interrupt.is_set() {
            break;
        }
        let done = match fix {
            Fix::Begin(upkeep) => begin(session, *upkeep).await,
            Fix::Sweep => sweep_queue(session, store, finding).await,
        };
        let (done, said) = match done {
            Ok(said) => (true, said),
            Err(failure) if failure.is_unavailable() => return Err(failure),
            Err(failure) => (false, failure.to_string()),
        };
        all.push(Fixed {
            id: finding.id,
            queue: finding.queue.clone(),
            done,
            said,
        });
    }
    Ok(all)
}

async fn begin(session: &Session, upkeep: Upkeep) -> Result<String, Failure> {
    let what = match upkeep {
        Upkeep::Save => "a snapshot",
        _ => "a rewrite of the append-only file",
    };
    match session.client.broker().begin(upkeep).await? {
        true => Ok(format!("{what} has begun")),
        false => Ok(format!("{what} was under way already")),
    }
}

async fn sweep_queue(
    session: &Session,
    store: &Store,
    finding: &Finding,
) -> Result<String, Failure> {
    let queue = finding.queue.as_deref().unwrap_or_default();
    let name = QueueName::new(queue)?;
    let seen = store.queues.iter().filter(|seen| seen.name == name);
    let strangers: Vec<_> = seen
        .flat_map(|seen| &seen.orphans)
        .map(|owned| owned.worker.clone())
        .collect();
    let began = tokio::time::Instant::now();
    let broker = &**session.client.broker();
    let swept = sweep(broker, &name, strangers, &session.interrupt).await?;
    let said = format!(
        "jobs put back: {}, of dead workers: {}, after watching them for {}",
        swept.jobs,
        swept.workers,
        age(began.elapsed())
    );
    match swept.interrupted {
        true => Err(Failure::job(format!("interrupted; {said}"))),
        false => Ok(said),
    }
}
