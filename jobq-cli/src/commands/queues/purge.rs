//! `jobq queues purge`

use jobq::{JobState, Queue};
use serde_json::json;

use crate::failure::{EXIT_JOB, Failure};
use crate::session::Session;
use crate::state::State;

/// Remove all jobs in a state of these queues for good
///
/// Each state goes in one step. What workers have claimed runs to its end.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queues
    #[arg(value_name = "QUEUE", required = true)]
    queues: Vec<String>,

    /// Of which state: ready (suspects of crashes too), delayed, dead; several with commas
    #[arg(long, required = true, value_name = "STATE", value_delimiter = ',')]
    state: Vec<State>,

    /// Say how many would be removed, and remove none
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let states: Vec<JobState> = args.state.iter().map(|state| (*state).into()).collect();
    if states.contains(&JobState::InFlight) {
        return Err(jobq::InspectError::OwnedByWorkers.into());
    }
    if !args.dry_run {
        let what = format!("remove jobs of {}", args.queues.join(", "));
        session.consent.to_change(&what)?;
    }
    let queues = session.queues(&args.queues).await?;
    let mut there = 0;
    for queue in &queues {
        there += count(queue, &states).await?;
    }
    let names: Vec<&str> = queues.iter().map(|queue| queue.name().as_str()).collect();
    let what: Vec<String> = args.state.iter().map(ToString::to_string).collect();
    let what = format!("{} jobs of {}", what.join(" and "), names.join(", "));
    if args.dry_run {
        let document = json!({
            "queues": names, "dry_run": true, "removed": there, "interrupted": false,
        });
        let line = format!("would remove {there} {what}");
        return session.out.outcome(&line, &document);
    }
    let question = format!("remove {there} {what} for good");
    session
        .consent
        .to_destroy(&question, &session.interrupt)
        .await?;
    let mut removed = 0;
    let mut interrupted = false;
    for (queue, state) in queues
        .iter()
        .flat_map(|queue| states.iter().map(move |s| (queue, s)))
    {
        interrupted = session.interrupt.is_set();
        if interrupted {
            break;
        }
        removed += queue.purge(*state).await?;
    }
    let document = json!({
        "queues": names, "dry_run": false, "removed": removed, "interrupted": interrupted,
    });
    let end = if interrupted { "; interrupted" } else { "" };
    session
        .out
        .outcome(&format!("removed {removed} {what}{end}"), &document)?;
    match interrupted {
        true => Err(Failure::quiet(EXIT_JOB)),
        false => Ok(()),
    }
}

async fn count(queue: &Queue, states: &[JobState]) -> Result<u64, Failure> {
    let stats = queue.stats().await?;
    let counts = states.iter().map(|state| match state {
        JobState::Ready => stats.ready,
        JobState::Delayed => stats.delayed,
        JobState::Dead => stats.dead,
        _ => 0,
    });
    Ok(counts.sum())
}
