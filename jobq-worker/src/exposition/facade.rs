//! What a worker shows to the recorder of the `metrics` crate: a program that has installed one sees
//! the worker beside its own. Nothing is recorded for a job, but every few seconds what has come.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jobq::BrokerError;
use jobq::broker::Counts;
use metrics::{Key, KeyName, Label, Level, Metadata, Unit, with_recorder};

use super::{Family, Kind, Labels, RECONNECTS, Spread, Value, families, float};
use crate::component::Component;
use crate::meters::Scale;
use crate::shared::Shared;
use crate::telemetry::WorkerStats;

/// How often what has come is shown.
const SHOW_EVERY: Duration = Duration::from_secs(2);

static METADATA: Metadata<'_> = Metadata::new("jobq_worker", Level::INFO, Some("jobq_worker"));

/// Which sample it is.
type Id = (&'static str, Labels);

/// The loop of one worker. When it is dropped it shows the end: what came last, and nothing that is.
#[derive(Debug)]
pub(crate) struct Publisher {
    shared: Arc<Shared>,
    /// What was shown. Only what has changed since is, so that several workers of a process add up.
    shown: HashMap<Id, Value>,
    described: bool,
    /// How it stood when it was shown.
    glance: Option<Glance>,
}

/// What changes whenever anything does that is shown: of an idle worker, which may have thousands of
/// samples, none is to be looked at.
#[derive(Debug, PartialEq)]
struct Glance {
    stats: WorkerStats,
    meters: [u64; 5],
    queues: Vec<Option<Counts>>,
}

impl Glance {
    fn of(shared: &Shared) -> Self {
        let meters = &shared.meters;
        Self {
            stats: shared.stats(),
            meters: [
                meters.leases_lost.read(),
                meters.reconciled.read(),
                meters.batches.sum(),
                meters.round_trips.sum(),
                shared.broker().reconnects(),
            ],
            queues: meters.queues().clone(),
        }
    }
}

impl Component for Publisher {
    const NAME: &'static str = "publisher";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        let glance = Glance::of(&self.shared);
        if self.glance.as_ref() != Some(&glance) {
            self.show(families(&self.shared));
            self.glance = Some(glance);
        }
        Ok(SHOW_EVERY)
    }
}

