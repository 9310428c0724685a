//! claim: handoff, ready → in flight; delayed → ready on the way.

use bytes::Bytes;
use jobq::broker::{Claimed, Due, MAX_BATCH_BYTES};
use jobq::{At, JobState, Token};

use crate::fixture::{Fixture, Given, HOURS, entry, numbered, strs};

const MIB: usize = 1 << 20;

pub(crate) async fn oldest_first(f: Fixture) {
    f.enqueue(&["a", "b", "c"]).await;
    let mut worker = f.member().await;
    assert_eq!(worker.claim(1).await.names(), ["a"]);
    assert_eq!(worker.claim(2).await.names(), ["b", "c"]);
}

pub(crate) async fn takes_no_more_than_asked_for(f: Fixture) {
    f.enqueue(&["a", "b", "c"]).await;
    assert_eq!(f.member().await.claim(2).await.names(), ["a", "b"]);
    assert_eq!(f.ready().await, ["c"]);
}

pub(crate) async fn takes_a_thousand_at_once(f: Fixture) {
    let names = numbered(1001);
    f.enqueue(&strs(&names[..1000])).await;
    f.enqueue(&strs(&names[1000..])).await;
    let mut worker = f.member().await;
    assert_eq!(worker.claim(1000).await.names(), names[..1000]);
    assert_eq!(worker.held().await.len(), 1000);
    assert_eq!(worker.claim(1000).await.names(), names[1000..]);
}

pub(crate) async fn tokens_are_the_counter_and_the_place(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    let mut worker = f.member().await;
    let claim = worker.claim(10).await.counter;
    let token = |index| Token { claim, index };
    assert_eq!(worker.held().await, [token(1), token(2)]);
    assert!(worker.ack(token(1)).await && worker.ack(token(2)).await);
}

pub(crate) async fn an_empty_queue_gives_nothing_and_is_joined(f: Fixture) {
    let mut worker = f.worker();
    let grant = worker.claim(10).await;
    assert!(grant.envelopes.is_empty());
    assert_eq!(
        (grant.next_due, grant.paused, grant.suspects),
        (None, false, 0)
    );
    assert_eq!(f.counter(&worker.id).await, Some(grant.counter));
    assert_eq!(grant.counter, 1);
}

pub(crate) async fn every_claim_raises_the_counter(f: Fixture) {
    let mut worker = f.worker();
    for counter in 1..=3 {
        assert_eq!(worker.claim(0).await.counter, counter);
        assert_eq!(f.counter(&worker.id).await, Some(counter));
    }
}

/// A store that lost its last writes must not give a token out again.
pub(crate) async fn the_counter_passes_what_the_worker_knows(f: Fixture) {
    let mut worker = f.member().await;
    worker.known = 41;
    assert_eq!(worker.claim(0).await.counter, 42);
}

/// The answer of the claim before was lost: the worker knows less than is stored.
pub(crate) async fn the_counter_passes_what_is_stored(f: Fixture) {
    let mut worker = f.member().await;
    let stale = worker.clone();
    let counter = worker.claim(0).await.counter;
    assert!(stale.clone().claim(0).await.counter > counter);
}

pub(crate) async fn one_who_knows_a_counter_and_is_no_member_is_reaped(f: Fixture) {
    f.enqueue(&["a"]).await;
    let mut worker = f.worker();
    worker.known = 3;
    let claim = worker.claim_request(1);
    assert_eq!(worker.try_claim(&claim).await, Claimed::Reaped);
    assert_eq!(f.counter(&worker.id).await, None);
    assert_eq!(f.ready().await, ["a"]);
}

pub(crate) async fn one_being_adopted_is_reaped(f: Fixture) {
    f.enqueue(&["a", "b", "c"]).await;
    let (mut dead, mut reaper) = (f.member().await, f.member().await);
    dead.claim(2).await;
    let seen = f.counter(&dead.id).await;
    reaper.adopt(&dead.id, seen, 1).await;
    for known in [0, dead.known] {
        dead.known = known;
        let claim = dead.claim_request(1);
        assert_eq!(dead.try_claim(&claim).await, Claimed::Reaped);
    }
    assert_eq!(f.counter(&dead.id).await, Some(0));
    assert_eq!(f.ready().await, ["c"]);
}

