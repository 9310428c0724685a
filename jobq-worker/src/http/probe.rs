//! Finds out whether the worker could take a job: once a second it tries, on one queue after the other,
//! with a claim that asks for none. Such a claim passes the runtime, the connection and the step that
//! the claims of jobs pass; what it changes is that what was just handed over is claimed with the next
//! one. What rights that step would need beyond, the broker is asked for.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::BrokerError;
use jobq::broker::{Claim, Claimed};
use jobq::runtime::text::{chain, escaped};
use tokio::time::{Instant, sleep, timeout};

use super::judge::Facts;
use crate::shared::Shared;

/// How often it is tried.
const EVERY: Duration = Duration::from_secs(1);

/// How long a try may take.
const WITHIN: Duration = Duration::from_secs(2);

/// How much of a reason is told.
const LONGEST: usize = 500;

/// What was found out.
#[derive(Debug)]
pub(super) struct Probes {
    pub(super) shared: Arc<Shared>,
    found: Mutex<Found>,
}

#[derive(Debug)]
struct Found {
    ticked: Instant,
    tried: Option<(Instant, Result<(), String>)>,
}

impl Probes {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
            found: Mutex::new(Found {
                ticked: Instant::now(),
                tried: None,
            }),
        }
    }

    pub(super) fn facts(&self) -> Facts {
        let (shared, found) = (&self.shared, self.found());
        let tried = found.tried.as_ref();
        Facts {
            phase: shared.shutdown.phase(),
            is_broken: shared.broken.load(Ordering::Relaxed),
            is_leaked: shared.slots.leaked() >= shared.settings.concurrency,
            ticked: found.ticked.elapsed(),
            answered: shared.heard().elapsed(),
            lease: shared.settings.lease,
            tried: tried.map(|(at, result)| (at.elapsed(), result.clone())),
        }
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries for ever.
pub(super) async fn run(probes: &Arc<Probes>) {
    for turn in 0_usize.. {
        let on_the_way = probes.clone();
        // Where the jobs run: if that stands still, this is not answered.
        let mut trying = probes.shared.runtime.spawn(async move {
            on_the_way.found().ticked = Instant::now();
            attempt(&on_the_way.shared, turn).await
        });
        let result = match timeout(WITHIN, &mut trying).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the runtime shuts down".to_owned()),
            Err(_) => {
                trying.abort();
                let seconds = WITHIN.as_secs();
                Err(format!("a claim was not answered within {seconds} s"))
            }
        };
        probes.found().tried = Some((Instant::now(), result));
        sleep(EVERY).await;
    }
}

/// Whether a job of any queue could be taken, of another one first each time; if not, why not of that.
async fn attempt(shared: &Arc<Shared>, turn: usize) -> Result<(), String> {
    let (queues, mut first) = (shared.memberships.len(), None);
    for index in (0..queues).map(|place| (turn + place) % queues) {
        match attempt_one(shared, index).await {
            Ok(()) => return Ok(()),
            Err(why) => drop(first.get_or_insert(why)),
        }
    }
    Err(escaped(&first.unwrap_or_default(), LONGEST))
}

async fn attempt_one(shared: &Arc<Shared>, index: usize) -> Result<(), String> {
    let membership = &shared.memberships[index];
    let queue = &membership.queue;
    if !membership.is_trusted(Instant::now()) {
        return Err(format!("queue {queue}: the lease may have run out"));
    }
    if shared.secluded.load(Ordering::Acquire) {
        return Err("it takes no other jobs while it runs a suspect of crashes alone".to_owned());
    }
    if shared.outbox.is_stuck(index) {
        return Err(format!(
            "queue {queue}: the broker refuses the outcomes of its jobs"
        ));
    }
    let (request, member) = membership.ask();
    let claim = Claim {
        member,
        max: 0,
        suspect: false,
    };
    let refused = |error: BrokerError| format!("queue {queue}: {}", chain(&error));
    match shared.broker().claim(&claim).await.map_err(refused)? {
        Claimed::Granted(grant) => {
            drop(request.answered(grant.counter, 0));
            if grant.paused {
                return Err(format!("queue {queue}: it is paused"));
            }
        }
        Claimed::Reaped => {
            shared.reaped(index, &request.reaped());
            return Err(format!("queue {queue}: the lease was lost"));
        }
    }
    shared.broker().check_rights(queue).await.map_err(refused)
}