impl Publisher {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        // The client may be older than this worker, and another have shown what came before.
        let reconnects = Value::Counter(shared.broker().reconnects());
        Self {
            shared: shared.clone(),
            shown: HashMap::from([((RECONNECTS, Labels::new()), reconnects)]),
            described: false,
            glance: None,
        }
    }

    fn show(&mut self, families: Vec<Family>) {
        if !std::mem::replace(&mut self.described, true) {
            families.iter().for_each(describe);
        }
        let mut before = std::mem::take(&mut self.shown);
        for Family { name, samples, .. } in families {
            for (labels, value) in samples {
                let id = (name, labels);
                let before = before.remove(&id);
                if before.as_ref() != Some(&value) {
                    change(&id, before, &value);
                }
                self.shown.insert(id, value);
            }
        }
        for (id, before) in before {
            match before {
                // It has no value any more: what it had is taken from the sum over all workers.
                Value::Gauge(_) => change(&id, Some(before), &Value::Gauge(0)),
                count => drop(self.shown.insert(id, count)),
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // A recorder that panics twice would end the process.
        if !std::thread::panicking() {
            let mut last = families(&self.shared);
            last.retain(|family| family.kind != Kind::Gauge);
            self.show(last);
        }
    }
}

/// Records how far a value went since it was shown last.
fn change((name, labels): &Id, before: Option<Value>, now: &Value) {
    match (now, before.unwrap_or_else(|| now.none())) {
        (Value::Counter(now), Value::Counter(before)) => {
            let key = key(&counter_name(name), labels);
            let news = now.saturating_sub(before);
            with_recorder(|recorder| recorder.register_counter(&key, &METADATA).increment(news));
        }
        (Value::Gauge(now), Value::Gauge(before)) => {
            let key = key(name, labels);
            with_recorder(|recorder| {
                let gauge = recorder.register_gauge(&key, &METADATA);
                match now.checked_sub(before) {
                    Some(up) => gauge.increment(float(up)),
                    None => gauge.decrement(float(before - now)),
                }
            });
        }
        (Value::Histogram(now), Value::Histogram(before)) => {
            let key = key(name, labels);
            let news = since(now, &before);
            with_recorder(|recorder| {
                let histogram = recorder.register_histogram(&key, &METADATA);
                for (value, count) in values(&news) {
                    histogram.record_many(value, usize::try_from(count).unwrap_or(usize::MAX));
                }
            });
        }
        // What has a name is always of one kind.
        _ => {}
    }
}

fn describe(family: &Family) {
    let unit = family.name.ends_with("_seconds").then_some(Unit::Seconds);
    let help = family.help.into();
    let name = family.name;
    with_recorder(|recorder| match family.kind {
        Kind::Counter => recorder.describe_counter(counter_name(name).into(), unit, help),
        Kind::Gauge => recorder.describe_gauge(KeyName::from_const_str(name), unit, help),
        Kind::Histogram => recorder.describe_histogram(KeyName::from_const_str(name), unit, help),
    });
}

fn counter_name(name: &str) -> String {
    format!("{name}_total")
}

fn key(name: &str, labels: &Labels) -> Key {
    let labels = labels
        .iter()
        .map(|(name, value)| Label::new(*name, value.clone()));
    Key::from_parts(name.to_owned(), labels.collect::<Vec<_>>())
}

/// What came to a histogram since another look at it.
fn since(now: &Spread, before: &Spread) -> Spread {
    let counts = now.counts.iter().zip(&before.counts);
    Spread {
        scale: now.scale,
        counts: counts
            .map(|(now, before)| now.saturating_sub(*before))
            .collect(),
        sum: now.sum.saturating_sub(before.sum),
    }
}

/// Values that a histogram may have counted, and how often: each in its bucket, and all of them with the
/// sum that it has, as far as there are such. Which ones it counted nobody knows any more.
fn values(spread: &Spread) -> Vec<(f64, u64)> {
    let Scale { bounds, unit } = spread.scale;
    let lower = [0].into_iter().chain(bounds.iter().copied());
    let last = bounds.last().copied().unwrap_or(0);
    let upper = bounds.iter().copied().chain([last]);
    let buckets = lower.zip(upper).zip(&spread.counts);
    let buckets: Vec<_> = buckets
        .filter(|(_, count)| **count > 0)
        .map(|((lower, upper), count)| (float(lower), float(upper), *count))
        .collect();
    let least: f64 = buckets.iter().map(|(lower, _, n)| lower * float(*n)).sum();
    let room: f64 = buckets
        .iter()
        .map(|(low, up, n)| (up - low) * float(*n))
        .sum();
    // How far up in each bucket; never at its lower bound, which is of the bucket before.
    let share = match room > 0.0 {
        true => ((float(spread.sum) - least) / room).clamp(0.001, 1.0),
        false => 1.0,
    };
    // What is over the last bound has room without end.
    let over = buckets.iter().filter(|(low, up, _)| low == up);
    let over: f64 = over.map(|(_, _, n)| float(*n)).sum();
    let beyond = (float(spread.sum) - least - room).max(0.0) / over.max(1.0);
    let value = |(lower, upper, count): (f64, f64, u64)| {
        let value = match lower == upper && lower > 0.0 {
            true => lower + beyond.max(lower * 0.001),
            false => lower + share * (upper - lower),
        };
        (value / float(*unit), count)
    };
    buckets.into_iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCALE: Scale = Scale {
        bounds: &[0, 10, 20],
        unit: 2,
    };

    fn spread(counts: [u64; 4], sum: u64) -> Spread {
        Spread {
            scale: &SCALE,
            counts: counts.into(),
            sum,
        }
    }

    #[test]
    fn the_values_of_a_histogram_lie_in_their_buckets_and_have_its_sum() {
        for (counts, sum) in [
            ([0, 0, 0, 0], 0),
            ([3, 0, 0, 0], 0),
            ([0, 2, 0, 0], 6),
            ([1, 1, 1, 0], 25),
            ([0, 0, 5, 0], 100),
            ([0, 0, 0, 2], 100),
            ([0, 4, 0, 1], 1040),
        ] {
            let values = values(&spread(counts, sum));
            let told: f64 = values.iter().map(|(value, n)| value * float(*n)).sum();
            assert!(
                (told * 2.0 - float(sum)).abs() < 0.1 * float(sum).max(1.0),
                "{counts:?} {told}"
            );
            let mut counted = [0; 4];
            for (value, count) in values {
                let unit = (value * 2.0).ceil();
                let bucket = [0.0, 10.0, 20.0].iter().position(|bound| unit <= *bound);
                counted[bucket.unwrap_or(3)] += count;
            }
            assert_eq!(counted, counts, "{sum}");
        }
    }

    #[test]
    fn what_came_since_is_told() {
        let (before, now) = (spread([1, 2, 0, 0], 10), spread([1, 5, 1, 0], 50));
        assert_eq!(since(&now, &before), spread([0, 3, 1, 0], 40));
        assert_eq!(since(&now, &Spread::none(&SCALE)), now);
    }
}
