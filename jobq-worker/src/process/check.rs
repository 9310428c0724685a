//! `--check`: says of everything a worker needs whether it is there, a line each. No job is taken,
//! and no queue is joined. A worker that starts asks the same about its rights.

use std::io::Write as _;

use jobq::runtime::text::{chain, plain};
use jobq::{BrokerError, BrokerErrorKind};

use super::failure::Failure;
use crate::worker::Worker;

/// Checks a worker that is connected and built.
pub(super) async fn check(worker: &Worker) -> Result<(), Failure> {
    let (settings, registry) = (&worker.settings, &worker.registry);
    let broker = worker.client.broker();
    say("ok", &format!("connected to {}", broker.describe()));
    let names: Vec<_> = registry.names().into_iter().collect();
    say("ok", &format!("jobs: {}", names.join(" ")));
    let order = if settings.strict {
        ", in this order"
    } else {
        ""
    };
    say("ok", &format!("queues: {}{order}", settings.queues_text()));
    say(
        "ok",
        &format!(
            "settings: concurrency {}, connections {}, shutdown_timeout {}, lease {}, renew_every {}",
            settings.concurrency,
            settings.connections,
            plain(settings.shutdown_timeout),
            plain(settings.lease),
            plain(settings.renew_every)
        ),
    );
    let probed = probe(worker).await;
    probed.map_err(|error| Failure::rights(&error))?;
    say("ok", "rights: all that a worker does on its queues");
    warn(worker).await;
    Ok(())
}

/// Says what a worker would warn about.
async fn warn(worker: &Worker) {
    let (settings, registry) = (&worker.settings, &worker.registry);
    let broker = worker.client.broker();
    match broker.warnings().await {
        Ok(warnings) => warnings.iter().for_each(|one| say("warning", one)),
        Err(error) => {
            let error = chain(&error);
            say(
                "warning",
                &format!("the broker's settings are not to be seen: {error}"),
            );
        }
    }
    for queue in settings.queues.iter().map(|queue| &queue.queue) {
        // Who may not see it is told by the worker's log.
        if broker.stats(queue).await.is_ok_and(|stats| stats.paused) {
            let paused = "is paused: none of its jobs starts until somebody resumes it";
            say("warning", &format!("queue \"{queue}\" {paused}"));
        }
    }
    if let Some(doubts) = registry.doubts(settings.queue_names()) {
        say("warning", &doubts);
    }
}

/// Whether a worker that is about to start may do what it has to. Whatever else is refused may be
/// mended, or concern one queue of many: it works, and says so.
pub(super) async fn rights(worker: &Worker) -> Result<(), Failure> {
    match probe(worker).await {
        Err(error) if error.kind() == BrokerErrorKind::Forbidden => Err(Failure::rights(&error)),
        _ => Ok(()),
    }
}

/// Asks whether the login may do what a worker does.
async fn probe(worker: &Worker) -> Result<(), BrokerError> {
    for queue in worker.settings.queues.iter().map(|queue| &queue.queue) {
        worker.client.broker().check_rights(queue).await?;
    }
    Ok(())
}

pub(super) fn say(how: &str, what: &str) {
    // The reader has gone: the exit code still tells.
    let _ = writeln!(std::io::stdout(), "{how}: {what}");
}
