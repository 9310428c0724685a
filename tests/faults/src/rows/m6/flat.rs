//! Whether what is used stays the same: the mean of the last quarter beside that of the second.

use std::collections::BTreeMap;

use crate::row::Figures;
use crate::world::Vitals;

/// By how much a mean may grow beyond what its noise is said to be.
const GROWTH: f64 = 1.2;

/// Measurements by name, each with the noise it may have.
#[derive(Debug, Default)]
pub(super) struct Samples(BTreeMap<String, (f64, Vec<f64>)>);

impl Samples {
    /// Adds a measurement; `noise` is what it may grow by at any time.
    pub(super) fn note(&mut self, name: &str, value: f64, noise: f64) {
        let of = self.0.entry(name.to_owned());
        of.or_insert((noise, Vec::new())).1.push(value);
    }

    /// Adds what a process uses.
    pub(super) fn note_process(&mut self, name: &str, pid: u32) {
        let Some(vitals) = Vitals::of(pid) else {
            return;
        };
        let mib = vitals.resident as f64 / 1024.0;
        self.note(&format!("{name} MiB"), mib, 4.0);
        let descriptors = vitals.descriptors as f64;
        self.note(&format!("{name} descriptors"), descriptors, 8.0);
    }

    /// What has grown, a sentence each.
    pub(super) fn grown(&self) -> Vec<String> {
        let mut grown = Vec::new();
        for (name, (noise, values)) in &self.0 {
            let [before, after] = quarters(values);
            if after > before * GROWTH + noise {
                grown.push(format!(
                    "{name} grew from {before:.1} to {after:.1}: {values:?}"
                ));
            }
        }
        grown
    }

    /// `name 12.3 → 12.4` of each.
    pub(super) fn figures(&self) -> Figures {
        let figures = Figures::new();
        self.0.iter().fold(figures, |figures, (name, (_, values))| {
            let [before, after] = quarters(values);
            figures.with(name, format!("{before:.1} → {after:.1}"))
        })
    }
}

/// The means of the second and of the last quarter.
fn quarters(values: &[f64]) -> [f64; 2] {
    let quarter = (values.len() / 4).max(1);
    let mean = |from: usize| {
        let part = values.iter().skip(from).take(quarter);
        part.sum::<f64>() / quarter as f64
    };
    [mean(quarter), mean(values.len().saturating_sub(quarter))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(values: impl Iterator<Item = f64>) -> bool {
        let mut samples = Samples::default();
        values.for_each(|value| samples.note("x", value, 1.0));
        !samples.grown().is_empty()
    }

    #[test]
    fn what_grows_is_found_and_what_only_starts_or_wavers_is_not() {
        let values = || (0..100).map(f64::from);
        assert!(grown(values()), "a steady growth");
        assert!(
            grown(values().map(|i| if i < 80.0 { 10.0 } else { 20.0 })),
            "a late leak"
        );
        assert!(!grown(values().map(|i| i.min(10.0))), "a start");
        assert!(!grown(values().map(|i| 100.0 + i % 7.0)), "a waver");
    }
}
