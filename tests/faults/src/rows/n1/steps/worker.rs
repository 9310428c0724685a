//! What workers send.

use std::time::Duration;

use bytes::Bytes;
use jobq::broker::{Action, Broker as _, Due, Inspect as _, ReleaseTo, Wake};
use jobq::{At, BrokerError, JobId};

use super::{Step, forget_scripts};
use crate::rows::n1::bench::connect;
use crate::rows::n1::hand::Hand;

const THREE: [&str; 3] = ["first", "second", "third"];

const A_SECOND: Duration = Duration::from_secs(1);

/// How long a wait may last that ends for another reason.
const LONG: Duration = Duration::from_secs(10);

const RETRY: Action = Action::Retry {
    delay: A_SECOND,
    envelope: Bytes::from_static(b"failed once"),
};

const BURY: Action = Action::Bury {
    record: Bytes::from_static(b"dead"),
};

const SUSPECT: Action = Action::Release {
    to: ReleaseTo::Suspects,
    envelope: Some(Bytes::from_static(b"crashed twice")),
};

pub(super) fn steps() -> Vec<Step> {
    let mut steps = settles();
    steps.extend(claims());
    steps.extend(memberships());
    steps.extend(waits());
    steps
}

fn claims() -> Vec<Step> {
    vec![
        Step::new(
            "claim",
            |hand| Box::pin(three_ready(hand)),
            |hand| Box::pin(hand.claim(2, false)),
        ),
        Step::new(
            "claim, what is due first",
            |hand| Box::pin(two_due(hand)),
            |hand| Box::pin(hand.claim(2, false)),
        ),
        Step::new(
            "claim a suspect",
            |hand| Box::pin(a_suspect(hand)),
            |hand| Box::pin(hand.claim(1, true)),
        )
        // Unanswered, it goes to the front of ready, from where its worker puts it back.
        .and_then(|hand| Box::pin(hand.claim(1, false))),
        Step::new(
            "claim, the script unknown",
            |hand| {
                Box::pin(async {
                    three_ready(hand).await;
                    forget_scripts(hand).await;
                })
            },
            |hand| Box::pin(hand.claim(2, false)),
        ),
    ]
}

fn settles() -> Vec<Step> {
    vec![
        Step::new(
            "settle: ack",
            |hand| Box::pin(three_claimed(hand)),
            |hand| Box::pin(hand.settle(vec![Action::Ack, Action::Ack])),
        ),
        Step::new(
            "settle: retry",
            |hand| Box::pin(three_claimed(hand)),
            |hand| Box::pin(hand.settle(vec![RETRY])),
        ),
        Step::new(
            "settle: bury",
            |hand| Box::pin(three_claimed(hand)),
            |hand| Box::pin(hand.settle(vec![BURY])),
        ),
        Step::new(
            "settle: release",
            |hand| Box::pin(three_claimed(hand)),
            |hand| Box::pin(hand.settle(vec![Action::RELEASE, Action::RELEASE])),
        ),
        Step::new(
            "settle: release to suspects",
            |hand| Box::pin(three_claimed(hand)),
            |hand| Box::pin(hand.settle(vec![SUSPECT])),
        ),
        Step::new(
            "settle, the script unknown",
            |hand| {
                Box::pin(async {
                    three_claimed(hand).await;
                    forget_scripts(hand).await;
                })
            },
            |hand| Box::pin(hand.settle(vec![RETRY, BURY, Action::Ack])),
        ),
        Step::new(
            "settle and claim in one go",
            |hand| Box::pin(three_claimed_one_left(hand)),
            |hand| Box::pin(settle_and_claim(hand)),
        ),
        Step::new(
            "settle and claim in one go, the scripts unknown",
            |hand| {
                Box::pin(async {
                    three_claimed_one_left(hand).await;
                    forget_scripts(hand).await;
                })
            },
            |hand| Box::pin(settle_and_claim(hand)),
        ),
    ]
}

fn memberships() -> Vec<Step> {
    vec![
        Step::new(
            "renew",
            |hand| Box::pin(hand.join(0)),
            |hand| Box::pin(hand.renew()),
        ),
        Step::new(
            "promote",
            |hand| Box::pin(two_due(hand)),
            |hand| {
                Box::pin(async {
                    let promoted = hand.far.promote(&hand.queue, &hand.worker()).await?;
                    assert!(promoted.timekeeper, "there is no other");
                    Ok(())
                })
            },
        ),
        Step::new(
            "adopt",
            |hand| Box::pin(a_dead_worker(hand)),
            |hand| Box::pin(hand.adopt()),
        )
        .and_then(|hand| {
            Box::pin(async {
                let adopted = hand.held.clone();
                hand.give_back(&adopted).await
            })
        }),
        Step::new(
            "leave",
            |hand| Box::pin(hand.join(0)),
            |hand| {
                Box::pin(async {
                    let left = hand.far.leave(&hand.queue, &hand.worker()).await?;
                    assert!(left, "it owns nothing");
                    Ok(())
                })
            },
        ),
        Step::new(
            "held",
            |hand| Box::pin(three_claimed(hand)),
            |hand| {
                Box::pin(async {
                    let mut held = hand.far.held(&hand.queue, &hand.worker()).await?;
                    held.sort_by_key(|token| token.index);
                    assert_eq!(held, hand.held);
                    Ok(())
                })
            },
        ),
        Step::new(
            "cancelled",
            |hand| Box::pin(one_cancelled(hand)),
            |hand| {
                Box::pin(async {
                    let ids = [JobId::from_bytes([1; 16]), JobId::from_bytes([2; 16])];
                    let cancelled = hand.far.cancelled(&hand.queue, &ids).await?;
                    assert_eq!(cancelled, [true, false]);
                    Ok(())
                })
            },
        ),
        Step::new(
            "connect, and a first call",
            |hand| Box::pin(three_ready(hand)),
            |hand| {
                Box::pin(async {
                    let fresh = connect(hand.port).await;
                    fresh.members(&hand.queue).await.map(drop)
                })
            },
        ),
    ]
}

