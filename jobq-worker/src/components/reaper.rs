//! Takes over what dead workers held, and finds what was left anywhere.
//!
//! One tick:
//! 1. look at every queue's members; one whose counter stood still for a whole lease, by answered
//!    looks, is adopted;
//! 2. take over the remains of ids this worker itself had before it was reaped;
//! 3. one step of the sweep: in-flight records whose owner has been no member for a whole lease;
//! 4. reconcile: what the broker has under this worker's tokens and nobody here holds is released.

mod reconcile;
mod strangers;
mod take_over;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jobq::broker::Renewed;
use jobq::{BrokerError, WorkerId};
use tokio::time::Instant;

use crate::component::Component;
use crate::shared::Shared;
use strangers::Strangers;
use take_over::Cause;
use watch::{Pace, Still, Watch};

/// How often it looks.
const PACE: Pace = Pace {
    looks: 5,
    longest: Duration::from_secs(1),
};

/// The same in this process, where hours of virtual time pass by looks.
const PACE_IN_PROCESS: Pace = Pace {
    looks: 2,
    longest: Duration::MAX,
};

/// The loop of one worker.
#[derive(Debug)]
pub(crate) struct Reaper {
    shared: Arc<Shared>,
    watches: Vec<Watch>,
    /// The queue whose sweep is under way, and its cursor.
    sweep: (usize, u64),
    /// By queue.
    strangers: Vec<Strangers>,
    reconciled: Instant,
}

impl Component for Reaper {
    const NAME: &'static str = "reaper";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        // A damaged key of one queue keeps nobody from looking after the others.
        let mut failure = None;
        for (index, dead) in self.look().await.into_iter().enumerate() {
            failure = self.adopt_dead(index, dead).await.err().or(failure);
            failure = self.own(index).await.err().or(failure);
        }
        failure = self.sweep().await.err().or(failure);
        failure = self.reconcile().await.err().or(failure);
        if let Some(error) = failure {
            if error.is_retryable() {
                return Err(error);
            }
            // No backoff: who is looked at too seldom is never found dead.
            self.shared.outage.refused(Self::NAME, &error);
        }
        Ok(self.next_look())
    }
}

impl Reaper {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let (lease, renew_every) = (shared.settings.lease, shared.settings.renew_every);
        let pace = match shared.broker().is_in_process() {
            true => PACE_IN_PROCESS,
            false => PACE,
        };
        let watches = shared
            .memberships
            .iter()
            .map(|_| Watch::new(lease, renew_every, pace));
        Self {
            shared: shared.clone(),
            watches: watches.collect(),
            sweep: (0, 0),
            strangers: shared
                .memberships
                .iter()
                .map(|_| Strangers::new(lease))
                .collect(),
            reconciled: Instant::now(),
        }
    }

    /// Looks at all queues at once, or many of them would take longer than two looks may lie
    /// apart. Answers by queue who stood still.
    async fn look(&mut self) -> Vec<Result<Vec<Still>, BrokerError>> {
        let shared = self.shared.clone();
        let looks = self.watches.iter_mut().enumerate();
        join_all(looks.map(async |(index, watch)| {
            let membership = &shared.memberships[index];
            if watch.is_hurried()
                && let Err(error) = prove(&shared, index).await
            {
                // The store takes no writes: others renew in vain too.
                watch.restart();
                return Err(error);
            }
            let asked = Instant::now();
            let members = shared.broker().members(&membership.queue).await?;
            Ok(watch.observe(&membership.worker(), asked, Instant::now(), &members))
        }))
        .await
    }

    /// How long until the next look at the latest, for the sake of the shortest lease seen.
    fn next_look(&self) -> Duration {
        let looks = self.watches.iter().map(Watch::next_look);
        looks.min().unwrap_or(PACE.longest)
    }

    async fn adopt_dead(
        &mut self,
        index: usize,
        dead: Result<Vec<Still>, BrokerError>,
    ) -> Result<(), BrokerError> {
        let dead = dead?.into_iter();
        let targets = dead.map(|(worker, counter)| (worker, Some(counter)));
        let result = self.adopt_each(index, targets).await;
        if result.is_err() {
            // Who may not adopt now cannot tell who may not renew: all get a whole lease again.
            self.watches[index].restart();
        }
        result
    }

    /// Adopts one after the other: one with damaged keys keeps nobody from the others.
    async fn adopt_each(
        &self,
        index: usize,
        targets: impl Iterator<Item = (WorkerId, Option<u64>)>,
    ) -> Result<(), BrokerError> {
        let mut result = Ok(());
        for (worker, seen) in targets {
            // Whatever this worker left itself, nobody died with it.
            let own = self.shared.memberships[index].former().contains(&worker);
            let cause = if own { Cause::Own } else { Cause::Crash };
            match self.adopt(index, &worker, seen, cause).await {
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => result = Err(error),
                Ok(_) => {}
            }
        }
        result
    }

    async fn own(&self, index: usize) -> Result<(), BrokerError> {
        let membership = &self.shared.memberships[index];
        for worker in membership.former() {
            // A wait under the old id may still hand something over.
            let waits = self.shared.lanes[index].waits_for(&worker);
            // A claim that came late may have made it a member again: nobody renews it.
            let seen = self.watches[index].counter_of(&worker);
            if !waits && self.adopt(index, &worker, seen, Cause::Own).await? {
                membership.forget_former(&worker);
            }
        }
        Ok(())
    }

    async fn sweep(&mut self) -> Result<(), BrokerError> {
        let (index, cursor) = self.sweep;
        let membership = &self.shared.memberships[index];
        let next_queue = ((index + 1) % self.watches.len(), 0);
        self.sweep = next_queue;
        let answer = self.shared.broker().owners(&membership.queue, cursor).await;
        if answer.is_err() {
            // Who cannot be looked at cannot take back what is its own.
            self.strangers.iter_mut().for_each(Strangers::restart);
        }
        let (next, owners) = answer?;
        if next != 0 {
            self.sweep = (index, next);
        }
        let (own, watch) = (membership.worker(), &self.watches[index]);
        let strangers = owners
            .into_iter()
            .filter(|worker| *worker != own && watch.counter_of(worker).is_none());
        let targets = self.strangers[index].observe(strangers, next == 0, Instant::now());
        let targets = targets.into_iter().map(|worker| (worker, None));
        let result = self.adopt_each(index, targets).await;
        if result.is_err() {
            // As of those who stand still.
            self.strangers[index].restart();
        }
        result
    }
}

/// Finds out whether the store takes writes: by a renewal, if the worker is a member.
async fn prove(shared: &Arc<Shared>, index: usize) -> Result<(), BrokerError> {
    let member = shared.memberships[index].member();
    if member.known > 0
        && let Renewed::Reaped = shared.broker().renew(&member).await?
    {
        shared.reaped(index, &member.worker);
    }
    Ok(())
}
