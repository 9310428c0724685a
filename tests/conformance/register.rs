//! register and order: what workers tell of themselves, and what they are told.

use std::time::Duration;

use bytes::Bytes;
use jobq::WorkerId;
use jobq::broker::{Order, Registered};

use crate::fixture::{Fixture, HOURS};

async fn tell(f: &Fixture, worker: &WorkerId, record: &'static [u8]) -> Option<Order> {
    let record = Bytes::from_static(record);
    let told = f.broker.register(worker, &record, HOURS).await;
    told.expect("register")
}

/// By a whole scan, in order.
async fn registered(f: &Fixture) -> Vec<Registered> {
    let (mut all, mut cursor) = (Vec::new(), 0);
    loop {
        let (next, found) = f.broker.registered(cursor).await.expect("registered");
        all.extend(found);
        if next == 0 {
            all.sort_by(|a, b| a.worker.cmp(&b.worker));
            all.dedup();
            return all;
        }
        cursor = next;
    }
}

async fn order(f: &Fixture, worker: &WorkerId, order: Order) -> bool {
    f.broker.order(worker, order).await.expect("order")
}

fn ids<const N: usize>() -> [WorkerId; N] {
    std::array::from_fn(|n| WorkerId::from_stored(&format!("w{n}")))
}

pub(crate) async fn what_was_told_last_is_kept(f: Fixture) {
    assert_eq!(registered(&f).await, []);
    let [one, other] = ids();
    for (worker, record) in [(&one, &b"1"[..]), (&other, b""), (&one, b"a b \0\xff")] {
        assert_eq!(tell(&f, worker, record).await, None);
    }
    let told = registered(&f).await;
    let told: Vec<_> = told
        .iter()
        .map(|one| (&one.worker, &one.record[..]))
        .collect();
    assert_eq!(told, [(&one, &b"a b \0\xff"[..]), (&other, b"")]);
}

pub(crate) async fn it_says_when_it_was_told(f: Fixture) {
    let [one] = ids();
    tell(&f, &one, b"1").await;
    let seen = registered(&f).await[0].seen;
    let (now, about) = (f.broker.now(), Duration::from_secs(60));
    assert!(
        seen <= now.after(about) && now <= seen.after(about),
        "{seen} {now}"
    );
}

pub(crate) async fn one_who_has_gone_is_forgotten(f: Fixture) {
    let [one, other] = ids();
    tell(&f, &one, b"1").await;
    tell(&f, &other, b"2").await;
    for _ in 0..2 {
        f.broker.deregister(&one).await.expect("deregister");
    }
    let told = registered(&f).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].worker, other);
}

pub(crate) async fn one_who_was_silent_for_too_long_is_not_told_of(f: Fixture) {
    let [silent, speaking] = ids();
    let record = Bytes::from_static(b"1");
    let told = f
        .broker
        .register(&silent, &record, Duration::from_millis(1))
        .await;
    told.expect("register");
    tell(&f, &speaking, b"2").await;
    let only_one = async || {
        let told = registered(&f).await;
        (told.len() == 1 && told[0].worker == speaking).then_some(())
    };
    support::eventually("the end of the silent one", only_one).await;
    assert!(!order(&f, &silent, Order::Quiet).await);
}

pub(crate) async fn many_are_told_of_page_by_page(f: Fixture) {
    let workers: [WorkerId; 300] = ids();
    for worker in &workers {
        tell(&f, worker, &[7; 200]).await;
    }
    assert_eq!(registered(&f).await.len(), 300);
}

pub(crate) async fn an_order_reaches_its_worker_and_no_other(f: Fixture) {
    let [one, other] = ids();
    tell(&f, &one, b"1").await;
    tell(&f, &other, b"2").await;
    assert!(order(&f, &one, Order::Quiet).await);
    assert_eq!(tell(&f, &one, b"1").await, Some(Order::Quiet));
    assert_eq!(
        tell(&f, &one, b"1").await,
        Some(Order::Quiet),
        "until it has gone"
    );
    assert_eq!(tell(&f, &other, b"2").await, None);
    assert!(order(&f, &one, Order::Stop).await);
    assert_eq!(tell(&f, &one, b"1").await, Some(Order::Stop));
}

pub(crate) async fn an_order_to_nobody_is_refused(f: Fixture) {
    let [one, gone] = ids();
    assert!(!order(&f, &one, Order::Stop).await);
    assert_eq!(tell(&f, &one, b"1").await, None);
    tell(&f, &gone, b"1").await;
    f.broker.deregister(&gone).await.expect("deregister");
    assert!(!order(&f, &gone, Order::Stop).await);
}

pub(crate) async fn an_order_goes_with_its_worker(f: Fixture) {
    let [one] = ids();
    tell(&f, &one, b"1").await;
    assert!(order(&f, &one, Order::Stop).await);
    f.broker.deregister(&one).await.expect("deregister");
    assert_eq!(tell(&f, &one, b"1").await, None);
}

pub(crate) async fn to_be_quiet_does_not_take_the_place_of_to_stop(f: Fixture) {
    let [one] = ids();
    tell(&f, &one, b"1").await;
    for (ordered, seen) in [
        (Order::Quiet, Order::Quiet),
        (Order::Quiet, Order::Quiet),
        (Order::Stop, Order::Stop),
        (Order::Quiet, Order::Stop),
        (Order::Stop, Order::Stop),
    ] {
        assert!(order(&f, &one, ordered).await);
        assert_eq!(tell(&f, &one, b"1").await, Some(seen), "{ordered:?}");
    }
}
