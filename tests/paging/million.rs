//! A million jobs in ready, and a million in delayed.

use jobq::JobState;
use jobq::broker::Role;

use crate::store::{Store, To, id, number};

const JOBS: u64 = 1_000_000;

const PAGE: u32 = 1000;

/// What a queue is filled with again where a million are gone.
const AGAIN: u64 = 100_000;

async fn nothing() {}

/// Each `nth` page from the first to the last, held against what must be there.
async fn walk(store: &Store, state: JobState, nth: usize) {
    let (broker, queue) = (store.client.broker(), store.queue());
    for offset in (0..JOBS).step_by(PAGE as usize * nth) {
        let what = format!("the page of {state:?} at {offset}");
        let look = async || broker.page(queue.name(), state, offset, PAGE).await;
        let page = store.expect_fast(&what, nothing, look).await.unwrap();
        let numbers = page.iter().map(|element| number(&element.bytes));
        assert!(numbers.eq(offset + 1..=offset + u64::from(PAGE)), "{what}");
    }
}

#[tokio::test]
async fn a_walk_through_a_million_jobs_holds_nobody() {
    let store = Store::start().await;
    store.fill(To::Ready, 1..=JOBS, 40).await;
    store.fill(To::Delayed, 1..=JOBS, 40).await;
    walk(&store, JobState::Ready, 1).await;
    // What a page of a sorted set costs does not depend on its place: a few will do.
    walk(&store, JobState::Delayed, 20).await;
    let queue = store.queue();
    let look = async || queue.stats().await.unwrap();
    let stats = store.expect_fast("stats", nothing, look).await;
    assert_eq!((stats.ready, stats.delayed), (JOBS, JOBS));
    examine(&store).await;
    run_now_of_each_kind(&store).await;
    withdraw_from_each_depth(&store).await;
    purge(&store).await;
}

/// All that `jobq doctor` and `jobq health` ask.
async fn examine(store: &Store) {
    let (broker, queue) = (store.client.broker(), store.queue());
    let ask = async || {
        broker.examine().await.unwrap();
        let facts = broker.examine_queue(queue.name()).await.unwrap();
        broker.all_owners(0).await.unwrap();
        for role in Role::ALL {
            broker.missing_rights(role, queue.name()).await.unwrap();
        }
        facts
    };
    let facts = store.expect_fast("examine", nothing, ask).await.unwrap();
    let lengths = facts.keys.iter().filter_map(|key| key.length);
    assert_eq!(lengths.filter(|length| *length == JOBS).count(), 2);
}

async fn run_now_of_each_kind(store: &Store) {
    let queue = store.queue();
    for wanted in [1, JOBS / 2, JOBS] {
        let put_back = async || store.fill(To::Delayed, wanted..=wanted, 40).await;
        let run = async || queue.run_now(id(wanted)).await.unwrap();
        assert!(store.expect_fast("run_now", put_back, run).await);
        let front = queue.jobs(JobState::Ready, 0, 1).await.unwrap();
        assert_eq!(front[0].id(), Some(id(wanted)));
    }
    let run = async || queue.run_now(id(JOBS + 1)).await.unwrap();
    assert!(!store.expect_fast("run_now of none", nothing, run).await);
}

/// Near either end, and where it is furthest to both.
async fn withdraw_from_each_depth(store: &Store) {
    let (broker, queue) = (store.client.broker(), store.queue());
    for place in [0, 49_999, JOBS / 4, JOBS / 2, JOBS - 50_000, JOBS - 10] {
        let fill = async || store.fill(To::Ready, JOBS..=JOBS, 40).await;
        let take = async || {
            let page = broker.page(queue.name(), JobState::Ready, place, 1).await;
            let element = page.unwrap().remove(0).bytes;
            let state = JobState::Ready;
            broker.withdraw(queue.name(), state, &element, place).await
        };
        let what = format!("withdraw at {place}");
        assert!(
            store.expect_fast(&what, fill, take).await.unwrap(),
            "{place}"
        );
    }
}

async fn purge(store: &Store) {
    let queue = store.queue();
    for (state, to) in [
        (JobState::Ready, To::Ready),
        (JobState::Delayed, To::Delayed),
    ] {
        let refill = async || store.fill(to, 1..=AGAIN, 40).await;
        let purge = async || queue.purge(state).await.unwrap();
        let what = format!("purge of {state:?}");
        assert!(store.expect_fast(&what, refill, purge).await >= AGAIN);
        assert!(queue.jobs(state, 0, 1).await.unwrap().is_empty());
    }
}
