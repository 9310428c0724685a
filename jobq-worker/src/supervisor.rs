//! Starts the components of a worker, and ends them in order so that nothing is left behind.
//!
//! The end, once a shutdown has begun:
//! 1. no further claims; waits are ended, what they were handed goes back;
//! 2. running jobs may end, up to the shutdown timeout or a second signal; shortly before it is
//!    over they are asked to;
//! 3. the rest is aborted, and its end awaited;
//! 4. every outcome is settled; what could not be aborted is given back if the process ends now,
//!    and else left to adoption;
//! 5. the components stop, and the worker leaves its queues.

mod ending;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use self::ending::{ABORT_TIME, abort, drain, fall_quiet, leave, within};
use crate::component::{self, Component};
use crate::components::fetcher::Fetcher;
use crate::components::heartbeat;
use crate::components::idler::Idler;
use crate::components::reaper::Reaper;
#[cfg(any(feature = "metrics", feature = "prometheus"))]
use crate::components::surveyor::Surveyor;
use crate::components::suspects::Suspects;
use crate::components::timekeeper::Timekeeper;
use crate::error::RunError;
#[cfg(feature = "metrics")]
use crate::exposition::facade::Publisher;
#[cfg(feature = "http")]
use crate::http;
use crate::membership::Membership;
use crate::report;
use crate::shared::Shared;
use crate::shutdown::Phase;

/// What a shutdown could not end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Jobs that run on: blocking ones, and handlers that never yield. Unless the process ends,
    /// other workers take them over once the lease has run out; but for blocking ones beyond their
    /// timeout, which had been counted as failed.
    pub abandoned: usize,
}

/// What becomes of jobs that cannot be aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// They are left to adoption: they run on.
    Leave,
    /// They are given back: the process is about to exit.
    GiveBack,
}

/// How long the last reports may take of the time that the end has.
const LAST_REPORT: Duration = Duration::from_millis(500);

/// Ends what runs beside [`supervise`] once that is over: also where it failed, or is dropped before its
/// end. Then nobody is left to settle, so no job may go on either.
struct EndsOnDrop(Arc<Shared>);

impl Drop for EndsOnDrop {
    fn drop(&mut self) {
        let shared = self.0.clone();
        if shared.shutdown.phase() < Phase::Stopped {
            shared.shutdown.advance(Phase::Stopped);
            shared.memberships.iter().for_each(Membership::abort_all);
            // Also what a claim starts whose answer is being read in this moment.
            let runtime = shared.runtime.clone();
            runtime.spawn(async move { tokio::time::timeout(ABORT_TIME, abort(&shared)).await });
        }
    }
}

/// Runs a worker from its start to its end. Dropped before that, it ends at once, as if it was killed.
pub(crate) async fn supervise(
    shared: Arc<Shared>,
    leftovers: Leftovers,
) -> Result<ShutdownReport, RunError> {
    let _ended = EndsOnDrop(shared.clone());
    crate::executor::install_hook();
    announce(&shared);
    #[cfg(feature = "http")]
    let served = match shared.settings.http {
        Some(address) => Some(http::start(&shared, address)?),
        None => None,
    };
    let pulse = heartbeat::start(&shared)?;
    let mut components = start(&shared);
    shared.shutdown.reached(Phase::Quiet).await;
    fall_quiet(&shared).await;
    shared.shutdown.reached(Phase::Draining).await;
    let (report, deadline) = drain(&shared, leftovers).await;
    shared.shutdown.advance(Phase::Stopped);
    while let Some(ended) = components.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a component panicked");
        }
    }
    pulse.ended().await;
    #[cfg(feature = "http")]
    if let Some(served) = served {
        served.ended().await;
    }
    within(deadline, async {
        // First, for of one who has left nobody takes them; but others wait for its place.
        let _ = tokio::time::timeout(LAST_REPORT, report::tell_the_rest(&shared)).await;
        leave(&shared).await;
        report::sign_off(&shared).await;
    })
    .await;
    let stats = shared.stats();
    tracing::info!(
        done = stats.done,
        retried = stats.retried,
        dead = stats.dead,
        discarded = stats.discarded,
        cancelled = stats.cancelled,
        released = stats.released,
        adopted = stats.adopted,
        stale = stats.stale,
        abandoned = report.abandoned,
        "worker stopped"
    );
    Ok(report)
}

fn announce(shared: &Arc<Shared>) {
    let jobs: Vec<_> = shared.registry.names().into_iter().collect();
    let settings = &shared.settings;
    // The same on all queues, until it is lost on one: by it others speak of this worker.
    let worker = shared.memberships.first().map(Membership::worker);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        broker = shared.broker().describe(),
        jobs = jobs.join(" "),
        queues = settings.queues_text(),
        strict = settings.strict.then_some(true),
        concurrency = settings.concurrency,
        worker = worker.map(tracing::field::display),
        "worker started"
    );
    if let Some(doubts) = shared.registry.doubts(settings.queue_names()) {
        tracing::warn!("{doubts}");
    }
    let shared = shared.clone();
    tokio::spawn(async move {
        for membership in &shared.memberships {
            // No job: it lists the queue, which producers in other languages need not do. Only
            // people look there, so the worker does not wait for it.
            let _ = shared.broker().enqueue(&membership.queue, &[]).await;
        }
        match shared.broker().warnings().await {
            Ok(warnings) => warnings
                .iter()
                .for_each(|warning| tracing::warn!("{warning}")),
            Err(error) => tracing::debug!(%error, "could not check the broker's settings"),
        }
    });
}

fn start(shared: &Arc<Shared>) -> JoinSet<()> {
    let mut components = JoinSet::new();
    components.spawn(fetch(shared.clone()));
    run(&mut components, shared, Reaper::new(shared));
    run(&mut components, shared, Suspects::new(shared));
    #[cfg(any(feature = "metrics", feature = "prometheus"))]
    run(&mut components, shared, Surveyor::new(shared));
    #[cfg(feature = "metrics")]
    run(&mut components, shared, Publisher::new(shared));
    for index in 0..shared.memberships.len() {
        run(&mut components, shared, Idler::new(shared, index));
        run(&mut components, shared, Timekeeper::new(shared, index));
    }
    components
}

fn run<C: Component + 'static>(components: &mut JoinSet<()>, shared: &Arc<Shared>, component: C) {
    components.spawn(component::run(component, shared.clone()));
}

/// Runs a fetcher on each command connection: the client's own, and further ones as they come.
async fn fetch(shared: Arc<Shared>) {
    let mut fetchers = JoinSet::new();
    let own = shared.broker().clone();
    let fetcher = Fetcher::new(shared.clone(), own);
    run(&mut fetchers, &shared, fetcher);
    for _ in 1..shared.settings.connections {
        let Some(broker) = component::connect(&shared, Fetcher::NAME).await else {
            break;
        };
        let fetcher = Fetcher::new(shared.clone(), broker);
        run(&mut fetchers, &shared, fetcher);
    }
    fetchers.join_all().await;
}
