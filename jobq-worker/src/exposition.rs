//! Everything that a worker shows of itself to a monitoring, in families of samples: described once,
//! here, whatever it is shown by.
//!
//! | file | shows it |
//! | --- | --- |
//! | `exposition/facade.rs` | to the recorder of the `metrics` crate, now and then (feature `metrics`) |
//! | `exposition/text.rs` | as OpenMetrics text, when asked (feature `prometheus`) |
//!
//! Labels are bounded: queues are those that the worker serves, names those it has jobs of, at most
//! 1,000, and `other`. A name has samples on the queue that its jobs go to by default, and where something
//! happened to it.

#[cfg(feature = "metrics")]
pub(crate) mod facade;
#[cfg(feature = "prometheus")]
pub(crate) mod text;

use jobq::broker::Counts;

use crate::meters::{Histogram, Scale};
use crate::report::{OUTCOMES, USUAL};
use crate::shared::Shared;

/// The one count that is not of the worker alone, but of its client.
const RECONNECTS: &str = "jobq_redis_reconnects";

/// Samples of one name.
#[derive(Debug)]
pub(crate) struct Family {
    /// As Prometheus shows it, without the `_total` of a counter.
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: Kind,
    pub(crate) samples: Vec<(Labels, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

pub(crate) type Labels = Vec<(&'static str, String)>;

#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    Counter(u64),
    Gauge(u64),
    Histogram(Spread),
}

impl Value {
    /// What it was before anything came.
    #[cfg(feature = "metrics")]
    fn none(&self) -> Self {
        match self {
            Self::Counter(_) => Self::Counter(0),
            Self::Gauge(_) => Self::Gauge(0),
            Self::Histogram(spread) => Self::Histogram(Spread::none(spread.scale)),
        }
    }
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spread {
    pub(crate) scale: &'static Scale,
    /// By bucket.
    pub(crate) counts: Vec<u64>,
    pub(crate) sum: u64,
}

impl Spread {
    fn of(histogram: &Histogram) -> Self {
        let counts = histogram.counts();
        Self {
            scale: histogram.scale,
            // After the counts: then the sum is of these at least, and who reads it in between two
            // additions sees a mean that is a little too high, and none that is negative.
            sum: histogram.sum(),
            counts,
        }
    }

    #[cfg(feature = "metrics")]
    fn none(scale: &'static Scale) -> Self {
        Self {
            scale,
            counts: vec![0; scale.bounds.len() + 1],
            sum: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }
}

/// What a worker shows now.
pub(crate) fn families(shared: &Shared) -> Vec<Family> {
    let stats = shared.stats();
    let meters = &shared.meters;
    let mut families = Vec::from(of_jobs(shared));
    families.extend([
        gauge(
            "jobq_jobs_in_flight",
            "Jobs that this worker runs.",
            stats.running,
        ),
        gauge(
            "jobq_slots",
            "Jobs that this worker runs at once at the most.",
            shared.settings.concurrency.into(),
        ),
        gauge(
            "jobq_slots_leaked",
            "Slots of blocking jobs that go on after their timeout.",
            stats.leaked,
        ),
        counter(
            "jobq_leases_lost",
            "Times that this worker was taken for dead on a queue.",
            meters.leases_lost.read(),
        ),
        counter(
            "jobq_outcomes_stale",
            "Outcomes that came too late and do not count: the job had been taken over, or may have been.",
            stats.stale,
        ),
        counter(
            "jobq_jobs_adopted",
            "Jobs taken over from dead workers.",
            stats.adopted,
        ),
        counter(
            "jobq_jobs_reconciled",
            "Jobs given back whose claim was never answered.",
            meters.reconciled.read(),
        ),
        histogram(
            "jobq_claim_jobs",
            "Jobs that a claim gave.",
            &meters.batches,
        ),
        histogram(
            "jobq_redis_round_trip_seconds",
            "Time until the broker answered a claim and the outcomes sent with it.",
            &meters.round_trips,
        ),
        counter(
            RECONNECTS,
            "Connections to the broker that were opened again.",
            shared.broker().reconnects(),
        ),
    ]);
    families.extend(of_queues(shared));
    families
}

/// By queue and name.
fn of_jobs(shared: &Shared) -> [Family; 3] {
    let (mut jobs, mut runs, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    for (index, membership) in shared.memberships.iter().enumerate() {
        let queue = || ("queue", membership.queue.to_string());
        for (name, figures) in shared.tallies.of_queue(index) {
            let label = || ("name", name.to_owned());
            let counts = figures.by_outcome();
            let happened = counts.iter().any(|count| *count > 0);
            // A count that is first seen above zero has not risen, for who asks how much it rose.
            let expected = happened || shared.registry.is_default(name, &membership.queue);
            for ((outcome, count), place) in OUTCOMES.iter().zip(counts).zip(0..) {
                if count > 0 || (expected && place < USUAL) {
                    let labels = vec![queue(), label(), ("outcome", (*outcome).to_owned())];
                    jobs.push((labels, Value::Counter(count)));
                }
            }
            // Most names have none on most queues.
            if happened {
                runs.extend(sample(vec![queue(), label()], &figures.runs));
            }
        }
        waits.extend(sample(vec![queue()], &shared.meters.waits[index]));
    }
    [
        Family {
            name: "jobq_jobs",
            help: "Jobs by what became of them.",
            kind: Kind::Counter,
            samples: jobs,
        },
        Family {
            name: "jobq_job_run_seconds",
            help: "Time that runs of jobs took.",
            kind: Kind::Histogram,
            samples: runs,
        },
        Family {
            name: "jobq_job_wait_seconds",
            help: "Time that jobs waited from when they could have been run to their start.",
            kind: Kind::Histogram,
            samples: waits,
        },
    ]
}

/// Of the queues whose timekeeper this worker is, so that of many workers one alone shows them.
fn of_queues(shared: &Shared) -> [Family; 3] {
    let counts = shared.meters.queues();
    let samples = |figure: fn(&Counts) -> u64| {
        let queues = shared.memberships.iter().zip(&*counts);
        let samples = queues.filter_map(|(membership, counts)| {
            let labels = vec![("queue", membership.queue.to_string())];
            Some((labels, Value::Gauge(figure(counts.as_ref()?))))
        });
        samples.collect()
    };
    let family = |name, help, figure| Family {
        name,
        help,
        kind: Kind::Gauge,
        samples: samples(figure),
    };
    [
        family(
            "jobq_queue_ready",
            "Jobs that wait for a worker, as the timekeeper of the queue counts them.",
            |counts| counts.ready + counts.suspects,
        ),
        family(
            "jobq_queue_delayed",
            "Jobs that wait for their time or their retry, as the timekeeper of the queue counts them.",
            |counts| counts.delayed,
        ),
        family(
            "jobq_queue_dead",
            "Jobs in the dead list, as the timekeeper of the queue counts them.",
            |counts| counts.dead,
        ),
    ]
}

fn sample(labels: Labels, histogram: &Histogram) -> Option<(Labels, Value)> {
    let spread = Spread::of(histogram);
    (!spread.is_empty()).then_some((labels, Value::Histogram(spread)))
}

fn single(name: &'static str, help: &'static str, kind: Kind, value: Value) -> Family {
    Family {
        name,
        help,
        kind,
        samples: vec![(Labels::new(), value)],
    }
}

fn counter(name: &'static str, help: &'static str, count: u64) -> Family {
    single(name, help, Kind::Counter, Value::Counter(count))
}

fn gauge(name: &'static str, help: &'static str, value: u64) -> Family {
    single(name, help, Kind::Gauge, Value::Gauge(value))
}

fn histogram(name: &'static str, help: &'static str, histogram: &Histogram) -> Family {
    let value = Value::Histogram(Spread::of(histogram));
    single(name, help, Kind::Histogram, value)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nobody sees the last of 53 bits"
)]
fn float(number: u64) -> f64 {
    number as f64
}
