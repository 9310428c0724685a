//! The alert rules and the dashboard: sound, and about what a worker really shows.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations");
const RULES: &str = include_str!("../../docs/operations/alerts.yml");
const DASHBOARD: &str = include_str!("../../docs/operations/grafana.json");
const PAGE: &str = include_str!("../../docs/operations/monitoring.md");

#[jobq::job(name = "monitoring.job", queue = "default")]
async fn job() {}

/// Runs promtool on files of the folder.
fn promtool(words: &[&str]) {
    let mut promtool = Command::new("promtool");
    let output = promtool.args(words).current_dir(FOLDER).output();
    let output = output.expect("promtool, of Debian's package `prometheus`, is installed");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{words:?}: {said}");
}

#[test]
fn prometheus_takes_the_alert_rules() {
    promtool(&["check", "rules", "alerts.yml"]);
}

#[test]
fn the_alerts_fire_for_what_they_are_for_and_for_nothing_else() {
    promtool(&["test", "rules", "alerts_test.yml"]);
}

#[test]
fn every_alert_is_tried_out_and_told_of() {
    let tests = include_str!("../../docs/operations/alerts_test.yml");
    let alerts: Vec<_> = RULES
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(!alerts.is_empty());
    for alert in alerts {
        assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert}");
        assert!(PAGE.contains(&format!("`{alert}`")), "{alert}");
    }
}

/// Names like `jobq_slots` that stand in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !in_name(c));
    words.filter(|word| word.starts_with("jobq_")).collect()
}

/// The names of all samples that a worker can show.
async fn shown() -> BTreeSet<String> {
    let client = jobq::connect("memory://").await.unwrap();
    let worker = jobq_worker::Worker::builder(client)
        .build()
        .unwrap()
        .spawn();
    let text = worker.prometheus();
    worker.shutdown().await;
    let families = text.lines().filter_map(|line| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        let ends: &[&str] = match kind {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_sum", "_count"],
            other => panic!("{other}"),
        };
        Some(ends.iter().map(move |end| format!("{name}{end}")))
    });
    families.flatten().collect()
}

#[tokio::test]
async fn rules_dashboard_and_page_speak_of_what_a_worker_shows() {
    let shown = shown().await;
    for text in [RULES, DASHBOARD] {
        let unknown: Vec<_> = names(text)
            .into_iter()
            .filter(|name| !shown.contains(*name))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?} of {shown:?}");
    }
    let stem = |name: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        let histogram = ends.iter().find_map(|end| name.strip_suffix(end));
        histogram.unwrap_or(name).to_owned()
    };
    let shown: BTreeSet<_> = shown.iter().map(|name| stem(name)).collect();
    let told = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `jobq_"));
    let told: BTreeSet<_> = told
        .filter_map(|row| row.split_once(['`', '{']))
        .map(|(name, _)| format!("jobq_{name}"))
        .collect();
    assert_eq!(told, shown, "the table of the page has each, once");
}

#[test]
fn the_dashboard_is_whole() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        let place = &panel["gridPos"];
        let (x, y) = (place["x"].as_u64().unwrap(), place["y"].as_u64().unwrap());
        assert!(
            places.insert((x, y)) && x + place["w"].as_u64().unwrap() <= 24,
            "{title}"
        );
        if panel["type"] != "row" {
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty(), "{title}");
            for target in targets {
                let query = target["expr"].as_str().unwrap();
                assert!(!names(query).is_empty(), "{title}: {query}");
            }
        }
    }
}

/// Prometheus itself reads the queries, with values in place of what Grafana puts in.
#[test]
fn the_queries_of_the_dashboard_can_be_read() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let queries = targets.map(|target| target["expr"].as_str().unwrap());
    let rules = queries.enumerate().map(|(place, query)| {
        let query = query.replace("$__rate_interval", "5m").replace('$', "");
        let query = serde_json::to_string(&query).unwrap();
        format!("      - record: jobq:query:{place}\n        expr: {query}\n")
    });
    let rules: String = rules.collect();
    let folder = support::Folder::new();
    let file = folder.write(
        "rules.yml",
        format!("groups:\n  - name: x\n    rules:\n{rules}"),
    );
    promtool(&["check", "rules", file.to_str().unwrap()]);
}
