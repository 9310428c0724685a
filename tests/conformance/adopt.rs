//! adopt: in flight (A) → in flight (B); handoff (A) → front of ready.

use bytes::Bytes;
use jobq::broker::{Adopted, Due, MAX_BATCH_BYTES, Renewed, Wake};
use jobq::{At, JobState};

use crate::fixture::{
    Fixture, Given, Worker, dead_and_reaper, entry, granted, numbered, strs, taken,
};

pub(crate) async fn takes_what_is_in_flight(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &["a", "b"]).await;
    f.enqueue(&["c"]).await;
    dead.claim(1).await;
    let grant = reaper.adopt_all(&dead).await;
    assert_eq!(grant.names(), ["a", "b", "c"]);
    assert_eq!(reaper.held().await, grant.tokens());
    assert!(dead.held().await.is_empty());
    assert_eq!(f.owners().await, std::slice::from_ref(&reaper.id));
}

/// It never started: nobody died with it.
pub(crate) async fn the_handoff_goes_back_to_the_front_of_ready(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    f.enqueue(&["b", "c", "d"]).await;
    dead.be_handed(2).await;
    // Also of a paused queue: nothing is taken.
    f.pause().await;
    let grant = reaper.adopt_all(&dead).await;
    assert_eq!(grant.names(), ["a"]);
    assert_eq!(f.names(JobState::Ready).await, ["b", "c", "d"]);
    assert_eq!(reaper.held().await, grant.tokens());
    assert_eq!(dead.renew().await, Renewed::Reaped);
}

/// A worker is handed one job at a time: so many are somebody else's work.
pub(crate) async fn a_huge_handoff_goes_back_in_parts(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    let names = numbered(1001);
    for part in names.chunks(1000) {
        f.enqueue(&strs(part)).await;
    }
    dead.be_handed(1001).await;
    let (grant, more) = taken(reaper.adopt(&dead.id, Some(dead.known), 10).await);
    assert_eq!((grant.names(), more), (vec!["a".to_owned()], true));
    assert_eq!(f.stats().await.ready, 1000);
    let (grant, more) = taken(reaper.adopt(&dead.id, Some(0), 10).await);
    assert_eq!((grant.envelopes.len(), more), (0, false));
    assert_eq!(reaper.claim(1000).await.names(), names[..1000]);
    assert_eq!(dead.renew().await, Renewed::Reaped);
}

pub(crate) async fn one_that_is_refused_leaves_the_handoff(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    f.enqueue(&["b"]).await;
    dead.be_handed(1).await;
    assert_eq!(reaper.adopt(&dead.id, None, 10).await, Adopted::Alive);
    assert_eq!(dead.handed().await, 1);
}

pub(crate) async fn a_handoff_that_goes_back_wakes_another(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    f.enqueue(&["b"]).await;
    dead.be_handed(1).await;
    let idle = f.member().await;
    let waiter = idle.waiter();
    let (wake, _) = tokio::join!(waiter.wait(support::DEADLINE), reaper.adopt_all(&dead));
    assert_eq!(wake.expect("wait"), Wake::Handed);
}

/// As numbers, not as text: `2.10` comes after `2.9`, and `10.1` after `9.1`.
pub(crate) async fn keeps_the_order_of_the_old_tokens(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &[]).await;
    let names = numbered(36);
    f.enqueue(&strs(&names)).await;
    for _ in 0..3 {
        dead.claim(11).await;
        while dead.known < 9 {
            dead.renew().await;
        }
    }
    dead.claim(3).await;
    assert_eq!(reaper.adopt_all(&dead).await.names(), names);
}

pub(crate) async fn what_was_adopted_is_settled_by_the_adopter(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a", "b"]).await;
    let old = dead.held().await;
    let grant = reaper.adopt_all(&dead).await;
    assert!(!dead.ack(old[0]).await);
    for token in grant.tokens() {
        assert!(reaper.ack(token).await);
    }
    assert_eq!(f.stats().await.in_flight, 0);
}

pub(crate) async fn the_target_is_no_member_any_more(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    reaper.adopt_all(&dead).await;
    assert_eq!(f.counter(&dead.id).await, None);
}

pub(crate) async fn the_adopters_counter_rises(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    let before = reaper.known;
    let grant = reaper.adopt_all(&dead).await;
    assert_eq!(grant.counter, before + 1);
    assert_eq!(f.counter(&reaper.id).await, Some(before + 1));
}

