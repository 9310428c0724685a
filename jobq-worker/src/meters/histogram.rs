//! How often something was of what size. Who counts often counts for itself first, and adds what came
//! together now and then.

use std::sync::atomic::{AtomicU64, Ordering};

/// The most bounds of a scale.
const MOST: usize = 17;

/// The bounds of the buckets, which rise: each counts what is at most as large, and more than the one
/// before it. One more counts the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) bounds: &'static [u64],
    /// How much of what is counted makes one of what is shown: 1,000,000,000 ns are a second.
    pub(crate) unit: u64,
}

/// A bucket, which counts what is larger than one bound and at most the other. One after the other is
/// often of one size: then nobody has to look for its bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) index: usize,
    above: u64,
    up_to: u64,
}

impl Bucket {
    pub(crate) fn has(&self, value: u64) -> bool {
        self.above < value && value <= self.up_to
    }
}

impl Scale {
    /// The bucket of a value.
    pub(crate) fn bucket(&self, value: u64) -> usize {
        // From the small end: most is small.
        let bucket = self.bounds.iter().position(|bound| value <= *bound);
        bucket.unwrap_or(self.bounds.len())
    }

    /// The bucket of a value, with its bounds.
    pub(crate) fn bucket_of(&self, value: u64) -> Bucket {
        let index = self.bucket(value);
        let above = index.checked_sub(1).map_or(0, |before| self.bounds[before]);
        let up_to = self.bounds.get(index).copied().unwrap_or(u64::MAX);
        Bucket {
            index,
            above,
            up_to,
        }
    }
}

/// The counts of all.
#[derive(Debug)]
pub(crate) struct Histogram {
    pub(crate) scale: &'static Scale,
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    pub(crate) fn new(scale: &'static Scale) -> Self {
        Self {
            scale,
            counts: (0..=scale.bounds.len())
                .map(|_| AtomicU64::new(0))
                .collect(),
            sum: AtomicU64::new(0),
        }
    }

    pub(crate) fn observe(&self, value: u64) {
        self.add(self.scale.bucket(value), 1, value);
    }

    /// So many of a bucket, of this size together.
    pub(crate) fn add(&self, bucket: usize, count: u64, sum: u64) {
        self.counts[bucket].fetch_add(count, Ordering::Relaxed);
        self.sum.fetch_add(sum, Ordering::Relaxed);
    }

    pub(crate) fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }

    /// By bucket.
    #[cfg(any(test, feature = "metrics", feature = "prometheus"))]
    pub(crate) fn counts(&self) -> Vec<u64> {
        let counts = self.counts.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

/// The counts of one who counts alone.
#[derive(Debug, Default)]
pub(crate) struct Local {
    counts: [u32; MOST + 1],
    sum: u64,
    latest: Bucket,
}

impl Local {
    pub(crate) fn observe(&mut self, scale: &Scale, value: u64) {
        if !self.latest.has(value) {
            self.latest = scale.bucket_of(value);
        }
        self.counts[self.latest.index] += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// Adds what came together, and begins anew.
    pub(crate) fn give(&mut self, histogram: &Histogram) {
        let Self { counts, sum, .. } = std::mem::take(self);
        let counts = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        for (bucket, count) in counts {
            histogram.add(bucket, u64::from(*count), 0);
        }
        histogram.sum.fetch_add(sum, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCALE: Scale = Scale {
        bounds: &[0, 10, 20],
        unit: 1,
    };

    #[test]
    fn a_bucket_counts_what_is_at_most_its_bound() {
        for (value, bucket) in [
            (0, 0),
            (1, 1),
            (10, 1),
            (11, 2),
            (20, 2),
            (21, 3),
            (u64::MAX, 3),
        ] {
            assert_eq!(SCALE.bucket(value), bucket, "{value}");
        }
    }

    #[test]
    fn what_one_counted_alone_is_added_once() {
        let (histogram, mut local) = (Histogram::new(&SCALE), Local::default());
        histogram.observe(5);
        for value in [0, 10, 10, 100, 0, 11, 20, 5] {
            local.observe(&SCALE, value);
        }
        for _ in 0..2 {
            local.give(&histogram);
            assert_eq!(
                (histogram.counts(), histogram.sum()),
                (vec![2, 4, 2, 1], 161)
            );
        }
    }

    #[test]
    fn every_scale_has_room() {
        assert!(super::super::JOB_TIMES.bounds.len() <= MOST);
    }
}
