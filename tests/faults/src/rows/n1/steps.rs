//! The steps, each with what must be there before and what follows.

mod people;
mod producer;
mod worker;

use futures_util::future::BoxFuture;
use jobq::BrokerError;

use super::hand::Hand;

/// What is done with a hand, borrowed as long as it takes.
type Act<T> = for<'a> fn(&'a mut Hand) -> BoxFuture<'a, T>;

/// One step of the protocol.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Prepares undisturbed what the step needs.
    pub(super) before: Act<()>,
    /// Does the step: the only thing that is cut.
    pub(super) act: Act<Result<(), BrokerError>>,
    /// Whether it is sent again when it was not answered.
    pub(super) is_sent_again: bool,
    /// What its worker does next, answered or not.
    pub(super) after: Act<Result<(), BrokerError>>,
}

impl Step {
    fn new(name: &'static str, before: Act<()>, act: Act<Result<(), BrokerError>>) -> Self {
        Self {
            name,
            before,
            act,
            is_sent_again: true,
            after: |_| Box::pin(async { Ok(()) }),
        }
    }

    /// What was not answered is not sent again.
    fn sent_once(self) -> Self {
        Self {
            is_sent_again: false,
            ..self
        }
    }

    fn and_then(self, after: Act<Result<(), BrokerError>>) -> Self {
        Self { after, ..self }
    }
}

/// All of them.
pub(super) fn all() -> Vec<Step> {
    let steps = [producer::steps(), worker::steps(), people::steps()];
    steps.into_iter().flatten().collect()
}

/// Has the server forget all scripts.
async fn forget_scripts(hand: &mut Hand) {
    let mut forget = redis::cmd("SCRIPT");
    let forgotten = forget.arg("FLUSH").query_async::<()>(&mut hand.raw).await;
    forgotten.expect("nobody cuts this way");
}
