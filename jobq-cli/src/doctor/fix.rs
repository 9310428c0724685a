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
    /// What to exit with for it, where nothing worse was found.
    pub(crate) code: u8,
}

/// Workers that were passed over which one line names.
const NAMED: usize = 4;

/// Tries all that can be fixed; one that cannot keeps the others from nothing, unless the server is
/// away or refuses every change: then the others are not tried. Whatever happens, it is told.
pub(crate) async fn fix(session: &Session, store: &Store, findings: &[Finding]) -> Vec<Fixed> {
    let mut all = Vec::new();
    let mut over = None;
    for finding in findings {
        let Some(fix) = &finding.fix else {
            continue;
        };
        if session.interrupt.is_set() {
            over = Some("interrupted");
        }
        let done = match (over, fix) {
            (Some(why), _) => Err(Failure::job(format!("not tried: {why}"))),
            (None, Fix::Begin(upkeep)) => begin(session, *upkeep).await,
            (None, Fix::Sweep) => sweep_queue(session, store, finding).await,
        };
        if done.as_ref().is_err_and(Failure::is_unavailable) {
            over = Some("Redis was away before, or refused to change anything");
        }
        let (done, said, code) = match done {
            Ok(said) => (true, said, 0),
            Err(failure) => (false, failure.to_string(), failure.code()),
        };
        all.push(Fixed {
            id: finding.id,
            queue: finding.queue.clone(),
            done,
            said,
            code,
        });
    }
    all
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
    let (swept, done) = sweep(broker, &name, strangers, &session.interrupt).await;
    let said = format!(
        "jobs put back: {}, of dead workers: {}, after watching them for {}",
        swept.jobs,
        swept.workers,
        age(began.elapsed())
    );
    done.map_err(|failure| failure.after(&said))?;
    let mut passed_over = swept.passed_over;
    let more = passed_over.len().saturating_sub(NAMED);
    passed_over.truncate(NAMED);
    let passed_over = passed_over.join("; ");
    match (swept.interrupted, passed_over.is_empty(), more) {
        (true, ..) => Err(Failure::job(format!("interrupted; {said}"))),
        (false, true, _) => Ok(said),
        (false, false, 0) => Err(Failure::job(format!("{said}; passed over: {passed_over}"))),
        (false, false, more) => Err(Failure::job(format!(
            "{said}; passed over: {passed_over}; and {more} more"
        ))),
    }
}
