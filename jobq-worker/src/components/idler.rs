//! Waits on one queue while it has nothing.
//!
//! One tick, once the fetcher armed it:
//! 1. wait in the broker, at most half a lease: since a lease is more than two renews, a wait that
//!    began before this process froze has ended before anyone may adopt its handoff;
//! 2. if a job was handed over, have the fetcher claim it: waiting only wakes;
//! 3. if the broker lets nobody wait, have the fetcher claim every 250 ms instead.

use std::sync::Arc;
use std::time::Duration;

use jobq::BrokerError;
use jobq::WorkerId;
use jobq::broker::{Waiter, Wake};

use crate::component::Component;
use crate::shared::Shared;

/// How often a worker claims that may not wait.
const REFUSED_LOOK: Duration = Duration::from_millis(250);

/// How long the idler sleeps until it is armed.
const UNARMED: Duration = Duration::from_secs(3600);

/// The loop of one queue.
#[derive(Debug)]
pub(crate) struct Idler {
    shared: Arc<Shared>,
    index: usize,
    /// The waiting place of the worker's present id.
    waiter: Option<(WorkerId, Arc<dyn Waiter>)>,
}

impl Component for Idler {
    const NAME: &'static str = "idler";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        let shared = self.shared.clone();
        let lane = &shared.lanes[self.index];
        if !lane.is_armed() || !shared.may_claim() || shared.slots.free() == 0 {
            lane.disarm();
            return Ok(UNARMED);
        }
        let (worker, waiter) = self.waiter();
        lane.begin(worker, waiter.clone());
        // Whoever interrupts looks first at the phase and then at the lane: so look again.
        let wake = match shared.may_claim() {
            true => waiter.wait(shared.settings.lease / 2).await,
            false => Ok(Wake::TimedOut),
        };
        lane.disarm();
        lane.end();
        match wake {
            Ok(Wake::Handed) => {
                lane.set_handed();
                shared.heat(self.index);
            }
            // The fetcher arms again if the queue is still cold.
            Ok(Wake::TimedOut) => shared.work.notify_one(),
            Ok(Wake::Refused) => {
                lane.close(REFUSED_LOOK);
                shared.work.notify_one();
            }
            Err(error) => {
                // Looking does what waiting cannot.
                shared.heat(self.index);
                return Err(error);
            }
        }
        Ok(UNARMED)
    }

    async fn wake(&mut self) {
        self.shared.lanes[self.index].arming().await;
    }
}

impl Idler {
    pub(crate) fn new(shared: &Arc<Shared>, index: usize) -> Self {
        Self {
            shared: shared.clone(),
            index,
            waiter: None,
        }
    }

    fn waiter(&mut self) -> (WorkerId, Arc<dyn Waiter>) {
        let membership = &self.shared.memberships[self.index];
        let worker = membership.worker();
        match &self.waiter {
            Some((id, waiter)) if *id == worker => (worker, waiter.clone()),
            _ => {
                let waiter = self.shared.broker().waiter(&membership.queue, &worker);
                self.waiter = Some((worker.clone(), waiter.clone()));
                (worker, waiter)
            }
        }
    }
}
