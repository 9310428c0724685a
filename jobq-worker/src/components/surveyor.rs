//! Counts the queues whose timekeeper this worker is, for whoever watches them.
//!
//! One tick: ask for the figures of each such queue, and forget those of the others.

use std::sync::Arc;
use std::time::Duration;

use jobq::BrokerError;

use crate::component::Component;
use crate::shared::Shared;

/// How old the figures may be.
const LOOK: Duration = Duration::from_secs(2);

/// The loop of one worker.
#[derive(Debug)]
pub(crate) struct Surveyor {
    shared: Arc<Shared>,
}

impl Surveyor {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
        }
    }
}

impl Component for Surveyor {
    const NAME: &'static str = "surveyor";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        let mut result = Ok(LOOK);
        for (index, membership) in self.shared.memberships.iter().enumerate() {
            let counts = match membership.is_timekeeper() {
                true => self
                    .shared
                    .broker()
                    .stats(&membership.queue)
                    .await
                    .map(Some),
                false => Ok(None),
            };
            let counts = counts.unwrap_or_else(|error| {
                result = Err(error);
                None
            });
            self.shared.meters.queues()[index] = counts;
        }
        result
    }
}
