//! Releases what the broker has under this worker's tokens and nobody here holds: the jobs of
//! claims that were never answered.

use std::time::Duration;

use jobq::BrokerError;
use jobq::broker::{MAX_BATCH, Settle};
use tokio::time::Instant;

use super::Reaper;
use crate::membership::Membership;

/// How often every queue is reconciled, called for or not.
const RECONCILE_EVERY: Duration = Duration::from_secs(30);

impl Reaper {
    pub(super) async fn reconcile(&mut self) -> Result<(), BrokerError> {
        let mut result = Ok(());
        let all = self.reconciled.elapsed() >= RECONCILE_EVERY;
        for membership in &self.shared.memberships {
            if !membership.take_reconcile() && !all || membership.member().known == 0 {
                continue;
            }
            if let Err(error) = self.reconcile_one(membership).await {
                membership.want_reconcile();
                result = Err(error);
            }
        }
        if all {
            self.reconciled = Instant::now();
        }
        result
    }

    async fn reconcile_one(&self, membership: &Membership) -> Result<(), BrokerError> {
        // The limit first: what is answered while the list is on its way is not above it.
        let (worker, limit) = membership.reconcile_limit();
        let stored = self
            .shared
            .broker()
            .held(&membership.queue, &worker)
            .await?;
        let lost = membership.unknown(&worker, &stored, limit);
        for tokens in lost.chunks(MAX_BATCH as usize) {
            let settle = Settle::release(membership.queue.clone(), worker.clone(), tokens);
            let settled = self.shared.broker().settle(settle).await?;
            let released = settled
                .accepted
                .iter()
                .filter(|&&accepted| accepted)
                .count();
            if released > 0 {
                self.shared.meters.reconciled.add(released as u64);
                tracing::info!(job.queue = %membership.queue, jobs = released, "released jobs whose claim was never answered");
            }
        }
        Ok(())
    }
}