fn waits() -> Vec<Step> {
    vec![
        Step::new(
            "wait, for a job that is there",
            |hand| Box::pin(three_ready_and_a_waiter(hand)),
            |hand| {
                Box::pin(async {
                    let waiter = hand.waiter();
                    waiter.wait(LONG).await.map(drop)
                })
            },
        )
        .sent_once()
        .and_then(|hand| Box::pin(hand.claim(3, false))),
        Step::new(
            "wait, for a job that comes",
            |hand| Box::pin(a_waiter(hand)),
            |hand| Box::pin(wait_for_one_that_comes(hand)),
        )
        .sent_once()
        .and_then(|hand| Box::pin(claim_one_that_comes(hand))),
        Step::new(
            "wait, until interrupted",
            |hand| Box::pin(a_waiter(hand)),
            |hand| Box::pin(wait_until_interrupted(hand)),
        )
        .sent_once(),
    ]
}

async fn three_ready(hand: &mut Hand) {
    hand.join(0).await;
    hand.put(&THREE, Due::Now).await;
}

async fn three_claimed(hand: &mut Hand) {
    hand.put(&THREE, Due::Now).await;
    hand.join(3).await;
}

async fn three_claimed_one_left(hand: &mut Hand) {
    hand.put(&THREE, Due::Now).await;
    hand.put(&["fourth"], Due::Now).await;
    hand.join(3).await;
}

async fn two_due(hand: &mut Hand) {
    hand.join(0).await;
    hand.put(&["due"], Due::At(At::from_ms(1))).await;
    hand.put(&["due later"], Due::At(At::from_ms(2))).await;
    hand.put(&["ready"], Due::Now).await;
}

async fn a_suspect(hand: &mut Hand) {
    three_claimed(hand).await;
    hand.settle_near(vec![SUSPECT]).await;
}

async fn a_dead_worker(hand: &mut Hand) {
    hand.put(&THREE, Due::Now).await;
    hand.other_joins(2).await;
    hand.join(0).await;
}

async fn one_cancelled(hand: &mut Hand) {
    let id = JobId::from_bytes([1; 16]);
    let cancelled = hand.near.cancel(&hand.queue, id).await;
    cancelled.expect("nobody cuts this way");
}

async fn settle_and_claim(hand: &mut Hand) -> Result<(), BrokerError> {
    hand.round(vec![Action::Ack, RETRY], Some(1)).await
}

async fn a_waiter(hand: &mut Hand) {
    hand.join(0).await;
    let waited = hand.waiter().wait(Duration::ZERO).await;
    assert_eq!(waited.expect("nobody cuts yet"), Wake::TimedOut);
}

async fn three_ready_and_a_waiter(hand: &mut Hand) {
    a_waiter(hand).await;
    hand.put(&THREE, Due::Now).await;
}

async fn wait_for_one_that_comes(hand: &mut Hand) -> Result<(), BrokerError> {
    let waiter = hand.waiter();
    let mut waiting = waiter.wait(LONG);
    tokio::select! {
        ended = &mut waiting => return ended.map(drop),
        () = hand.is_blocked() => {}
    }
    one_comes(hand).await;
    waiting.await.map(drop)
}

async fn claim_one_that_comes(hand: &mut Hand) -> Result<(), BrokerError> {
    one_comes(hand).await;
    hand.claim(1, false).await
}

async fn one_comes(hand: &mut Hand) {
    if !std::mem::replace(&mut hand.one_came, true) {
        hand.put(&["comes"], Due::Now).await;
    }
}

async fn wait_until_interrupted(hand: &mut Hand) -> Result<(), BrokerError> {
    let waiter = hand.waiter();
    let mut waiting = waiter.wait(LONG);
    tokio::select! {
        ended = &mut waiting => return ended.map(drop),
        () = hand.is_blocked() => {}
    }
    waiter.interrupt().await?;
    assert_eq!(waiting.await?, Wake::TimedOut);
    Ok(())
}
