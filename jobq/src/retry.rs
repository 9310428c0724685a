//! The delay before a retry: strategy, cap and jitter. Pure: no clock, no broker, and the only
//! randomness is a number handed in.

use std::time::Duration;

/// The longest delay there is: 100 years. Keeps every sum of times in range.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// How the delay grows from one retry to the next.
///
/// ```
/// use std::time::Duration;
/// use jobq::{Backoff, Strategy};
///
/// let linear = Backoff::from(Strategy::Linear);
/// assert_eq!(linear, Backoff::linear(Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// Always `base`.
    Fixed,
    /// `base · k` before retry `k`.
    Linear,
    /// `base · factor^(k−1)` before retry `k`.
    Exponential,
}

/// How a delay is spread, so that jobs which failed together do not come back together.
///
/// A delay `d`, already capped, becomes a uniform draw; nothing is clamped after the draw, which
/// would pile retries up on the bound.
///
/// ```
/// use std::time::Duration;
/// use jobq::{Backoff, Jitter};
///
/// let policy = Backoff::fixed(Duration::from_secs(10)).jitter(Jitter::Equal);
/// assert_eq!(policy.delay(1, 0.0), Duration::from_secs(5)); // the shortest draw
/// assert_eq!(policy.delay(1, 1.0), Duration::from_secs(10)); // the longest
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// Exactly `d`.
    None,
    /// From `[0, d]`.
    Full,
    /// From `[d/2, d]`.
    Equal,
    /// `Fraction(j)`: from `[d(1−j), min(d(1+j), max_delay)]`, with `j` in `0.0..=1.0`; a `j`
    /// outside is brought to the nearer end, a NaN counts as 0.
    Fraction(f64),
}

impl Jitter {
    /// The same with its fraction in range.
    pub(crate) fn sound(self) -> Self {
        match self {
            Self::Fraction(j) if j.is_nan() => Self::Fraction(0.0),
            Self::Fraction(j) => Self::Fraction(j.clamp(0.0, 1.0)),
            other => other,
        }
    }
}

/// The delay policy of a job: before retry `k` (1 is the first), `strategy`, capped, jittered.
///
/// ```
/// use jobq::{Backoff, Jitter};
/// use std::time::Duration;
///
/// let policy = Backoff::linear(Duration::from_secs(10))
///     .max_delay(Duration::from_secs(25))
///     .jitter(Jitter::None);
/// assert_eq!(policy.delay(2, 0.5), Duration::from_secs(20));
/// assert_eq!(policy.delay(3, 0.5), Duration::from_secs(25));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    pub(crate) strategy: Strategy,
    pub(crate) base: Duration,
    pub(crate) max: Duration,
    pub(crate) factor: f64,
    pub(crate) jitter: Jitter,
}

impl Backoff {
    /// Exponential from 1 s by 2 up to 5 min, jitter 0.2: what a job has that says nothing else.
    pub const DEFAULT: Self = Self::exponential(Duration::from_secs(1));

    /// The same delay before every retry.
    #[must_use]
    pub const fn fixed(base: Duration) -> Self {
        // A fixed delay is its own cap, but jitter may go above it.
        Self::new(Strategy::Fixed, base, LONGEST)
    }

    /// `base`, `2·base`, `3·base` … up to 3 min.
    #[must_use]
    pub const fn linear(base: Duration) -> Self {
        Self::new(Strategy::Linear, base, Duration::from_secs(180))
    }

    /// `base`, `2·base`, `4·base` … up to 5 min.
    #[must_use]
    pub const fn exponential(base: Duration) -> Self {
        Self::new(Strategy::Exponential, base, Duration::from_secs(300))
    }

    const fn new(strategy: Strategy, base: Duration, max: Duration) -> Self {
        Self {
            strategy,
            base,
            max,
            factor: 2.0,
            jitter: Jitter::Fraction(0.2),
        }
    }

    /// The cap: no delay is longer, jitter included.
    #[must_use]
    pub const fn max_delay(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// The growth of the exponential strategy; below 1 the delays shrink. A value that is not a
    /// positive number counts as 1.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// How delays are spread.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The delay before retry `k` (1 is the first; 0 counts as 1), for a `draw` from `0.0..1.0`.
    ///
    /// Never longer than `max_delay`, for any `k` and any settings.
    #[must_use]
    pub fn delay(&self, k: u32, draw: f64) -> Duration {
        let max = self.max.min(LONGEST).as_secs_f64();
        let capped = self.uncapped(k.max(1)).min(max);
        let draw = if draw.is_finite() {
            draw.clamp(0.0, 1.0)
        } else {
            0.5
        };
        let (low, high) = match self.jitter.sound() {
            Jitter::None => (capped, capped),
            Jitter::Full => (0.0, capped),
            Jitter::Equal => (capped / 2.0, capped),
            Jitter::Fraction(j) => (capped * (1.0 - j), (capped * (1.0 + j)).min(max)),
        };
        Duration::from_secs_f64(low + (high - low) * draw).min(self.max)
    }

    /// The factor, or 1 if it is not a positive number.
    pub(crate) fn sound_factor(&self) -> f64 {
        if self.factor.is_finite() && self.factor > 0.0 {
            self.factor
        } else {
            1.0
        }
    }

    fn uncapped(&self, k: u32) -> f64 {
        let base = self.base.as_secs_f64();
        let delay = match self.strategy {
            Strategy::Fixed => base,
            Strategy::Linear => base * f64::from(k),
            // `powf` saturates at infinity, which the cap takes; 0 · ∞ must stay 0.
            Strategy::Exponential if base == 0.0 => 0.0,
            Strategy::Exponential => base * self.sound_factor().powf(f64::from(k - 1)),
        };
        delay.min(LONGEST.as_secs_f64())
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<Strategy> for Backoff {
    /// The strategy with its defaults: fixed 5 s, linear from 10 s, exponential from 1 s.
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Fixed => Self::fixed(Duration::from_secs(5)),
            Strategy::Linear => Self::linear(Duration::from_secs(10)),
            Strategy::Exponential => Self::DEFAULT,
        }
    }
}

#[cfg(test)]
mod tests;
