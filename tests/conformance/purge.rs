//! Removing all that is in one state.

use jobq::broker::{Counts, DeadCaps, Due};
use jobq::{JobState, Token};

use crate::fixture::{Fixture, Given, HOURS, Worker, bytes};

async fn purge(f: &Fixture, state: JobState) -> u64 {
    f.broker.purge(&f.queue, state).await.expect("purge")
}

/// Something in every place: three ready, two of them suspects, two delayed, one in flight, one
/// handed over, four dead.
async fn everywhere(f: &Fixture) -> (Worker, Token) {
    f.with_dead(&["w", "x", "y", "z"]).await;
    f.suspect(&["s", "t"]).await;
    let mut worker = f.member().await;
    f.enqueue(&["claimed", "handed", "ready"]).await;
    let token = worker.claim(1).await.token();
    worker.be_handed(1).await;
    f.enqueue_due(&["later", "much later"], Due::After(HOURS))
        .await;
    (worker, token)
}

pub(crate) async fn ready_goes_with_the_suspects(f: Fixture) {
    everywhere(&f).await;
    let before = f.stats().await;
    assert_eq!(purge(&f, JobState::Ready).await, 3);
    let expected = Counts {
        ready: 0,
        suspects: 0,
        oldest: None,
        ..before
    };
    assert_eq!(f.stats().await, expected);
}

pub(crate) async fn suspects_go_alone(f: Fixture) {
    everywhere(&f).await;
    let before = f.stats().await;
    assert_eq!(purge(&f, JobState::Suspect).await, 2);
    let expected = Counts {
        suspects: 0,
        ..before
    };
    assert_eq!(f.stats().await, expected);
    assert_eq!(purge(&f, JobState::Suspect).await, 0);
}

pub(crate) async fn delayed_goes_whole(f: Fixture) {
    everywhere(&f).await;
    let before = f.stats().await;
    assert_eq!(purge(&f, JobState::Delayed).await, 2);
    let expected = Counts {
        delayed: 0,
        next_due: None,
        ..before
    };
    assert_eq!(f.stats().await, expected);
    assert!(f.names(JobState::Delayed).await.is_empty());
}

pub(crate) async fn dead_goes_whole_and_counts_for_no_cap_any_more(f: Fixture) {
    everywhere(&f).await;
    let before = f.stats().await;
    assert_eq!(purge(&f, JobState::Dead).await, 4);
    assert_eq!(f.stats().await, Counts { dead: 0, ..before });
    let caps = DeadCaps {
        bytes: 10,
        ..DeadCaps::default()
    };
    assert_eq!(f.bury(&[b"aaaaaaaaaa"], caps).await.dropped, 0);
}

pub(crate) async fn what_is_in_flight_stays_its_workers(f: Fixture) {
    let (worker, token) = everywhere(&f).await;
    let before = f.stats().await;
    assert_eq!(purge(&f, JobState::InFlight).await, 0);
    assert_eq!(f.stats().await, before);
    assert!(worker.ack(token).await);
}

pub(crate) async fn an_empty_queue_has_nothing_to_purge(f: Fixture) {
    for state in [JobState::Ready, JobState::Delayed, JobState::Dead] {
        assert_eq!(purge(&f, state).await, 0);
    }
    assert_eq!(f.stats().await, Counts::default());
}

pub(crate) async fn sent_again_it_removes_what_has_come_since(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    assert_eq!(purge(&f, JobState::Ready).await, 2);
    assert_eq!(purge(&f, JobState::Ready).await, 0);
    f.enqueue(&["c"]).await;
    assert_eq!(purge(&f, JobState::Ready).await, 1);
}

pub(crate) async fn touches_no_other_queue(f: Fixture) {
    let other = f.on("other");
    everywhere(&other).await;
    let before = other.stats().await;
    for state in [JobState::Ready, JobState::Delayed, JobState::Dead] {
        assert_eq!(purge(&f, state).await, 0);
    }
    assert_eq!(other.stats().await, before);
}

pub(crate) async fn what_comes_afterwards_is_claimed_as_ever(f: Fixture) {
    everywhere(&f).await;
    for state in [JobState::Ready, JobState::Delayed, JobState::Dead] {
        purge(&f, state).await;
    }
    f.enqueue(&["a"]).await;
    f.enqueue_due(&["b"], Due::At(jobq::At::from_ms(1))).await;
    let grant = f.member().await.claim(10).await;
    assert_eq!(grant.envelopes, ["b", "a"].map(bytes));
}
