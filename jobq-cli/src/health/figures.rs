//! What health is judged by: a question for each queue, or two, and one for the server.

use std::time::Duration;

use jobq::broker::{Broker, ServerFacts};
use jobq::{Queue, QueueStats, Totals};
use tokio::time::sleep;

use crate::damage::readable;
use crate::failure::Failure;
use crate::heard::Heard;
use crate::session::Session;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) server: ServerFacts,
    pub(crate) queues: Vec<QueueFigures>,
    /// Queues of which nothing can be read, each with the reason.
    pub(crate) unreadable: Vec<(String, String)>,
    /// Why nothing can be read of the workers, if it is so.
    pub(crate) workers_unreadable: Option<String>,
}

impl Figures {
    /// What was seen of the queue at a second look, in place of the first.
    fn update(&mut self, again: QueueFigures) {
        let first = self.queues.iter_mut().find(|seen| seen.name == again.name);
        if let Some(first) = first {
            *first = again;
        }
    }
}

/// What of a queue has a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct QueueFigures {
    pub(crate) name: String,
    pub(crate) ready: u64,
    pub(crate) delayed: u64,
    pub(crate) in_flight: u64,
    pub(crate) dead: u64,
    pub(crate) paused: bool,
    /// Its workers that take jobs; `None` if nothing can be read of them.
    pub(crate) workers: Option<u64>,
    pub(crate) oldest_ready: Option<Duration>,
    /// What runs came to while it was looked at, if it was looked at twice.
    pub(crate) runs: Option<Runs>,
}

/// What runs came to: those that failed with the jobs that died without one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) done: u64,
    pub(crate) failed: u64,
}

impl Runs {
    fn new(totals: Totals) -> Self {
        Self {
            done: totals.done,
            failed: totals.failures(),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            done: self.done.saturating_sub(before.done),
            failed: self.failed.saturating_sub(before.failed),
        }
    }

    /// The share of those that failed, if there were any.
    pub(crate) fn failure_rate(self) -> Option<f64> {
        let all = self.done + self.failed;
        (all > 0).then(|| self.failed as f64 / all as f64)
    }
}

impl QueueFigures {
    fn new(name: &str, stats: &QueueStats, workers: Option<u64>) -> Self {
        Self {
            name: name.to_owned(),
            ready: stats.ready,
            delayed: stats.delayed,
            in_flight: stats.in_flight,
            dead: stats.dead,
            paused: stats.paused,
            workers,
            oldest_ready: stats.oldest_ready_age,
            runs: None,
        }
    }
}

/// Looks at these queues, or at all, and notes what it has seen until it failed or was dropped. To know how many
/// runs fail it takes a second look after `over`.
pub(crate) async fn look(
    session: &Session,
    queues: &[String],
    over: Option<Duration>,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let broker = &**session.client.broker();
    figures.server = broker.examine().await?.unwrap_or_default();
    let heard = Heard::ask(&session.client).await?;
    figures.workers_unreadable = heard.damage();
    let queues = session.queues(queues).await?;
    let mut before = Vec::with_capacity(queues.len());
    for queue in queues {
        let name = queue.name().as_str();
        match readable(ask(broker, &heard, &queue).await)? {
            Ok((stats, workers)) => {
                let seen = QueueFigures::new(name, &stats, workers);
                figures.queues.push(seen);
                before.push((queue, Runs::new(stats.totals)));
            }
            Err(why) => figures.unreadable.push((name.to_owned(), why)),
        }
    }
    let Some(over) = over else {
        return Ok(());
    };
    sleep(over).await;
    // Workers come and go meanwhile, and keys are damaged.
    let heard = Heard::ask(&session.client).await?;
    figures.workers_unreadable = heard.damage();
    for (queue, before) in before {
        let name = queue.name().as_str();
        match readable(ask(broker, &heard, &queue).await)? {
            Ok((stats, workers)) => figures.update(QueueFigures {
                runs: Some(Runs::new(stats.totals).since(before)),
                ..QueueFigures::new(name, &stats, workers)
            }),
            Err(why) => {
                figures.queues.retain(|seen| seen.name != name);
                figures.unreadable.push((name.to_owned(), why));
            }
        }
    }
    Ok(())
}

async fn ask(
    broker: &dyn Broker,
    heard: &Heard,
    queue: &Queue,
) -> Result<(QueueStats, Option<u64>), Failure> {
    let workers = heard.working(broker, queue.name()).await?;
    Ok((queue.stats().await?, workers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failure_rate_is_that_of_the_runs_in_between() {
        let runs = |done, failed| Runs { done, failed };
        for (before, after, rate) in [
            (runs(7, 7), runs(7, 7), None),
            (runs(0, 9), runs(3, 10), Some(0.25)),
            (runs(0, 0), runs(0, 2), Some(1.0)),
            // Purged in between.
            (runs(9, 9), runs(1, 0), None),
        ] {
            assert_eq!(
                after.since(before).failure_rate(),
                rate,
                "{before:?} {after:?}"
            );
        }
    }
}