/// A store that lost its last writes must not give a token out again.
pub(crate) async fn the_adopters_counter_passes_what_it_knows(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    reaper.known = 41;
    assert_eq!(reaper.adopt_all(&dead).await.counter, 42);
}

pub(crate) async fn refuses_a_living_worker(f: Fixture) {
    let (mut alive, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    let seen = f.counter(&alive.id).await;
    alive.renew().await;
    assert_eq!(reaper.adopt(&alive.id, seen, 10).await, Adopted::Alive);
    assert_eq!(f.counter(&alive.id).await, Some(alive.known));
    assert_eq!(f.counter(&reaper.id).await, Some(reaper.known));
    assert_eq!(alive.held().await.len(), 1);
}

pub(crate) async fn refuses_every_other_counter(f: Fixture) {
    let (alive, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    for seen in [None, Some(0), Some(alive.known - 1), Some(alive.known + 1)] {
        assert_eq!(reaper.adopt(&alive.id, seen, 10).await, Adopted::Alive);
    }
    assert_eq!(alive.held().await.len(), 1);
}

/// Its counter is the lowest there is, next to that of one that is being adopted.
pub(crate) async fn refuses_one_that_has_just_joined(f: Fixture) {
    let (alive, mut reaper) = (f.member().await, f.member().await);
    for seen in [None, Some(0), Some(alive.known + 1)] {
        assert_eq!(reaper.adopt(&alive.id, seen, 10).await, Adopted::Alive);
    }
    assert_eq!(f.counter(&alive.id).await, Some(1));
}

pub(crate) async fn refuses_one_that_was_a_member_and_is_gone(f: Fixture) {
    let (gone, mut reaper) = (f.member().await, f.member().await);
    assert!(gone.leave().await);
    let adopted = reaper.adopt(&gone.id, Some(gone.known), 10).await;
    assert_eq!(adopted, Adopted::Alive);
}

pub(crate) async fn an_adopter_that_was_reaped_changes_nothing(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    assert!(reaper.leave().await);
    let adopted = reaper.adopt(&dead.id, Some(dead.known), 10).await;
    assert_eq!(adopted, Adopted::Reaped);
    assert_eq!(f.counter(&reaper.id).await, None);
    assert_eq!(f.counter(&dead.id).await, Some(dead.known));
    assert_eq!(dead.held().await.len(), 1);
}

pub(crate) async fn an_adopter_being_adopted_is_reaped(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a", "b"]).await;
    let mut third = f.member().await;
    f.enqueue(&["c", "d"]).await;
    reaper.claim(2).await;
    third.adopt(&reaper.id, Some(reaper.known), 1).await;
    // Also by the step with which it would have joined.
    for known in [reaper.known, 0] {
        reaper.known = known;
        let adopted = reaper.adopt(&dead.id, Some(dead.known), 10).await;
        assert_eq!(adopted, Adopted::Reaped);
    }
    assert_eq!(dead.held().await.len(), 2);
}

pub(crate) async fn an_adopter_may_join_by_it(f: Fixture) {
    let (dead, _) = dead_and_reaper(&f, &["a"]).await;
    let mut newcomer = f.worker();
    assert_eq!(newcomer.adopt_all(&dead).await.names(), ["a"]);
    assert_eq!(f.counter(&newcomer.id).await, Some(1));
}

pub(crate) async fn one_that_owns_nothing_is_removed(f: Fixture) {
    let (dead, mut reaper) = (f.member().await, f.member().await);
    assert!(reaper.adopt_all(&dead).await.envelopes.is_empty());
    assert_eq!(f.counter(&dead.id).await, None);
}

pub(crate) async fn a_part_leaves_the_target_at_zero(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a", "b", "c"]).await;
    let (grant, more) = taken(reaper.adopt(&dead.id, Some(dead.known), 2).await);
    assert_eq!(grant.names(), ["a", "b"]);
    assert!(more);
    assert_eq!(f.counter(&dead.id).await, Some(0));
    assert_eq!(dead.held().await.len(), 1);
}

pub(crate) async fn a_part_that_takes_all_leaves_nothing(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a", "b"]).await;
    let (_, more) = taken(reaper.adopt(&dead.id, Some(dead.known), 2).await);
    assert!(!more);
    assert_eq!(f.counter(&dead.id).await, None);
}

pub(crate) async fn what_one_began_another_finishes(f: Fixture) {
    let (dead, mut first) = dead_and_reaper(&f, &["a", "b", "c", "d"]).await;
    let (mut second, mut third) = (f.member().await, f.member().await);
    first.adopt(&dead.id, Some(dead.known), 1).await;
    let (grant, more) = taken(second.adopt(&dead.id, Some(0), 1).await);
    assert_eq!((grant.names(), more), (vec!["b".to_owned()], true));
    // One who saw the worker only before the adoption began may go on with it too.
    let (grant, more) = taken(third.adopt(&dead.id, Some(dead.known), 1).await);
    assert_eq!((grant.names(), more), (vec!["c".to_owned()], true));
    let (grant, more) = taken(third.adopt(&dead.id, None, 1).await);
    assert_eq!((grant.names(), more), (vec!["d".to_owned()], false));
    assert_eq!(f.counter(&dead.id).await, None);
}

/// The adopter of a part dies in turn: nothing of either is lost.
pub(crate) async fn adopters_are_adopted(f: Fixture) {
    let (dead, mut first) = dead_and_reaper(&f, &["a", "b", "c"]).await;
    let mut second = f.member().await;
    first.adopt(&dead.id, Some(dead.known), 2).await;
    assert_eq!(second.adopt_all(&first).await.names(), ["a", "b"]);
    assert_eq!(second.adopt_all(&dead).await.names(), ["c"]);
    assert_eq!(second.held().await.len(), 3);
}

pub(crate) async fn sent_again_it_takes_nothing_twice(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a", "b"]).await;
    let mut lost = reaper.clone();
    lost.adopt(&dead.id, Some(dead.known), 10).await;
    let again = reaper.adopt(&dead.id, Some(dead.known), 10).await;
    assert_eq!(again, Adopted::Alive);
    assert_eq!(reaper.held().await.len(), 2, "what the lost answer told");
}

pub(crate) async fn of_two_at_once_one_gets_all(f: Fixture) {
    let names = numbered(50);
    let (dead, mut a) = dead_and_reaper(&f, &strs(&names)).await;
    let mut b = f.member().await;
    let seen = Some(dead.known);
    let (of_a, of_b) = tokio::join!(a.adopt(&dead.id, seen, 1000), b.adopt(&dead.id, seen, 1000));
    assert!((of_a == Adopted::Alive) != (of_b == Adopted::Alive));
    assert_eq!(a.held().await.len() + b.held().await.len(), 50);
}

pub(crate) async fn equal_elements_are_all_taken(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a", "a", "a"]).await;
    assert_eq!(reaper.adopt_all(&dead).await.names(), ["a", "a", "a"]);
}

pub(crate) async fn stops_at_eight_mebibytes(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &[]).await;
    let large = (b'a'..b'g')
        .map(|fill| vec![fill; 2 << 20])
        .collect::<Vec<_>>();
    for envelope in &large {
        f.enqueue_entries(&[entry(envelope, Due::Now)]).await;
    }
    dead.claim(1000).await;
    dead.claim(1000).await;
    let (first, more) = taken(reaper.adopt(&dead.id, Some(dead.known), 1000).await);
    assert!(more);
    let size = first.envelopes.iter().map(Bytes::len).sum::<usize>();
    assert_eq!(size, MAX_BATCH_BYTES);
    let (second, more) = taken(reaper.adopt(&dead.id, Some(0), 1000).await);
    assert!(!more);
    assert_eq!([first.envelopes, second.envelopes].concat(), large);
}

pub(crate) async fn takes_a_job_over_the_bound_alone(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &[]).await;
    let huge = vec![b'x'; MAX_BATCH_BYTES + 1];
    f.enqueue_entries(&[entry(&huge, Due::Now)]).await;
    f.enqueue(&["a"]).await;
    dead.claim(2).await;
    dead.claim(2).await;
    let (grant, more) = taken(reaper.adopt(&dead.id, Some(dead.known), 1000).await);
    assert_eq!(grant.envelopes, [huge]);
    assert!(more);
}

