//! Charts of what was measured: `jobq-bench chart <results> <folder>` reads the lines that `--json` prints
//! and writes an SVG file for each chart that they have rows for.

mod svg;

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

use self::svg::{Bars, Group, short};

/// A chart of rows of one workload.
struct Chart {
    file: &'static str,
    workload: &'static str,
    title: &'static str,
    unit: &'static str,
    /// The name of each series, and the figure of a row that it shows.
    series: &'static [&'static str],
    figures: &'static [&'static str],
    /// Whether a row is shown.
    shows: fn(&Row) -> bool,
    /// How it is called, and a second line.
    label: fn(&Row) -> (String, String),
}

const CHARTS: &[Chart] = &[
    Chart {
        file: "drain.svg",
        workload: "drain",
        title: "Drain of no-op jobs, next to its limit",
        unit: "jobs a second; longer is better",
        series: &["bare scripts in a loop", "jobq"],
        figures: &["limit_jobs_per_s", "jobs_per_s"],
        shows: Row::is_plain,
        label: |row| {
            let note = format!("{}, {}", row.connections(), row.of_limit());
            (row.concurrency(), note)
        },
    },
    Chart {
        file: "cpu.svg",
        workload: "drain",
        title: "Where the time of a no-op job goes",
        unit: "µs of processor time a job; shorter is better",
        series: &["Redis", "worker"],
        figures: &["redis_us_per_job", "worker_us_per_job"],
        shows: Row::is_plain,
        label: |row| (row.concurrency(), row.connections()),
    },
    Chart {
        file: "payload.svg",
        workload: "payload",
        title: "Drain of larger jobs, next to its limit",
        unit: "jobs a second, concurrency 1,000, by size of a job; longer is better",
        series: &["bare scripts in a loop", "jobq"],
        figures: &["limit_jobs_per_s", "jobs_per_s"],
        shows: |_| true,
        label: |row| (bytes(row.number("payload_bytes")), row.of_limit()),
    },
    Chart {
        file: "append-only.svg",
        workload: "settings",
        title: "What the append-only file costs",
        unit: "speed, of that without it in the same round; longer is better",
        series: &[
            "drain, concurrency 1,000",
            "enqueue, one at a time",
            "enqueue, in bulk",
        ],
        figures: &["drain_to_default", "enqueue_to_default", "bulk_to_default"],
        shows: |row| row.text("setting") == "appendfsync",
        label: |row| {
            let label = match row.text("value") {
                "off" => "appendonly no".to_owned(),
                value => format!("appendfsync {value}"),
            };
            (label, String::new())
        },
    },
    Chart {
        file: "lists.svg",
        workload: "settings",
        title: "What the settings of lists cost and save",
        unit: "of the default in the same round, list-max-listpack-size -2 and list-compress-depth 0",
        series: &["bytes a pending job", "speed of a drain, concurrency 1,000"],
        figures: &["bytes_to_default", "drain_to_default"],
        shows: |row| row.text("setting").starts_with("list-"),
        label: |row| {
            let bytes = short(row.number("pending_bytes").unwrap_or(f64::NAN));
            let setting = row.text("setting").trim_start_matches("list-");
            let label = format!("{setting} {}", row.text("value"));
            (label, format!("{}: {bytes} B", row.text("payload")))
        },
    },
];

/// Writes the charts; answers which.
pub(crate) fn draw(results: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let rows = fs::read_to_string(results)?
        .lines()
        .map(|line| serde_json::from_str(line).map(Row))
        .collect::<Result<Vec<Row>, _>>()?;
    fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    for chart in CHARTS {
        let bars = chart.of(&rows);
        if bars.groups.is_empty() {
            continue;
        }
        let file = folder.join(chart.file);
        fs::write(&file, bars.svg())?;
        written.push(file);
    }
    Ok(written)
}

impl Chart {
    fn of(&self, rows: &[Row]) -> Bars {
        let shown = |row: &&Row| row.text("workload") == self.workload && (self.shows)(row);
        let group = |row: &Row| {
            let (label, note) = (self.label)(row);
            let values = self.figures.iter().map(|figure| row.number(figure));
            Group {
                label,
                note,
                values: values.collect(),
            }
        };
        Bars {
            title: self.title,
            unit: self.unit,
            series: self.series,
            groups: rows.iter().filter(shown).map(group).collect(),
        }
    }
}

/// A line of the results.
struct Row(Value);

impl Row {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.0[name].as_f64()
    }

    /// Whether it is a drain by one process that has one thread and no logs.
    fn is_plain(&self) -> bool {
        let one = |name| self.number(name) == Some(1.0);
        one("processes") && one("threads") && self.0["info_logs"] == false
    }

    fn concurrency(&self) -> String {
        match self.number("concurrency").unwrap_or(f64::NAN) {
            few if few < 1000.0 => format!("concurrency {few}"),
            many => format!("concurrency {}", short(many)),
        }
    }

    fn connections(&self) -> String {
        match self.number("connections").unwrap_or(f64::NAN) {
            1.0 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        }
    }

    fn of_limit(&self) -> String {
        let ratio = self.number("ratio_to_limit").unwrap_or(f64::NAN);
        format!("{} of the limit", short(ratio))
    }
}

fn bytes(number: Option<f64>) -> String {
    match number.unwrap_or_default() {
        many if many >= 1024.0 => format!("{} KiB", many / 1024.0),
        few => format!("{few} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_the_rows_of_its_workload_that_it_shows() {
        let row = |workload: &str, logs: bool| {
            Row(serde_json::json!({
                "workload": workload, "concurrency": 1000, "connections": 1, "processes": 1, "threads": 1,
                "info_logs": logs, "jobs_per_s": 4e5, "limit_jobs_per_s": 5e5, "ratio_to_limit": 0.8,
            }))
        };
        let rows = [row("drain", false), row("drain", true), row("retry", false)];
        let bars = CHARTS[0].of(&rows);
        let [group] = &bars.groups[..] else {
            panic!("one row is a drain without logs: {bars:?}");
        };
        assert_eq!(group.label, "concurrency 1,000");
        assert_eq!(group.note, "1 connection, 0.80 of the limit");
        assert_eq!(group.values, [Some(5e5), Some(4e5)]);
    }

    #[test]
    fn each_figure_has_a_name() {
        for chart in CHARTS {
            assert_eq!(chart.series.len(), chart.figures.len(), "{}", chart.file);
        }
    }
}
