use proptest::prelude::{Just, ProptestConfig, any};
use proptest::strategy::Strategy as _;
use proptest::{prop_assert, prop_oneof, proptest};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The delays before the retries of a policy without jitter.
fn delays(policy: Backoff, retries: impl IntoIterator<Item = u32>) -> Vec<Duration> {
    let policy = policy.jitter(Jitter::None);
    retries.into_iter().map(|k| policy.delay(k, 0.5)).collect()
}

#[test]
fn fixed_is_the_base_before_every_retry() {
    for base in [ms(0), ms(1), ms(100), secs(5), secs(86_400)] {
        assert_eq!(
            delays(Backoff::fixed(base), [1, 2, 100, u32::MAX]),
            [base; 4]
        );
    }
}

#[test]
fn linear_grows_by_the_base_up_to_3_minutes() {
    let policy = Backoff::linear(secs(10));
    assert_eq!(
        delays(policy, [1, 2, 3, 17]),
        [secs(10), secs(20), secs(30), secs(170)]
    );
    assert_eq!(delays(policy, [18, 19, u32::MAX]), [secs(180); 3]);
    let policy = Backoff::linear(ms(100));
    assert_eq!(delays(policy, [1, 3, 7]), [ms(100), ms(300), ms(700)]);
}

/// Also where the factor has grown beyond all numbers.
#[test]
fn exponential_from_nothing_stays_at_nothing() {
    let policy = Backoff::exponential(secs(0));
    assert_eq!(delays(policy, [1, 2, 2000, u32::MAX]), [secs(0); 4]);
}

#[test]
fn no_delay_is_longer_than_a_hundred_years() {
    let longest = secs(3_153_600_000);
    assert_eq!(delays(Backoff::fixed(Duration::MAX), [1]), [longest]);
}

#[test]
fn exponential_grows_by_the_factor_up_to_5_minutes() {
    let policy = Backoff::exponential(secs(1));
    let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(secs);
    assert_eq!(delays(policy, 1..=11), expected);
    assert_eq!(delays(policy, [1000, u32::MAX]), [secs(300); 2]);
    let policy = Backoff::exponential(ms(100)).factor(3.0).max_delay(secs(2));
    assert_eq!(delays(policy, 1..=4), [ms(100), ms(300), ms(900), secs(2)]);
    let shrinking = Backoff::exponential(secs(8)).factor(0.5);
    assert_eq!(
        delays(shrinking, [1, 2, 4, u32::MAX]),
        [secs(8), secs(4), secs(1), secs(0)]
    );
}

#[test]
fn retry_0_counts_as_the_first() {
    assert_eq!(delays(Backoff::DEFAULT, [0]), delays(Backoff::DEFAULT, [1]));
}

#[test]
fn the_defaults_are_those_of_the_guide() {
    let defaults = crate::JobDefaults::new();
    assert_eq!(defaults.retries, 20);
    assert_eq!(defaults.backoff, Backoff::exponential(secs(1)));
    assert_eq!(Backoff::from(Strategy::Exponential), Backoff::DEFAULT);
    assert_eq!(Backoff::from(Strategy::Linear), Backoff::linear(secs(10)));
    assert_eq!(Backoff::from(Strategy::Fixed), Backoff::fixed(secs(5)));
    for policy in [Strategy::Fixed, Strategy::Linear, Strategy::Exponential].map(Backoff::from) {
        assert_eq!((policy.jitter, policy.factor), (Jitter::Fraction(0.2), 2.0));
    }
    let all: Duration = delays(Backoff::DEFAULT, 1..=20).iter().sum();
    assert_eq!(all, secs(511 + 11 * 300), "about an hour");
}

#[test]
fn a_cap_below_the_base_is_the_delay() {
    for policy in [Strategy::Fixed, Strategy::Linear, Strategy::Exponential].map(Backoff::from) {
        assert_eq!(delays(policy.max_delay(ms(7)), [1, 2, 99]), [ms(7); 3]);
        assert_eq!(delays(policy.max_delay(ms(0)), [1, 2, 99]), [ms(0); 3]);
    }
}

/// Where a jitter may draw from, for `d` seconds capped at `max`.
fn range(jitter: Jitter, d: f64, max: f64) -> (f64, f64) {
    match jitter {
        Jitter::None => (d, d),
        Jitter::Full => (0.0, d),
        Jitter::Equal => (d / 2.0, d),
        Jitter::Fraction(j) => (d * (1.0 - j), (d * (1.0 + j)).min(max)),
    }
}

const JITTERS: [Jitter; 5] = [
    Jitter::Full,
    Jitter::Equal,
    Jitter::Fraction(0.2),
    Jitter::Fraction(0.9),
    Jitter::Fraction(1.0),
];

