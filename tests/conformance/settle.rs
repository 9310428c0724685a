//! settle: in flight → done, delayed, dead, ready, suspects.

use std::time::Duration;

use jobq::broker::{Action, Claimed, Due, ReleaseTo, Settled, Settlement};
use jobq::{At, JobState};

use crate::fixture::{
    Fixture, Given, HOURS, Worker, bury, bytes, claimed, every_action, granted, numbered, release,
    release_to, retry, strs,
};

pub(crate) async fn ack_ends_a_job(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a"]).await;
    assert!(worker.ack(tokens[0]).await);
    let stats = f.stats().await;
    assert_eq!(
        (stats.ready, stats.delayed, stats.in_flight, stats.dead),
        (0, 0, 0, 0)
    );
}

pub(crate) async fn retry_puts_the_rewritten_job_into_delayed(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a"]).await;
    assert!(
        worker
            .settle_one(tokens[0], retry("a, failed once", HOURS))
            .await
    );
    let delayed = f.page(JobState::Delayed, 0, 10).await;
    assert_eq!(delayed[0].bytes, bytes("a, failed once"));
    assert!(
        delayed[0]
            .due
            .is_some_and(|due| due > At::from_ms(HOURS.as_millis() as u64))
    );
    assert!(worker.held().await.is_empty());
}

pub(crate) async fn a_retry_without_delay_is_the_next_job(f: Fixture) {
    let (mut worker, tokens) = claimed(&f, &["a"]).await;
    f.enqueue(&["b"]).await;
    worker
        .settle_one(tokens[0], retry("a again", Duration::ZERO))
        .await;
    assert_eq!(worker.claim(2).await.names(), ["a again", "b"]);
}

pub(crate) async fn bury_puts_the_record_first_into_dead(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a", "b"]).await;
    assert!(worker.settle_one(tokens[0], bury("record of a")).await);
    assert!(worker.settle_one(tokens[1], bury("record of b")).await);
    assert_eq!(
        f.names(JobState::Dead).await,
        ["record of b", "record of a"]
    );
}

pub(crate) async fn released_jobs_keep_their_order_at_the_front(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a", "b", "c"]).await;
    f.enqueue(&["d"]).await;
    worker
        .settle(tokens.into_iter().map(|token| (token, release())))
        .await;
    assert_eq!(f.ready().await, ["a", "b", "c", "d"]);
}

pub(crate) async fn a_release_may_rewrite_the_job(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a", "b"]).await;
    let rewritten = Action::Release {
        to: ReleaseTo::Front,
        envelope: Some(bytes("a, crashed once")),
    };
    worker
        .settle([(tokens[0], rewritten), (tokens[1], release())])
        .await;
    assert_eq!(f.ready().await, ["a, crashed once", "b"]);
}

pub(crate) async fn released_suspects_queue_at_the_back(f: Fixture) {
    f.suspect(&["s"]).await;
    let (mut worker, tokens) = claimed(&f, &["a", "b"]).await;
    let to_suspects = |token| (token, release_to(ReleaseTo::Suspects));
    worker.settle(tokens.into_iter().map(to_suspects)).await;
    for name in ["s", "a", "b"] {
        assert_eq!(worker.claim_suspect().await.names(), [name]);
    }
    assert!(f.ready().await.is_empty());
}

pub(crate) async fn equal_elements_are_settled_apart(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a", "a", "a"]).await;
    assert!(worker.ack(tokens[1]).await);
    assert!(worker.settle_one(tokens[0], bury("a")).await);
    assert_eq!(worker.held().await, [tokens[2]]);
    assert!(worker.settle_one(tokens[2], bury("a")).await);
    assert_eq!(f.names(JobState::Dead).await, ["a", "a"]);
}

