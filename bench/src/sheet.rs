//! What was measured, as tables for people or as JSON lines.

use serde_json::{Map, Value};

use crate::statistics::median;

/// A setting and its figures, each as often as it was measured.
#[derive(Debug, Default)]
pub(crate) struct Row {
    settings: Vec<(&'static str, Value)>,
    figures: Vec<(&'static str, Vec<f64>)>,
}

impl Row {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a setting.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    /// Notes a figure of one round.
    pub(crate) fn note(&mut self, name: &'static str, value: f64) {
        match self.figures.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => self.figures.push((name, vec![value])),
        }
    }
}

/// Where rows are printed.
#[derive(Debug)]
pub(crate) struct Sheet {
    json: bool,
    workload: &'static str,
    head: String,
}

impl Sheet {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            workload: "",
            head: String::new(),
        }
    }

    /// Begins the rows of a workload.
    pub(crate) fn begin(&mut self, workload: &'static str, says: &str) {
        self.workload = workload;
        self.head.clear();
        if !self.json {
            println!("\n## {workload}\n\n{says}");
        }
    }

    pub(crate) fn print(&mut self, row: &Row) {
        match self.json {
            true => println!("{}", self.object(row)),
            false => self.line(row),
        }
    }

    fn object(&self, row: &Row) -> Value {
        let mut object = Map::new();
        object.insert("workload".to_owned(), self.workload.into());
        for (name, value) in &row.settings {
            object.insert((*name).to_owned(), value.clone());
        }
        for (name, values) in &row.figures {
            object.insert((*name).to_owned(), rounded(median(values)));
            object.insert(format!("{name}_min"), rounded(least(values)));
            object.insert(format!("{name}_max"), rounded(most(values)));
        }
        let rounds = row.figures.iter().map(|(_, values)| values.len()).max();
        object.insert("rounds".to_owned(), rounds.unwrap_or(0).into());
        object.into()
    }

    fn line(&mut self, row: &Row) {
        let settings = row.settings.iter().map(|(name, _)| *name);
        let figures = row.figures.iter().map(|(name, _)| *name);
        let names: Vec<&str> = settings.chain(figures).collect();
        let head = format!("| {} |", names.join(" | "));
        if head != self.head {
            println!("\n{head}\n|{}", " --- |".repeat(names.len()));
            self.head = head;
        }
        let settings = row.settings.iter().map(|(_, value)| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let figures = row.figures.iter().map(|(_, values)| {
            let [middle, least, most] = [median(values), least(values), most(values)].map(short);
            match values.len() {
                1 => middle,
                _ => format!("{middle} ({least}–{most})"),
            }
        });
        let cells: Vec<String> = settings.chain(figures).collect();
        println!("| {} |", cells.join(" | "));
    }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// To four digits behind the point: more than a measurement holds. `null` if it is no number.
fn rounded(value: f64) -> Value {
    ((value * 1e4).round() / 1e4).into()
}

/// With three digits that count; whole above a thousand.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}