pub(crate) async fn takes_more_than_a_thousand_in_parts(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &[]).await;
    let names = numbered(1200);
    for part in names.chunks(600) {
        f.enqueue(&strs(part)).await;
        dead.claim(600).await;
    }
    let (first, more) = taken(reaper.adopt(&dead.id, Some(dead.known), 1000).await);
    assert_eq!((first.names(), more), (names[..1000].to_vec(), true));
    let (second, more) = taken(reaper.adopt(&dead.id, Some(0), 1000).await);
    assert_eq!((second.names(), more), (names[1000..].to_vec(), false));
}

pub(crate) async fn takes_each_of_very_many_once(f: Fixture) {
    let (mut dead, mut reaper) = dead_and_reaper(&f, &[]).await;
    let mut names = numbered(6500);
    for part in names.chunks(1000) {
        f.enqueue(&strs(part)).await;
        dead.claim(1000).await;
    }
    let (mut all, mut seen, mut more) = (Vec::new(), dead.known, true);
    while more {
        let (part, rest) = taken(reaper.adopt(&dead.id, Some(seen), 1000).await);
        assert!(part.envelopes.len() == 1000 || !rest);
        all.extend(part.names());
        (seen, more) = (0, rest);
    }
    all.sort();
    names.sort();
    assert!(all == names);
    assert_eq!(f.counter(&dead.id).await, None);
}

