//! Runs jobs that two workers died with, alone.
//!
//! One tick, on the worker that is the timekeeper of a queue with suspects, so that one worker a
//! queue offers itself at a time:
//! 1. stop claiming, and have no wait under way;
//! 2. wait until no job runs, at most 60 s; then claim one suspect and wait for its end;
//! 3. not empty in time: resign as timekeeper, so that another worker tries, and work on for some
//!    minutes before the next offer;
//! 4. but if suspects have waited for 10 minutes, run one beside others.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jobq::BrokerError;
use jobq::broker::{Claim, Claimed, ReleaseTo};
use tokio::time::Instant;

use crate::component::Component;
use crate::executor::Granted;
use crate::shared::Shared;
use crate::shutdown::Phase;

/// How often it looks while there are suspects.
const LOOK: Duration = Duration::from_secs(1);

/// How long it sleeps while there are none.
const NONE: Duration = Duration::from_secs(3600);

/// How long a worker offers itself.
const OFFER: Duration = Duration::from_secs(60);

/// How long a worker works on that was not empty in time.
const REST: Duration = Duration::from_secs(240);

/// After this long without a run, a suspect need not be alone.
const STARVED: Duration = Duration::from_secs(600);

/// The loop of one worker.
#[derive(Debug)]
pub(crate) struct Suspects {
    shared: Arc<Shared>,
    /// Since when each queue has had suspects that did not run.
    since: Vec<Option<Instant>>,
    /// When it may offer itself again.
    rested: Instant,
}

impl Component for Suspects {
    const NAME: &'static str = "suspects";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        let mut wait = NONE;
        for index in 0..self.since.len() {
            let membership = &self.shared.memberships[index];
            if membership.suspects.load(Ordering::Relaxed) == 0 {
                self.since[index] = None;
                continue;
            }
            wait = LOOK;
            let since = *self.since[index].get_or_insert_with(Instant::now);
            if !membership.timekeeper.load(Ordering::Relaxed) || !self.shared.may_claim() {
                continue;
            }
            let ran = if since.elapsed() >= STARVED {
                self.run_one(index).await
            } else if Instant::now() >= self.rested {
                self.offer(index).await
            } else {
                Ok(())
            };
            match ran {
                Err(error) if !error.is_retryable() => self.refused(index, &error),
                ran => ran?,
            }
        }
        Ok(wait)
    }

    async fn wake(&mut self) {
        self.shared.suspected.notified().await;
        // Nothing hurries, and every answer tells of suspects as long as there are some.
        tokio::time::sleep(LOOK).await;
    }
}

impl Suspects {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
            since: vec![None; shared.memberships.len()],
            rested: Instant::now(),
        }
    }

    async fn offer(&mut self, index: usize) -> Result<(), BrokerError> {
        let shared = self.shared.clone();
        shared.secluded.store(true, Ordering::Release);
        let result = self.secluded(index).await;
        shared.secluded.store(false, Ordering::Release);
        (0..shared.lanes.len()).for_each(|index| shared.heat(index));
        result
    }

    async fn secluded(&mut self, index: usize) -> Result<(), BrokerError> {
        let shared = self.shared.clone();
        match shared.empty_handoffs().await {
            // What one queue does not take back waits in its handoff: it does not run.
            Err(error) if !error.is_retryable() => shared.outage.failed(Self::NAME, &error),
            emptied => emptied?,
        }
        let empty = tokio::select! {
            biased;
            () = shared.shutdown.reached(Phase::Draining) => return Ok(()),
            empty = tokio::time::timeout(OFFER, shared.slots.all_free()) => empty.is_ok(),
        };
        if !empty {
            self.rested = Instant::now() + REST;
            shared.memberships[index].resign(Instant::now());
            return Ok(());
        }
        self.run_one(index).await?;
        tokio::select! {
            biased;
            () = shared.shutdown.reached(Phase::Draining) => {}
            () = shared.slots.all_free() => {}
        }
        Ok(())
    }

    /// A damaged key, a missing right: it concerns this queue alone, whose suspects are forgotten
    /// until an answer tells of them again.
    fn refused(&self, index: usize, error: &BrokerError) {
        self.shared.outage.failed(Self::NAME, error);
        self.shared.note_suspects(index, 0, false);
    }

    async fn run_one(&mut self, index: usize) -> Result<(), BrokerError> {
        let shared = &self.shared;
        let membership = &shared.memberships[index];
        if !membership.is_trusted(Instant::now()) {
            return Ok(());
        }
        let slots = shared.slots.reserve(1);
        if slots.count() == 0 {
            return Ok(());
        }
        let (request, member) = membership.ask();
        let claim = Claim {
            member,
            max: 1,
            suspect: true,
        };
        match shared.broker().claim(&claim).await? {
            Claimed::Granted(grant) => {
                shared.note_suspects(index, grant.suspects, grant.paused);
                self.since[index] = None;
                let from = ReleaseTo::Suspects;
                let granted = Granted {
                    index,
                    request,
                    slots,
                    grant,
                    from,
                };
                granted.start(shared, &**shared.broker()).await?;
            }
            Claimed::Reaped => shared.reaped(index, &request.reaped()),
        }
        Ok(())
    }
}