pub(crate) async fn one_that_was_adopted_is_reaped(f: Fixture) {
    let (mut dead, mut reaper) = (f.member().await, f.member().await);
    reaper.adopt_all(&dead).await;
    f.enqueue(&["a"]).await;
    let claim = dead.claim_request(1);
    assert_eq!(dead.try_claim(&claim).await, Claimed::Reaped);
    assert_eq!(f.ready().await, ["a"]);
}

/// Nothing due is promoted for one who is reaped.
pub(crate) async fn one_who_is_reaped_changes_nothing(f: Fixture) {
    f.enqueue_due(&["due"], Due::At(At::from_ms(1))).await;
    let mut worker = f.worker();
    worker.known = 1;
    let claim = worker.claim_request(1);
    assert_eq!(worker.try_claim(&claim).await, Claimed::Reaped);
    assert_eq!(f.names(JobState::Delayed).await, ["due"]);
}

pub(crate) async fn two_workers_never_share_a_job(f: Fixture) {
    let names = numbered(100);
    f.enqueue(&strs(&names)).await;
    let (mut a, mut b) = (f.member().await, f.member().await);
    let mut claimed = Vec::new();
    for _ in 0..10 {
        let (of_a, of_b) = tokio::join!(a.claim(5), b.claim(5));
        claimed.extend(of_a.names());
        claimed.extend(of_b.names());
    }
    claimed.sort();
    assert_eq!(claimed, names);
}

pub(crate) async fn a_claim_sent_again_gives_other_jobs(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    let mut worker = f.member().await;
    let request = worker.claim_request(1);
    let first = f.broker.claim(&request).await.expect("claim");
    let second = worker.try_claim(&request).await;
    assert_ne!(first, second);
    assert_eq!(worker.held().await.len(), 2);
}

pub(crate) async fn takes_the_handoff_first(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue(&["a", "b", "c"]).await;
    worker.be_handed(2).await;
    assert_eq!(worker.claim(3).await.names(), ["a", "b", "c"]);
    assert_eq!(worker.handed().await, 0);
}

pub(crate) async fn what_is_left_of_the_handoff_goes_back_to_the_front(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue(&["a", "b", "c", "d"]).await;
    worker.be_handed(3).await;
    assert_eq!(worker.claim(1).await.names(), ["a"]);
    assert_eq!(f.ready().await, ["b", "c", "d"]);
    assert_eq!(worker.handed().await, 0);
}

pub(crate) async fn zero_takes_nothing_and_gives_the_handoff_back(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue(&["a", "b", "c"]).await;
    worker.be_handed(2).await;
    assert!(worker.claim(0).await.envelopes.is_empty());
    assert_eq!(f.ready().await, ["a", "b", "c"]);
}

pub(crate) async fn stops_at_eight_mebibytes(f: Fixture) {
    let large = (b'a'..b'l').map(|fill| vec![fill; MIB]).collect::<Vec<_>>();
    for envelope in &large {
        f.enqueue_entries(&[entry(envelope, Due::Now)]).await;
    }
    let mut worker = f.member().await;
    let first = worker.claim(1000).await.envelopes;
    assert_eq!(first.iter().map(Bytes::len).sum::<usize>(), MAX_BATCH_BYTES);
    let rest = worker.claim(1000).await.envelopes;
    assert_eq!([first, rest].concat(), large);
}

pub(crate) async fn stops_at_eight_mebibytes_of_the_handoff_too(f: Fixture) {
    let mut worker = f.member().await;
    let large = (b'a'..b'f')
        .map(|fill| vec![fill; 2 * MIB])
        .collect::<Vec<_>>();
    for envelope in &large {
        f.enqueue_entries(&[entry(envelope, Due::Now)]).await;
    }
    f.enqueue(&["small"]).await;
    worker.be_handed(5).await;
    assert_eq!(worker.claim(1000).await.envelopes, large[..4]);
    let rest = worker.claim(1000).await.envelopes;
    assert_eq!(rest, [&large[4][..], b"small"]);
}

