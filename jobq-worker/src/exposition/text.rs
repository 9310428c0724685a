//! What a worker shows as OpenMetrics text, which Prometheus reads.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::{Family, Kind, Value, float};

/// Of the text.
#[cfg(feature = "http")]
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// These families as text.
pub(crate) fn render(families: Vec<Family>) -> String {
    let (mut registry, mut text) = (Registry::default(), String::new());
    registry.register_collector(Box::new(Families(families)));
    // Only a writer fails that cannot take more, and a text can.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

#[derive(Debug)]
struct Families(Vec<Family>);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for family in &self.0 {
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut encoder = encoder.encode_descriptor(family.name, family.help, None, kind)?;
            for (labels, value) in &family.samples {
                value.encode(encoder.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

impl EncodeMetric for Value {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        match self {
            Self::Counter(count) => encoder.encode_counter::<NoLabelSet, _, u64>(count, None),
            Self::Gauge(value) => encoder.encode_gauge(value),
            Self::Histogram(spread) => {
                let unit = float(spread.scale.unit);
                let bounds = spread.scale.bounds.iter().map(|bound| float(*bound) / unit);
                let counts = spread.counts.iter().copied();
                let buckets: Vec<_> = bounds.chain([f64::INFINITY]).zip(counts).collect();
                let count = spread.counts.iter().sum();
                let sum = float(spread.sum) / unit;
                encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
            }
        }
    }

    fn metric_type(&self) -> MetricType {
        match self {
            Self::Counter(_) => MetricType::Counter,
            Self::Gauge(_) => MetricType::Gauge,
            Self::Histogram(_) => MetricType::Histogram,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Labels, Spread};
    use super::*;
    use crate::meters::Scale;

    static SCALE: Scale = Scale {
        bounds: &[500, 2000],
        unit: 1000,
    };

    #[test]
    fn families_are_written_as_prometheus_reads_them() {
        let labels = |name: &str| vec![("name", name.to_owned())];
        let spread = Spread {
            scale: &SCALE,
            counts: vec![3, 2, 1],
            sum: 7500,
        };
        let families = [
            ("jobs", Kind::Counter, labels("a\"\\\nb"), Value::Counter(7)),
            ("slots", Kind::Gauge, Labels::new(), Value::Gauge(64)),
            (
                "run_seconds",
                Kind::Histogram,
                labels("a"),
                Value::Histogram(spread),
            ),
        ];
        let families = families.map(|(name, kind, labels, value)| Family {
            name,
            help: "Help.",
            kind,
            samples: vec![(labels, value)],
        });
        let expected = "\
# HELP jobs Help.
# TYPE jobs counter
jobs_total{name=\"a\\\"\\\\\\nb\"} 7
# HELP slots Help.
# TYPE slots gauge
slots 64
# HELP run_seconds Help.
# TYPE run_seconds histogram
run_seconds_sum{name=\"a\"} 7.5
run_seconds_count{name=\"a\"} 6
run_seconds_bucket{le=\"0.5\",name=\"a\"} 3
run_seconds_bucket{le=\"2.0\",name=\"a\"} 5
run_seconds_bucket{le=\"+Inf\",name=\"a\"} 6
# EOF
";
        assert_eq!(render(families.into()), expected);
    }
}