pub(crate) async fn a_mixed_batch_is_answered_one_by_one(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a", "b", "c", "d", "e", "f"]).await;
    let [ack, again, buried, front, suspect] = every_action();
    let batch = [
        (tokens[0], front),
        (tokens[1], ack.clone()),
        (tokens[1], ack),
        (tokens[2], again),
        (tokens[3], buried),
        (tokens[3], release()),
        (tokens[4], suspect),
        (tokens[5], release()),
    ];
    let accepted = worker.settle(batch).await;
    assert_eq!(accepted, [true, true, false, true, true, false, true, true]);
    assert_eq!(f.ready().await, ["a", "f"]);
    assert_eq!(f.names(JobState::Delayed).await, ["rewritten"]);
    assert_eq!(f.names(JobState::Dead).await, ["record"]);
    assert_eq!(f.stats().await.suspects, 1);
    assert!(worker.held().await.is_empty());
}

pub(crate) async fn takes_a_thousand_of_each_kind_at_once(f: Fixture) {
    let names = numbered(1000);
    for (round, action) in (1..).zip(every_action()) {
        let queue = f.on(&format!("round{round}"));
        let (worker, tokens) = claimed(&queue, &strs(&names)).await;
        let actions = tokens.into_iter().map(|token| (token, action.clone()));
        assert_eq!(worker.settle(actions).await, [true; 1000]);
        assert!(worker.held().await.is_empty());
    }
}

pub(crate) async fn an_empty_batch_changes_nothing(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a"]).await;
    assert!(worker.settle([]).await.is_empty());
    assert_eq!(worker.held().await, tokens);
}

pub(crate) async fn a_round_settles_before_it_claims(f: Fixture) {
    let (mut worker, tokens) = claimed(&f, &["a"]).await;
    let settle = worker.settle_request(vec![Settlement {
        token: tokens[0],
        action: release(),
    }]);
    let round = f
        .broker
        .round(&[settle], Some(&worker.claim_request(1)))
        .await;
    assert_eq!(round.settles.len(), 1);
    let grant = granted(round.claim.expect("a claim was asked for").expect("claim"));
    assert_eq!(grant.names(), ["a"]);
    worker.known = grant.counter;
    assert!(worker.ack(grant.token()).await);
}

pub(crate) async fn a_round_answers_each_part_by_itself(f: Fixture) {
    let other = f.on("other");
    let (here, tokens) = claimed(&f, &["a"]).await;
    let (there, elsewhere) = claimed(&other, &["b"]).await;
    let mut reaped = f.worker();
    reaped.known = 1;
    let ack = |worker: &Worker, token| {
        let action = Action::Ack;
        worker.settle_request(vec![Settlement { token, action }])
    };
    let settles = [
        ack(&here, tokens[0]),
        ack(&here, tokens[0]),
        ack(&there, elsewhere[0]),
    ];
    let round = f
        .broker
        .round(&settles, Some(&reaped.claim_request(1)))
        .await;
    let accepted = |settled: Result<Settled, _>| settled.expect("settle").accepted;
    let accepted = round.settles.into_iter().map(accepted).collect::<Vec<_>>();
    assert_eq!(accepted, [[true], [false], [true]]);
    assert_eq!(
        round.claim.expect("asked for").expect("claim"),
        Claimed::Reaped
    );
}

pub(crate) async fn a_round_of_nothing_answers_nothing(f: Fixture) {
    let round = f.broker.round(&[], None).await;
    assert!(round.settles.is_empty() && round.claim.is_none());
}

pub(crate) async fn an_equal_element_in_delayed_takes_the_time_of_the_retry(f: Fixture) {
    let (worker, tokens) = claimed(&f, &["a"]).await;
    f.enqueue_due(&["a"], Due::At(At::from_ms(1))).await;
    worker.settle_one(tokens[0], retry("a", HOURS)).await;
    let delayed = f.page(JobState::Delayed, 0, 10).await;
    assert_eq!(delayed.len(), 1);
    assert_ne!(delayed[0].due, Some(At::from_ms(1)));
}