#[test]
fn jitter_spreads_evenly_over_its_range_and_piles_up_nowhere() {
    let mut rng = StdRng::seed_from_u64(4);
    // Before the second retry 10 s, well below the cap; before the ninth, the cap.
    for (k, d) in [(2, 10.0), (9, 60.0)] {
        for jitter in JITTERS {
            let policy = Backoff::exponential(secs(5))
                .max_delay(secs(60))
                .jitter(jitter);
            let (low, high) = range(jitter, d, 60.0);
            let mut tenths = [0u32; 10];
            let mut on_a_bound = 0;
            for _ in 0..50_000 {
                let delay = policy.delay(k, rng.random()).as_secs_f64();
                assert!((low..=high).contains(&delay), "{jitter:?}: {delay}");
                on_a_bound += u32::from(delay == low || delay == high);
                let place = (delay - low) / (high - low) * 10.0;
                tenths[(place as usize).min(9)] += 1;
            }
            assert!(on_a_bound < 5, "{jitter:?}: {on_a_bound} on a bound");
            let even = |count: &u32| (4_650..5_350).contains(count);
            assert!(tenths.iter().all(even), "{jitter:?}: {tenths:?}");
        }
    }
}

#[test]
fn jitter_out_of_range_is_brought_into_it() {
    let range = |j| {
        let policy = Backoff::fixed(secs(10)).jitter(Jitter::Fraction(j));
        (policy.delay(1, 0.0), policy.delay(1, 1.0))
    };
    for j in [7.0, f64::INFINITY] {
        assert_eq!(range(j), (secs(0), secs(20)));
    }
    for j in [-1.0, f64::NEG_INFINITY, f64::NAN, 0.0] {
        assert_eq!(range(j), (secs(10), secs(10)));
    }
}

#[test]
fn a_factor_that_is_no_positive_number_counts_as_1() {
    for factor in [0.0, -2.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let policy = Backoff::exponential(secs(3)).factor(factor);
        assert_eq!(delays(policy, [1, 2, 50]), [secs(3); 3]);
    }
}

fn any_duration() -> impl proptest::strategy::Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::from_nanos(1)),
        Just(Duration::MAX),
        (0u64..1 << 40).prop_map(Duration::from_nanos),
        (any::<u64>(), 0u32..1_000_000_000).prop_map(|(s, n)| Duration::new(s, n)),
    ]
}

fn any_float() -> impl proptest::strategy::Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        0.0..=4.0,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MIN_POSITIVE)
    ]
}

fn any_policy() -> impl proptest::strategy::Strategy<Value = Backoff> {
    let jitter = prop_oneof![
        Just(Jitter::None),
        Just(Jitter::Full),
        Just(Jitter::Equal),
        any_float().prop_map(Jitter::Fraction),
    ];
    let strategy = prop_oneof![
        Just(Strategy::Fixed),
        Just(Strategy::Linear),
        Just(Strategy::Exponential),
    ];
    (
        strategy,
        any_duration(),
        any_duration(),
        any_float(),
        jitter,
    )
        .prop_map(|(strategy, base, max, factor, jitter)| Backoff {
            strategy,
            base,
            max,
            factor,
            jitter,
        })
}

fn any_retry() -> impl proptest::strategy::Strategy<Value = u32> {
    prop_oneof![0..200u32, any::<u32>(), Just(u32::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_delay_is_longer_than_the_cap(policy in any_policy(), k in any_retry(), draw in any_float()) {
        prop_assert!(policy.delay(k, draw) <= policy.max);
        prop_assert!(policy.delay(k, draw) <= LONGEST);
    }

    #[test]
    fn a_delay_lies_in_the_range_of_its_jitter(
        policy in any_policy(),
        k in any_retry(),
        draw in 0.0..1.0f64,
    ) {
        let plain = policy.jitter(Jitter::None).delay(k, draw).as_secs_f64();
        let (low, high) = range(policy.jitter.sound(), plain, policy.max.as_secs_f64());
        let delay = policy.delay(k, draw).as_secs_f64();
        let rounding = 1e-9 + plain * 1e-12;
        prop_assert!(delay >= low - rounding && delay <= high + rounding, "{delay}: {low} {high}");
    }

    #[test]
    fn delays_of_a_factor_above_1_do_not_shrink(base in any_duration(), factor in 1.0..9.0f64, k in 1..u32::MAX) {
        for policy in [
            Backoff::fixed(base),
            Backoff::linear(base),
            Backoff::exponential(base).factor(factor),
        ] {
            let pair = delays(policy, [k, k + 1]);
            prop_assert!(pair[0] <= pair[1], "{pair:?}");
        }
    }
}
