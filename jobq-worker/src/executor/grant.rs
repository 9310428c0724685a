//! From the answer of a claim to running jobs. Where jobs of the queue are cancelled, the broker is
//! asked which before any of them starts, and those are dropped. If it cannot say, none starts and
//! all go back where they came from.

use std::sync::Arc;

use jobq::broker::{Broker, Grant, ReleaseTo};
use jobq::{BrokerError, Envelope, JobId};

use super::jobs::Jobs;
use super::owner::Owner;
use crate::membership::Request;
use crate::shared::Shared;
use crate::slots::Reservation;

/// What a claim gave, and what it needs to start.
#[derive(Debug)]
pub(crate) struct Granted<'a> {
    /// The queue.
    pub(crate) index: usize,
    pub(crate) request: Request<'a>,
    /// Reserved for its jobs.
    pub(crate) slots: Reservation,
    pub(crate) grant: Grant,
    /// Where its jobs were taken from.
    pub(crate) from: ReleaseTo,
}

impl Granted<'_> {
    /// Starts the jobs but for those that are cancelled. An error says that nobody knows which are:
    /// all of them are given back, with no attempt used.
    pub(crate) async fn start(
        mut self,
        shared: &Arc<Shared>,
        broker: &dyn Broker,
    ) -> Result<(), BrokerError> {
        self.request.heard(self.grant.counter);
        // The request stays open meanwhile, so that no reconcile takes the jobs for lost.
        let cancelled = self.cancelled(shared, broker).await;
        let Grant {
            counter, envelopes, ..
        } = self.grant;
        let Some(tenure) = self.request.answered(counter, envelopes.len()) else {
            // Reaped while the answer was on its way: the jobs are another worker's.
            return Ok(());
        };
        let owner = Owner::new(shared, self.index, tenure);
        let slots = self
            .slots
            .fill(u32::try_from(envelopes.len()).expect("a grant has few jobs"));
        let mut jobs = Jobs::new(owner, counter, self.from, envelopes, slots);
        match &cancelled {
            Ok(cancelled) => jobs.drop_cancelled(cancelled),
            Err(_) => jobs.give_back(),
        }
        jobs.start();
        cancelled.map(drop)
    }

    /// For each job whether it is cancelled; nothing if none of the queue is.
    async fn cancelled(
        &self,
        shared: &Shared,
        broker: &dyn Broker,
    ) -> Result<Vec<bool>, BrokerError> {
        let Grant {
            cancelled,
            envelopes,
            ..
        } = &self.grant;
        if !cancelled || envelopes.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Option<JobId>> = envelopes.iter().map(|b| Envelope::id_of(b)).collect();
        let asked: Vec<JobId> = ids.iter().flatten().copied().collect();
        let queue = &shared.memberships[self.index].queue;
        let mut answers = broker.cancelled(queue, &asked).await?.into_iter();
        // What has no id is no envelope, and is buried as such.
        let cancelled = ids.iter().map(|id| id.and_then(|_| answers.next()));
        Ok(cancelled.map(Option::unwrap_or_default).collect())
    }
}
