//! What was measured, round by round.

use crate::measure::Measured;
use crate::plan::Case;
use crate::systems::System;

/// A figure of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Whether more of it is better.
    pub(crate) more_is_better: bool,
}

impl Figure {
    pub(crate) const JOBS: Self = Self::more("speed", "jobs/s");
    pub(crate) const WORKER_CPU: Self = Self::less("CPU of the worker", "µs a job");
    pub(crate) const REDIS_CPU: Self = Self::less("CPU of Redis", "µs a job");
    pub(crate) const PEAK_RSS: Self = Self::less("peak RSS of the worker", "MiB");
    pub(crate) const ONE_BY_ONE: Self = Self::more("one by one", "jobs/s");
    pub(crate) const AT_ONCE: Self = Self::more("64 at once", "jobs/s");
    pub(crate) const BULK: Self = Self::more("bulk of 1,000", "jobs/s");
    pub(crate) const P50: Self = Self::less("p50", "ms");
    pub(crate) const P99: Self = Self::less("p99", "ms");
    pub(crate) const BYTES: Self = Self::less("Redis for a pending job", "bytes");

    const fn more(name: &'static str, unit: &'static str) -> Self {
        Self {
            name,
            unit,
            more_is_better: true,
        }
    }

    const fn less(name: &'static str, unit: &'static str) -> Self {
        Self {
            name,
            unit,
            more_is_better: false,
        }
    }
}

/// A figure of one case in all rounds.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) system: &'static System,
    pub(crate) settings: String,
    place: usize,
    is_reference: bool,
    /// The rounds in which it was measured, with what it was.
    by_round: Vec<(usize, f64)>,
}

/// A figure of all cases that are compared with each other.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) figure: Figure,
    pub(crate) lines: Vec<Line>,
}

/// All that was measured, and what was not.
#[derive(Debug, Default)]
pub(crate) struct Results {
    tables: Vec<Table>,
    failures: Vec<String>,
}

impl Results {
    /// Adds what a case gave in a round.
    pub(crate) fn add(&mut self, round: usize, case: &Case, measured: Measured) {
        for (figure, value) in measured {
            let line = self.table(case.title, figure).line(case);
            line.by_round.push((round, value));
        }
    }

    /// Notes that something could not be measured.
    pub(crate) fn fail(&mut self, what: String) {
        eprintln!("{what}");
        self.failures.push(what);
    }

    pub(crate) fn tables(&self) -> &[Table] {
        &self.tables
    }

    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    fn table(&mut self, title: &'static str, figure: Figure) -> &mut Table {
        let is_it = |table: &Table| table.title == title && table.figure == figure;
        let found = self.tables.iter().position(is_it);
        let index = found.unwrap_or_else(|| {
            self.tables.push(Table {
                title,
                figure,
                lines: Vec::new(),
            });
            self.tables.len() - 1
        });
        &mut self.tables[index]
    }
}

impl Table {
    fn line(&mut self, case: &Case) -> &mut Line {
        // Kept in the order of the cases, which rounds turn and failures break.
        let found = self
            .lines
            .binary_search_by_key(&case.place, |line| line.place);
        let index = found.unwrap_or_else(|index| {
            let line = Line {
                system: case.system,
                settings: case.settings(),
                place: case.place,
                is_reference: case.is_reference,
                by_round: Vec::new(),
            };
            self.lines.insert(index, line);
            index
        });
        &mut self.lines[index]
    }

    /// How often the reference's figure is that of `line`: the median of the ratios of the rounds in which
    /// both were measured. None where one of them is not above zero, as a job that starts early.
    pub(crate) fn ratio(&self, line: &Line) -> Option<f64> {
        let reference = self.lines.iter().find(|line| line.is_reference)?;
        let ratios = line.by_round.iter().filter_map(|(round, value)| {
            let of_round = |(r, reference): &(usize, f64)| (r == round).then_some(*reference);
            Some(reference.by_round.iter().find_map(of_round)? / value)
        });
        median(ratios.collect()).filter(|_| [reference, line].iter().all(|line| line.is_positive()))
    }
}

impl Line {
    /// The values, sorted.
    pub(crate) fn sorted(&self) -> Vec<f64> {
        sorted(self.by_round.iter().map(|(_, value)| *value).collect())
    }

    fn is_positive(&self) -> bool {
        self.by_round.iter().all(|(_, value)| *value > 0.0)
    }

    /// The median of the values.
    pub(crate) fn median(&self) -> f64 {
        median(self.sorted()).expect("a line has a value from its start")
    }
}

/// The middle of the values, or half-way between the two in the middle.
fn median(values: Vec<f64>) -> Option<f64> {
    let values = sorted(values);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests;
