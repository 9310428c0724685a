//! The jitter of a delay, the same for the same seed.

use std::time::Duration;

use crate::rules::Delay;

/// Draws for one direction of one connection.
#[derive(Debug, Default)]
pub(crate) struct Dice {
    drawn: u64,
}

impl Dice {
    /// The next delay: no order comes out of it negative.
    pub(crate) fn draw(&mut self, delay: Delay) -> Duration {
        self.drawn += 1;
        let most = delay.jitter.as_nanos();
        let span = u64::try_from(2 * most).unwrap_or(u64::MAX);
        let more = match span {
            0 => 0,
            span => split_mix(delay.seed.wrapping_add(self.drawn)) % span,
        };
        let late = delay.by + Duration::from_nanos(more);
        late.saturating_sub(delay.jitter)
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
fn split_mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Delay = Delay {
        by: Duration::from_millis(100),
        jitter: Duration::from_millis(150),
        seed: 7,
    };

    fn draws(delay: Delay) -> Vec<Duration> {
        let mut dice = Dice::default();
        (0..1000).map(|_| dice.draw(delay)).collect()
    }

    #[test]
    fn delays_are_within_the_jitter_and_never_negative() {
        let draws = draws(DELAY);
        assert!(draws.iter().all(|late| *late < Duration::from_millis(250)));
        assert!(draws.contains(&Duration::ZERO));
        assert!(draws.iter().any(|late| *late > Duration::from_millis(200)));
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        assert_eq!(draws(DELAY), draws(DELAY));
        assert_ne!(draws(DELAY), draws(Delay { seed: 8, ..DELAY }));
        let always = Delay::of(Duration::from_millis(3));
        assert_eq!(draws(always), [always.by; 1000]);
    }
}
