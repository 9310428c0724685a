//! What finds jobs that nobody knows of: members, owners, held; and the release of what a lost
//! answer left in flight.

use jobq::Token;

use crate::fixture::{Fixture, Given, release};

pub(crate) async fn members_have_their_counters(f: Fixture) {
    let (one, mut other) = (f.member().await, f.member().await);
    other.renew().await;
    let mut members = f.broker.members(&f.queue).await.expect("members");
    members.sort();
    let mut expected = [(one.id, 1), (other.id, 2)];
    expected.sort();
    assert_eq!(members, expected);
}

pub(crate) async fn a_queue_nobody_joined_has_no_members(f: Fixture) {
    f.enqueue(&["a"]).await;
    let members = f.broker.members(&f.queue).await.expect("members");
    assert!(members.is_empty());
    assert!(f.owners().await.is_empty());
}

pub(crate) async fn owners_are_those_with_jobs_members_or_not(f: Fixture) {
    let (mut in_flight, handed, idle) = (f.member().await, f.worker(), f.member().await);
    f.enqueue(&["a", "b"]).await;
    in_flight.claim(1).await;
    handed.be_handed(1).await;
    let mut expected = [in_flight.id, handed.id];
    expected.sort();
    assert_eq!(f.owners().await, expected);
    assert!(!f.owners().await.contains(&idle.id));
}

pub(crate) async fn one_that_settled_all_owns_nothing(f: Fixture) {
    f.enqueue(&["a"]).await;
    let mut worker = f.member().await;
    let token = worker.claim(1).await.token();
    worker.ack(token).await;
    assert!(f.owners().await.is_empty());
}

pub(crate) async fn a_scan_finds_every_owner_of_this_queue_alone(f: Fixture) {
    let other = f.on("mail2");
    let mut expected = Vec::new();
    for _ in 0..40 {
        f.enqueue(&["a"]).await;
        let mut worker = f.member().await;
        worker.claim(1).await;
        expected.push(worker.id);
        other.enqueue(&["b"]).await;
        other.member().await.claim(1).await;
    }
    expected.sort();
    assert_eq!(f.owners().await, expected);
}

pub(crate) async fn held_are_the_tokens_of_one_worker(f: Fixture) {
    f.enqueue(&["a", "b", "c"]).await;
    let (mut one, mut other) = (f.member().await, f.member().await);
    let first = one.claim(1).await.tokens();
    other.claim(1).await;
    let second = one.claim(1).await.tokens();
    assert_eq!(one.held().await, [first, second].concat());
    assert!(f.worker().held().await.is_empty());
}

pub(crate) async fn what_is_handed_is_not_held(f: Fixture) {
    let worker = f.member().await;
    f.enqueue(&["a"]).await;
    worker.be_handed(1).await;
    assert!(worker.held().await.is_empty());
}

pub(crate) async fn a_claim_without_an_answer_is_found_and_released(f: Fixture) {
    f.enqueue(&["a", "b", "c"]).await;
    let mut worker = f.member().await;
    let known = worker.claim(1).await.tokens();
    let lost = worker.clone().claim(1).await.counter;
    let unknown = worker.held().await;
    let unknown = unknown.into_iter().filter(|token| !known.contains(token));
    let unknown = unknown.collect::<Vec<Token>>();
    assert_eq!(
        unknown,
        [Token {
            claim: lost,
            index: 1
        }]
    );
    assert!(worker.settle_one(unknown[0], release()).await);
    assert_eq!(f.ready().await, ["b", "c"]);
    assert_eq!(worker.held().await, known);
}

pub(crate) async fn an_adoption_without_an_answer_is_found(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    let (mut dead, reaper) = (f.member().await, f.member().await);
    dead.claim(2).await;
    let lost = reaper.clone().adopt_all(&dead).await;
    assert_eq!(reaper.held().await, lost.tokens());
    assert!(reaper.settle_one(lost.tokens()[0], release()).await);
    assert_eq!(f.ready().await, ["a"]);
}