pub(crate) async fn takes_a_job_over_the_bound_alone(f: Fixture) {
    let huge = vec![b'x'; MAX_BATCH_BYTES + 1];
    f.enqueue_entries(&[entry(&huge, Due::Now)]).await;
    f.enqueue(&["a"]).await;
    let mut worker = f.member().await;
    assert_eq!(worker.claim(1000).await.envelopes, [huge]);
    assert_eq!(worker.claim(1000).await.names(), ["a"]);
}

pub(crate) async fn what_is_due_comes_first_by_its_time(f: Fixture) {
    f.enqueue(&["ready"]).await;
    for (name, ms) in [("third", 3), ("first", 1), ("second", 2)] {
        f.enqueue_due(&[name], Due::At(At::from_ms(ms))).await;
    }
    let grant = f.member().await.claim(10).await;
    assert_eq!(grant.names(), ["first", "second", "third", "ready"]);
}

pub(crate) async fn what_is_due_at_one_time_comes_by_its_bytes(f: Fixture) {
    f.enqueue_due(&["b", "c", "a"], Due::At(At::from_ms(1)))
        .await;
    assert_eq!(f.member().await.claim(10).await.names(), ["a", "b", "c"]);
}

pub(crate) async fn the_handoff_comes_before_what_is_due(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue(&["a", "b", "c"]).await;
    worker.be_handed(2).await;
    f.enqueue_due(&["due"], Due::At(At::from_ms(1))).await;
    assert_eq!(worker.claim(1).await.names(), ["a"]);
    assert_eq!(f.ready().await, ["b", "due", "c"]);
}

pub(crate) async fn promotes_at_most_a_hundred(f: Fixture) {
    let names = numbered(120);
    f.enqueue_due(&strs(&names), Due::At(At::from_ms(1))).await;
    let mut worker = f.member().await;
    assert_eq!(f.ready().await, names[..100]);
    let grant = worker.claim(1000).await;
    assert_eq!(grant.names(), [&names[100..], &names[..100]].concat());
}

pub(crate) async fn promotes_nothing_early(f: Fixture) {
    f.enqueue_due(&["later"], Due::After(HOURS)).await;
    let grant = f.member().await.claim(10).await;
    assert!(grant.envelopes.is_empty());
    assert_eq!(f.names(JobState::Delayed).await, ["later"]);
}

pub(crate) async fn tells_how_long_until_the_next_is_due(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue_due(&["later"], Due::After(HOURS)).await;
    let next = worker.claim(0).await.next_due.expect("one is delayed");
    assert!(next <= HOURS && next > HOURS / 2, "{next:?}");
    f.enqueue_due(&strs(&numbered(101)), Due::At(At::from_ms(1)))
        .await;
    let next = worker.claim(0).await.next_due.expect("one is delayed");
    assert!(
        next.is_zero(),
        "one more is due than a claim promotes: {next:?}"
    );
}

pub(crate) async fn a_paused_queue_gives_nothing_and_says_so(f: Fixture) {
    f.enqueue(&["a"]).await;
    f.pause().await;
    let mut worker = f.member().await;
    let grant = worker.claim(10).await;
    assert!(grant.paused && grant.envelopes.is_empty());
    f.resume().await;
    let grant = worker.claim(10).await;
    assert!(!grant.paused);
    assert_eq!(grant.names(), ["a"]);
}

pub(crate) async fn a_paused_queue_takes_the_handoff_back(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue(&["a", "b", "c"]).await;
    worker.be_handed(2).await;
    f.pause().await;
    assert!(worker.claim(10).await.envelopes.is_empty());
    assert_eq!(f.ready().await, ["a", "b", "c"]);
    assert_eq!(worker.handed().await, 0);
}

pub(crate) async fn a_paused_queue_still_promotes(f: Fixture) {
    f.pause().await;
    f.enqueue_due(&["due"], Due::At(At::from_ms(1))).await;
    assert!(f.member().await.claim(10).await.envelopes.is_empty());
    assert_eq!(f.ready().await, ["due"]);
}
