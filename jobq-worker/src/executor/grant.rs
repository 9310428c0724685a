//! From the answer of a claim to running jobs. Where jobs of the queue are cancelled, the broker is
//! asked which before any of them starts, and those are dropped. If it cannot say, none starts and
//! all go back where they came from.

use std::sync::Arc;

use bytes::Bytes;
use jobq::broker::{Action, Broker, Grant, ReleaseTo};
use jobq::runtime::Cancellation;
use jobq::{BrokerError, Envelope, JobId, Token};

use super::{ClaimedJob, launch};
use crate::membership::Request;
use crate::outbox::Kind;
use crate::shared::Shared;
use crate::slots::{Reservation, Slot};

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
        let cancellations: Vec<_> = envelopes.iter().map(|_| Cancellation::default()).collect();
        let Some((worker, lease)) = self.request.answered(counter, &cancellations) else {
            // Reaped while the answer was on its way: the jobs are another worker's.
            return Ok(());
        };
        let mut aborts = Vec::with_capacity(envelopes.len());
        for ((place, bytes), cancellation) in envelopes.into_iter().enumerate().zip(cancellations) {
            let job = ClaimedJob {
                shared: shared.clone(),
                index: self.index,
                worker: worker.clone(),
                lease: lease.clone(),
                token: token(counter, place),
            };
            let slot = self.slots.fill();
            aborts.push(match &cancelled {
                Ok(cancelled) if cancelled.get(place) == Some(&true) => {
                    drop_job(&job, &bytes, slot);
                    None
                }
                Ok(_) => launch(job, bytes, cancellation, slot, self.from),
                Err(_) => {
                    job.give_back(self.from, Envelope::id_of(&bytes), slot);
                    None
                }
            });
        }
        let forgotten = shared.memberships[self.index].started(&worker, counter, aborts);
        shared.abort_soon(forgotten.into_iter().flatten().collect());
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

fn token(claim: u64, place: usize) -> Token {
    let index = u32::try_from(place + 1).expect("a grant has few jobs");
    Token { claim, index }
}

fn drop_job(job: &ClaimedJob, bytes: &Bytes, slot: Slot) {
    let id = Envelope::id_of(bytes);
    let envelope = Envelope::decode(bytes.clone()).ok();
    tracing::info!(
        job.id = id.map(tracing::field::display),
        job.name = envelope.as_ref().map(Envelope::name),
        job.queue = %job.queue(),
        "dropped: the job is cancelled"
    );
    job.settle(Action::Ack, Kind::Cancelled, id, Some(slot));
}
