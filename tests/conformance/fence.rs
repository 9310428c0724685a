//! settle, refused: owning the token is the fence.

use std::time::Duration;

use jobq::Token;
use jobq::broker::{Action, Settlement};

use crate::fixture::{Fixture, Given, Worker, claimed, every_action, numbered, retry, strs};

pub(crate) async fn a_second_settle_is_stale(f: Fixture) {
    for action in every_action() {
        let (worker, tokens) = claimed(&f, &["a"]).await;
        assert!(worker.ack(tokens[0]).await);
        let before = f.stats().await;
        assert!(!worker.settle_one(tokens[0], action).await);
        assert_eq!(f.stats().await, before);
    }
}

pub(crate) async fn a_settle_sent_again_acts_once(f: Fixture) {
    for action in every_action() {
        let (mut worker, tokens) = claimed(&f, &["a"]).await;
        assert!(worker.settle_one(tokens[0], action.clone()).await);
        let before = f.stats().await;
        let mut again = worker.settle_request(vec![Settlement {
            token: tokens[0],
            action,
        }]);
        again.resent = true;
        let settled = f.broker.settle(again).await.expect("settle");
        assert_eq!(settled.accepted, [false]);
        assert_eq!(f.stats().await, before);
        worker.claim(1000).await;
    }
}

pub(crate) async fn a_token_never_given_out_is_stale(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a"]).await;
    let Token { claim, index } = tokens[0];
    let wrong = [
        Token { claim, index: 0 },
        Token {
            claim,
            index: index + 1,
        },
        Token {
            claim: claim + 1,
            index,
        },
        Token { claim: 0, index },
        Token {
            claim: u64::MAX,
            index: u32::MAX,
        },
    ];
    let before = f.stats().await;
    for token in wrong {
        for action in every_action() {
            assert!(!worker.settle_one(token, action).await, "{token}");
        }
    }
    assert_eq!(f.stats().await, before);
    assert_eq!(worker.held().await, tokens);
}

pub(crate) async fn a_settle_after_an_adoption_is_stale(f: Fixture) {
    let (dead, tokens) = claimed(&f, &["a", "b", "c", "d", "e"]).await;
    let mut reaper = f.member().await;
    let adopted = reaper.adopt_all(&dead).await;
    let before = f.stats().await;
    let stale = dead.settle(tokens.into_iter().zip(every_action())).await;
    assert_eq!(stale, [false; 5]);
    assert_eq!(f.stats().await, before);
    assert_eq!(reaper.held().await, adopted.tokens());
}

/// A retry whose answer was lost is sent again after the job was claimed anew: were the job's id
/// the fence, it would act on the next attempt.
pub(crate) async fn a_settle_resent_after_the_job_was_claimed_again_is_stale(f: Fixture) {
    let (mut worker, tokens) = claimed(&f, &["a"]).await;
    let again = retry("a", Duration::ZERO);
    assert!(worker.settle_one(tokens[0], again.clone()).await);
    let second = worker.claim(1).await;
    assert_eq!(second.names(), ["a"]);
    assert!(!worker.settle_one(tokens[0], again).await);
    assert_eq!(worker.held().await, second.tokens());
    assert_eq!(f.stats().await.delayed, 0);
    assert!(worker.ack(second.token()).await);
}

pub(crate) async fn another_workers_token_is_stale(f: Fixture) {
    let (owner, tokens) = claimed(&f, &["a"]).await;
    let mut other = f.member().await;
    while other.known <= owner.known {
        other.renew().await;
    }
    assert!(!other.ack(tokens[0]).await);
    assert!(owner.ack(tokens[0]).await);
}

pub(crate) async fn another_queues_token_is_stale(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a"]).await;
    let elsewhere = Worker {
        fixture: f.on("other"),
        ..worker.clone()
    };
    assert!(!elsewhere.ack(tokens[0]).await);
    assert!(worker.ack(tokens[0]).await);
}

/// Half adopted, a worker may still settle what was not moved yet.
pub(crate) async fn what_a_partial_adoption_left_is_still_the_owners(f: Fixture) {
    let (dead, tokens) = claimed(&f, &["a", "b"]).await;
    let mut reaper = f.member().await;
    reaper.adopt(&dead.id, Some(dead.known), 1).await;
    let acks = tokens.iter().map(|token| (*token, Action::Ack));
    assert_eq!(dead.settle(acks).await, [false, true]);
}

pub(crate) async fn a_large_batch_sent_again_is_answered_one_by_one(f: Fixture) {
    let (worker, tokens) = claimed(&f, &strs(&numbered(100))).await;
    let settled_before = |place: &usize| place.is_multiple_of(7);
    let some = tokens.iter().enumerate();
    let some = some.filter(|(place, _)| settled_before(place));
    worker
        .settle(some.map(|(_, token)| (*token, Action::Ack)))
        .await;
    let action = Action::Ack;
    let acks = tokens.into_iter().map(|token| Settlement {
        token,
        action: action.clone(),
    });
    let mut again = worker.settle_request(acks.collect());
    again.resent = true;
    let settled = f.broker.settle(again).await.expect("settle");
    let expected = (0..100).map(|place| !settled_before(&place));
    assert_eq!(settled.accepted, expected.collect::<Vec<_>>());
}

pub(crate) async fn a_large_batch_of_one_half_adopted_is_answered_one_by_one(f: Fixture) {
    let (dead, tokens) = claimed(&f, &strs(&numbered(40))).await;
    let mut reaper = f.member().await;
    reaper.adopt(&dead.id, Some(dead.known), 20).await;
    let acks = tokens.iter().map(|token| (*token, Action::Ack));
    let expected = (0..40).map(|place| place >= 20).collect::<Vec<_>>();
    assert_eq!(dead.settle(acks).await, expected);
}

/// Of what a member sends again it knows that it had acted; one that was adopted does not.
pub(crate) async fn who_is_no_member_is_told_so_with_what_is_stale(f: Fixture) {
    let (dead, tokens) = claimed(&f, &["a", "b", "c", "d", "e"]).await;
    let mut reaper = f.member().await;
    let settle = async |action: Action, places: &[usize]| {
        let settlement = |&place: &usize| Settlement {
            token: tokens[place],
            action: action.clone(),
        };
        let mut settle = dead.settle_request(places.iter().map(settlement).collect());
        settle.resent = true;
        let settled = f.broker.settle(settle).await.expect("settle");
        (settled.accepted, settled.reaped)
    };
    let again = retry("a", Duration::ZERO);
    for action in [Action::Ack, again.clone()] {
        let accepted = action == Action::Ack;
        assert_eq!(settle(action, &[0]).await, (vec![accepted], false));
    }
    reaper.adopt(&dead.id, Some(dead.known), 1).await;
    let half = settle(Action::Ack, &[1, 2]).await;
    assert_eq!(half, (vec![false, true], true));
    reaper.adopt_all(&dead).await;
    for action in [Action::Ack, again] {
        assert_eq!(settle(action, &[3]).await, (vec![false], true));
    }
}
