//! The caps of the dead list: what lies beyond them is dropped, oldest first, and counted.

use std::time::Duration;

use jobq::broker::{Action, DeadCaps, ReleaseTo, Settle, Settlement};
use jobq::{At, JobState};

use crate::fixture::{Fixture, HOURS, claimed, record};

const OPEN: DeadCaps = DeadCaps {
    count: u64::MAX >> 16,
    bytes: u64::MAX >> 16,
    age: Duration::from_secs(180 * 24 * 3600),
};

const AGED: DeadCaps = DeadCaps { age: HOURS, ..OPEN };

async fn dead(f: &Fixture) -> Vec<Vec<u8>> {
    let page = f.page(JobState::Dead, 0, 1000).await;
    page.iter().map(|element| element.bytes.to_vec()).collect()
}

/// A record of a job that died so long ago.
fn died(f: &Fixture, ago: Duration, tail: &str) -> Vec<u8> {
    let now = f.broker.now().as_ms();
    record(At::from_ms(now - ago.as_millis() as u64), tail)
}

pub(crate) async fn drop_the_oldest_beyond_a_count(f: Fixture) {
    let caps = DeadCaps { count: 3, ..OPEN };
    assert_eq!(f.bury(&[b"a", b"b"], caps).await.dropped, 0);
    assert_eq!(f.bury(&[b"c", b"d", b"e"], caps).await.dropped, 2);
    assert_eq!(dead(&f).await, [b"e", b"d", b"c"]);
    assert_eq!(f.stats().await.dead, 3);
}

pub(crate) async fn drop_the_oldest_beyond_a_size(f: Fixture) {
    let caps = DeadCaps { bytes: 10, ..OPEN };
    assert_eq!(f.bury(&[b"aaaa", b"bbbbbb"], caps).await.dropped, 0);
    assert_eq!(f.bury(&[b"c"], caps).await.dropped, 1);
    assert_eq!(dead(&f).await, [&b"c"[..], b"bbbbbb"]);
}

pub(crate) async fn the_size_counts_what_was_taken_out_no_more(f: Fixture) {
    let caps = DeadCaps { bytes: 10, ..OPEN };
    f.bury(&[b"aaaa", b"bbbb"], caps).await;
    assert_eq!(f.take_dead(&[("bbbb", None)], 0).await, 1);
    assert_eq!(f.bury(&[b"cccccc"], caps).await.dropped, 0);
    assert_eq!(dead(&f).await, [&b"cccccc"[..], b"aaaa"]);
}

pub(crate) async fn drop_what_is_older_than_an_age(f: Fixture) {
    let (old, young) = (died(&f, 2 * HOURS, ""), died(&f, HOURS / 2, "young"));
    assert_eq!(f.bury(&[&old, &young], OPEN).await.dropped, 0);
    let new = died(&f, Duration::ZERO, "new");
    assert_eq!(f.bury(&[&new], AGED).await.dropped, 1);
    assert_eq!(dead(&f).await, [new, young]);
}

pub(crate) async fn keep_what_tells_no_age(f: Fixture) {
    let short = died(&f, 2 * HOURS, "")[..27].to_vec();
    let odd = [0; 64];
    f.bury(&[b"", b"short", &short, &odd], AGED).await;
    assert_eq!(f.bury(&[b"new"], AGED).await.dropped, 0);
    assert_eq!(dead(&f).await.len(), 5);
}

pub(crate) async fn narrower_ones_drop_what_wider_ones_kept(f: Fixture) {
    let records = (b'a'..b'k').map(|name| [name]).collect::<Vec<_>>();
    let records = records.iter().map(|name| &name[..]).collect::<Vec<_>>();
    f.bury(&records, OPEN).await;
    let caps = DeadCaps { count: 2, ..OPEN };
    assert_eq!(f.bury(&[b"new"], caps).await.dropped, 9);
    assert_eq!(dead(&f).await, [&b"new"[..], b"j"]);
}

pub(crate) async fn drop_nothing_where_nothing_is_buried(f: Fixture) {
    f.bury(&[b"a", b"b"], OPEN).await;
    let (worker, tokens) = claimed(&f, &["job"]).await;
    let release = Action::Release {
        to: ReleaseTo::Front,
        envelope: None,
    };
    // The release acts, and the acknowledgement comes too late.
    for (action, accepted) in [(release, true), (Action::Ack, false)] {
        let token = tokens[0];
        let settle = Settle {
            caps: DeadCaps { count: 1, ..OPEN },
            ..worker.settle_request(vec![Settlement { token, action }])
        };
        let settled = f.broker.settle(settle).await.expect("settle");
        assert_eq!((settled.accepted, settled.dropped), (vec![accepted], 0));
    }
    assert_eq!(dead(&f).await.len(), 2);
}
