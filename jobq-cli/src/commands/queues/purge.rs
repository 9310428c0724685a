//! `jobq queues purge`

use jobq::{JobState, Queue};
use serde_json::json;

use crate::consent::named;
use crate::failure::Failure;
use crate::output::{counted, counted_done};
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

    /// Of which state: ready has the suspects of crashes too; several with commas
    #[arg(long, required = true, value_name = "STATE", value_delimiter = ',',
        value_parser = State::emptied())]
    state: Vec<State>,

    /// Say how many would be removed, and remove none
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let states: Vec<JobState> = args.state.iter().map(|state| (*state).into()).collect();
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
    let jobs = format!("{} job", what.join(" and "));
    let of = named(queues.iter().map(Queue::name));
    if args.dry_run {
        let document = json!({
            "queues": names, "dry_run": true, "removed": there, "interrupted": false,
        });
        let line = format!("would remove {} of {of}", counted(there, &jobs));
        return session.out.end(&line, document, Ok(()));
    }
    let question = format!("remove {} of {of} for good", counted(there, &jobs));
    session
        .consent
        .to_destroy(&question, &session.interrupt)
        .await?;
    let mut removed = 0;
    let mut interrupted = false;
    let mut done = Ok(());
    for (queue, state) in queues
        .iter()
        .flat_map(|queue| args.state.iter().map(move |state| (queue, *state)))
    {
        interrupted = session.interrupt.is_set();
        if interrupted {
            done = Err(Failure::interrupted());
            break;
        }
        match queue.purge(state.into()).await {
            Ok(count) => removed += count,
            Err(error) => {
                let of = format!("{state} of {}: ", queue.name());
                done = Err(Failure::from(error).before(&of));
                break;
            }
        }
    }
    let done = done.map_err(|failure| failure.after(&counted_done(removed, "job", "removed")));
    let document = json!({
        "queues": names, "dry_run": false, "removed": removed, "interrupted": interrupted,
    });
    let line = format!("removed {} of {of}", counted(removed, &jobs));
    session.out.end(&line, document, done)
}

async fn count(queue: &Queue, states: &[JobState]) -> Result<u64, Failure> {
    let stats = queue.stats().await?;
    let counts = states.iter().map(|state| match state {
        JobState::Ready => stats.ready,
        // They go with ready.
        JobState::Suspect if states.contains(&JobState::Ready) => 0,
        JobState::Suspect => stats.suspects,
        JobState::Delayed => stats.delayed,
        JobState::Dead => stats.dead,
        _ => 0,
    });
    Ok(counts.sum())
}
