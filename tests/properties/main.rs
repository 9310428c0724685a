//! Random sequences of steps ([`support::sequences`]).
//!
//! A failure prints the seed; `PROPTEST_RNG_SEED=… cargo test -p jobq-tests --test properties`
//! replays it, and `PROPTEST_CASES=10000` looks further.

use std::env::var;

use support::sequences::Sequences;

#[test]
fn the_model_has_the_brokers_bounds() {
    use jobq::broker::{CANCELLED_FOR, MAX_PROMOTE};
    use jobq_model::store;
    assert_eq!(store::MAX_PROMOTE, MAX_PROMOTE as usize);
    assert_eq!(store::CANCELLED_FOR * 3600, CANCELLED_FOR.as_secs());
}

#[test]
fn memory_follows_the_model() {
    sequences(256).on_memory();
}

#[test]
fn memory_and_redis_follow_the_model() {
    sequences(64).on_memory_and_redis();
}

/// So many, unless the environment says otherwise.
fn sequences(count: u32) -> Sequences {
    let count = number("PROPTEST_CASES").map_or(count, |cases| cases as u32);
    let seed = number("PROPTEST_RNG_SEED").unwrap_or_else(random);
    Sequences { count, seed }
}

fn number(variable: &str) -> Option<u64> {
    let value = var(variable).ok()?;
    Some(value.parse().expect("the variable is a number"))
}

fn random() -> u64 {
    let id = *jobq::JobId::new().as_bytes();
    let (_, random) = id.split_at(8);
    u64::from_be_bytes(random.try_into().expect("an id has 16 bytes"))
}
