//! Takes over what dead workers held, and finds what was left anywhere.
//!
//! One tick:
//! 1. look at every queue's members; one whose counter stood still for a whole lease, by answered
//!    looks, is adopted;
//! 2. take over the remains of ids this worker itself had before it was reaped;
//! 3. one step of the sweep: in-flight records whose owner is no member;
//! 4. reconcile: what the broker has under this worker's tokens and nobody here holds is released.

mod reconcile;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jobq::broker::{Adopted, Adoption, MAX_BATCH, Renewed};
use jobq::runtime::Cancellation;
use jobq::{BrokerError, Token, WorkerId};
use tokio::time::Instant;

use crate::component::Component;
use crate::executor::{Orphan, after_crash_of_worker};
use crate::outbox::{Finished, Kind};
use crate::shared::Shared;
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
    reconciled: Instant,
}

/// Bytes of envelopes after which what was adopted so far is judged and settled.
const ADOPTED_AT_ONCE: usize = 64 << 20;

/// Whose remains are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A worker that died: the crash counts.
    Crash,
    /// This worker itself, under an id it was reaped of.
    Own,
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
            self.shared.outage.failed(Self::NAME, &error);
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
            match self.adopt(index, &worker, seen, Cause::Crash).await {
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
            if !waits && self.adopt(index, &worker, None, Cause::Own).await? {
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
        let (next, owners) = self
            .shared
            .broker()
            .owners(&membership.queue, cursor)
            .await?;
        if next != 0 {
            self.sweep = (index, next);
        }
        let (own, watch) = (membership.worker(), &self.watches[index]);
        let strangers = owners
            .into_iter()
            .filter(|worker| *worker != own && !watch.knows(worker));
        self.adopt_each(index, strangers.map(|worker| (worker, None)))
            .await
    }

    /// Takes over all that `target` held, and judges it as a whole, as far as memory allows:
    /// whether there was a suspect among it decides for whom the crash counts. Answers whether that
    /// was all: else the rest is to be taken later.
    async fn adopt(
        &self,
        index: usize,
        target: &WorkerId,
        seen: Option<u64>,
        cause: Cause,
    ) -> Result<bool, BrokerError> {
        let mut adopted = Vec::new();
        let result = loop {
            match self.adopt_some(index, target, seen, &mut adopted).await {
                Ok(true) if size(&adopted) < ADOPTED_AT_ONCE => {}
                Ok(true) => {
                    self.judge(index, target, cause, std::mem::take(&mut adopted));
                    // One outcome that is refused, of whatever queue, must not end all looks. Still a
                    // member, the target is found again once it has stood still for a lease.
                    let emptied = self.shared.outbox.emptied();
                    if tokio::time::timeout(self.next_look() / 2, emptied)
                        .await
                        .is_err()
                    {
                        return Ok(false);
                    }
                }
                Ok(false) => break Ok(true),
                Err(error) => break Err(error),
            }
        };
        self.judge(index, target, cause, adopted);
        result
    }

    /// One step of an adoption; answers whether the target holds more.
    async fn adopt_some(
        &self,
        index: usize,
        target: &WorkerId,
        seen: Option<u64>,
        adopted: &mut Vec<Orphan>,
    ) -> Result<bool, BrokerError> {
        let (request, member) = self.shared.memberships[index].ask();
        let target = target.clone();
        let adoption = Adoption {
            member,
            target,
            seen,
            max: MAX_BATCH,
        };
        let (claim, envelopes, more) = match self.shared.broker().adopt(&adoption).await? {
            Adopted::Taken {
                counter,
                envelopes,
                more,
            } => (counter, envelopes, more),
            Adopted::Alive => (0, Vec::new(), false),
            Adopted::Reaped => {
                self.shared.reaped(index, &request.reaped());
                return Ok(false);
            }
        };
        let cancellations = vec![Cancellation::default(); envelopes.len()];
        let Some((adopter, _)) = request.answered(claim, &cancellations) else {
            return Ok(false);
        };
        let tokens = (1..).map(|index| Token { claim, index });
        adopted.extend(tokens.zip(envelopes).map(|(token, bytes)| {
            let worker = adopter.clone();
            Orphan {
                worker,
                token,
                bytes,
            }
        }));
        Ok(more)
    }

    fn judge(&self, index: usize, target: &WorkerId, cause: Cause, orphans: Vec<Orphan>) {
        if orphans.is_empty() {
            return;
        }
        let (shared, count) = (&self.shared, orphans.len());
        let queue = &shared.memberships[index].queue;
        let worker = target.as_str();
        let judged = match cause {
            Cause::Crash => {
                shared.counters.adopted.add(count as u64);
                tracing::warn!(
                    job.queue = %queue, worker, jobs = count,
                    "adopted the jobs of a worker that no longer answers"
                );
                after_crash_of_worker(queue, orphans, shared.broker().now())
            }
            Cause::Own => {
                tracing::info!(
                    job.queue = %queue, worker, jobs = count,
                    "took back jobs that this worker held under a former id"
                );
                let back = |orphan: Orphan| orphan.put_back(Kind::Released);
                orphans.into_iter().map(back).collect()
            }
        };
        for (orphan, action, note) in judged {
            let Orphan { worker, token, .. } = orphan;
            shared.outbox.push(Finished {
                index,
                worker,
                token,
                action,
                note,
            });
        }
        shared.work.notify_one();
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

fn size(orphans: &[Orphan]) -> usize {
    orphans.iter().map(|orphan| orphan.bytes.len()).sum()
}
