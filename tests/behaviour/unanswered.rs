//! An outcome whose answer was lost is sent again, and counts once, as what it was: not as one that
//! came too late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jobq::{BrokerError, BrokerErrorKind, State, job};
use support::hooked::{Answer, Call, Hook, Step};

use crate::fixture::{Fixture, Ledger};

#[job(name = "unanswered.mark")]
async fn mark(ledger: State<Ledger>) {
    ledger.write("ran");
}

/// Leaves the first outcomes without an answer.
struct Silent {
    is_done: bool,
    told: AtomicBool,
}

fn no_answer() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Timeout, "no answer").with_outcome_unknown()
}

#[async_trait]
impl Hook for Silent {
    async fn around(&self, call: Call) -> Answer {
        let settles = matches!(call.step(), Step::Round { settles, .. } if !settles.is_empty());
        if !settles || self.told.swap(true, Ordering::Relaxed) {
            return call.run().await;
        }
        if self.is_done {
            drop(call.run().await);
        }
        call.fail(no_answer)
    }
}

async fn counts_once(is_done: bool) {
    let mut fixture = Fixture::memory().await;
    let told = AtomicBool::new(false);
    let hook = Arc::new(Silent { is_done, told });
    fixture.hook(&hook);
    mark::enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert!(hook.told.load(Ordering::Relaxed));
    assert_eq!(fixture.ledger.lines(), ["ran"]);
    assert_eq!((stats.done, stats.stale, stats.adopted), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_was_done_without_an_answer_counts_once() {
    counts_once(true).await;
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_was_lost_on_its_way_is_sent_again() {
    counts_once(false).await;
}