pub(crate) async fn touches_no_other_queue(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    let other = f.on("other");
    let mut elsewhere = Worker {
        fixture: other.clone(),
        known: 0,
        ..dead.clone()
    };
    other.enqueue(&["b"]).await;
    elsewhere.claim(1).await;
    reaper.adopt_all(&dead).await;
    assert_eq!(other.counter(&dead.id).await, Some(1));
    assert_eq!(elsewhere.held().await.len(), 1);
}

pub(crate) async fn promotes_nothing(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    f.enqueue_due(&["due"], Due::At(At::from_ms(1))).await;
    reaper.adopt_all(&dead).await;
    assert_eq!(f.names(JobState::Delayed).await, ["due"]);
}

pub(crate) async fn nobody_adopts_itself(f: Fixture) {
    let (mut worker, _) = dead_and_reaper(&f, &["a"]).await;
    let (id, seen) = (worker.id.clone(), worker.known);
    assert_eq!(worker.adopt(&id, Some(seen), 10).await, Adopted::Alive);
    assert_eq!(worker.held().await.len(), 1);
}

/// The settle of a job that was adopted and the worker's joining claim, sent twice, come late: the
/// settle must not act on a job that never ran.
pub(crate) async fn one_who_joins_after_it_gets_new_tokens(f: Fixture) {
    let (mut dead, mut reaper) = (f.worker(), f.member().await);
    f.enqueue(&["a", "b", "c"]).await;
    let late = dead.claim_request(1);
    let old = dead.claim(1).await.token();
    reaper.adopt_all(&dead).await;
    let again = granted(f.broker.claim(&late).await.expect("claim"));
    assert_eq!(again.names(), ["b"]);
    assert!(!dead.ack(old).await);
    assert_eq!(dead.held().await, again.tokens());
}

pub(crate) async fn one_who_joins_by_a_renew_after_it_gets_new_tokens(f: Fixture) {
    let (mut dead, mut reaper) = (f.worker(), f.member().await);
    f.enqueue(&["a"]).await;
    let old = dead.claim(1).await.token();
    reaper.adopt_all(&dead).await;
    dead.known = 0;
    dead.renew().await;
    assert!(dead.known > old.claim);
}

pub(crate) async fn one_who_joins_by_an_adoption_after_it_gets_new_tokens(f: Fixture) {
    let (mut dead, mut reaper, other) = (f.worker(), f.member().await, f.member().await);
    f.enqueue(&["a"]).await;
    let old = dead.claim(1).await.token();
    reaper.adopt_all(&dead).await;
    dead.known = 0;
    dead.adopt_all(&other).await;
    assert!(dead.known > old.claim);
}

/// A token given out a second time would take the place of what is in flight by it.
pub(crate) async fn an_adopter_whose_last_answer_was_lost_gets_new_tokens(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    f.enqueue(&["b"]).await;
    let mut lost = reaper.clone();
    lost.claim(1).await;
    reaper.adopt_all(&dead).await;
    assert_eq!(reaper.held().await.len(), 2);
}
