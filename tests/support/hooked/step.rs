//! A step as a value, and its answer.

use std::sync::Arc;
use std::time::Duration;

use jobq::broker::{
    Adopted, Adoption, Broker, Claim, Entry, Member, Promoted, Renewed, RoundAnswer, Settle,
    Waiter, Wake,
};
use jobq::{BrokerError, JobId, QueueName, Token, WorkerId};

/// What is asked of a [`Broker`], or of a [`Waiter`].
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "each is the method of that name, with its arguments"
)]
pub enum Step {
    Fork,
    Enqueue {
        queue: QueueName,
        entries: Vec<Entry>,
    },
    Round {
        settles: Vec<Settle>,
        claim: Option<Claim>,
    },
    Cancelled {
        queue: QueueName,
        ids: Vec<JobId>,
    },
    Renew(Member),
    Promote {
        queue: QueueName,
        worker: WorkerId,
    },
    Adopt(Adoption),
    Leave {
        queue: QueueName,
        worker: WorkerId,
    },
    Members {
        queue: QueueName,
    },
    Owners {
        queue: QueueName,
        cursor: u64,
    },
    Held {
        queue: QueueName,
        worker: WorkerId,
    },
    Wait {
        queue: QueueName,
        worker: WorkerId,
        timeout: Duration,
    },
    Interrupt {
        queue: QueueName,
        worker: WorkerId,
    },
}

/// What a [`Step`] was answered.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is the answer to the step of its name")]
pub enum Answer {
    Forked(Result<Arc<dyn Broker>, BrokerError>),
    Enqueued(Result<(), BrokerError>),
    Round(RoundAnswer),
    Cancelled(Result<Vec<bool>, BrokerError>),
    Renewed(Result<Renewed, BrokerError>),
    Promoted(Result<Promoted, BrokerError>),
    Adopted(Result<Adopted, BrokerError>),
    Left(Result<bool, BrokerError>),
    Members(Result<Vec<(WorkerId, u64)>, BrokerError>),
    Owners(Result<(u64, Vec<WorkerId>), BrokerError>),
    Held(Result<Vec<Token>, BrokerError>),
    Woken(Result<Wake, BrokerError>),
    Interrupted(Result<(), BrokerError>),
}

impl Step {
    /// Its name: that of the method, of a round "settle", "claim" or "settle+claim".
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Enqueue { .. } => "enqueue",
            Self::Round { settles, claim } => match (settles.is_empty(), claim) {
                (true, _) => "claim",
                (false, None) => "settle",
                (false, Some(_)) => "settle+claim",
            },
            Self::Cancelled { .. } => "cancelled",
            Self::Renew(_) => "renew",
            Self::Promote { .. } => "promote",
            Self::Adopt(_) => "adopt",
            Self::Leave { .. } => "leave",
            Self::Members { .. } => "members",
            Self::Owners { .. } => "owners",
            Self::Held { .. } => "held",
            Self::Wait { .. } => "wait",
            Self::Interrupt { .. } => "interrupt",
        }
    }

    /// Whether it is one of these: "settle" and "claim" are each a part of "settle+claim".
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name().split('+').any(|part| part == name)
    }

    pub(super) async fn run(&self, broker: &dyn Broker, waiter: Option<&dyn Waiter>) -> Answer {
        let waiter = || waiter.expect("a wait has its waiter");
        match self {
            Self::Fork => Answer::Forked(broker.fork().await),
            Self::Enqueue { queue, entries } => {
                Answer::Enqueued(broker.enqueue(queue, entries).await)
            }
            Self::Round { settles, claim } => {
                Answer::Round(broker.round(settles, claim.as_ref()).await)
            }
            Self::Cancelled { queue, ids } => Answer::Cancelled(broker.cancelled(queue, ids).await),
            Self::Renew(member) => Answer::Renewed(broker.renew(member).await),
            Self::Promote { queue, worker } => {
                Answer::Promoted(broker.promote(queue, worker).await)
            }
            Self::Adopt(adoption) => Answer::Adopted(broker.adopt(adoption).await),
            Self::Leave { queue, worker } => Answer::Left(broker.leave(queue, worker).await),
            Self::Members { queue } => Answer::Members(broker.members(queue).await),
            Self::Owners { queue, cursor } => Answer::Owners(broker.owners(queue, *cursor).await),
            Self::Held { queue, worker } => Answer::Held(broker.held(queue, worker).await),
            Self::Wait { timeout, .. } => Answer::Woken(waiter().wait(*timeout).await),
            Self::Interrupt { .. } => Answer::Interrupted(waiter().interrupt().await),
        }
    }

    pub(super) fn fail(&self, error: impl Fn() -> BrokerError) -> Answer {
        match self {
            Self::Fork => Answer::Forked(Err(error())),
            Self::Enqueue { .. } => Answer::Enqueued(Err(error())),
            Self::Round { settles, claim } => Answer::Round(RoundAnswer {
                settles: settles.iter().map(|_| Err(error())).collect(),
                claim: claim.as_ref().map(|_| Err(error())),
            }),
            Self::Cancelled { .. } => Answer::Cancelled(Err(error())),
            Self::Renew(_) => Answer::Renewed(Err(error())),
            Self::Promote { .. } => Answer::Promoted(Err(error())),
            Self::Adopt(_) => Answer::Adopted(Err(error())),
            Self::Leave { .. } => Answer::Left(Err(error())),
            Self::Members { .. } => Answer::Members(Err(error())),
            Self::Owners { .. } => Answer::Owners(Err(error())),
            Self::Held { .. } => Answer::Held(Err(error())),
            Self::Wait { .. } => Answer::Woken(Err(error())),
            Self::Interrupt { .. } => Answer::Interrupted(Err(error())),
        }
    }
}
