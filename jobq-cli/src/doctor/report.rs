//! Findings as they are printed.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::facts::Store;
use super::finding::{Finding, Level};
use super::fix::Fixed;
use crate::failure::Failure;
use crate::output::{Cell, Output, printable};

/// A whole report.
pub(crate) struct Report<'a> {
    /// Of the broker, without a secret.
    pub(crate) broker: &'a str,
    pub(crate) store: &'a Store,
    pub(crate) findings: &'a [Finding],
    pub(crate) fixed: &'a [Fixed],
}

impl Report<'_> {
    /// The worst of all.
    pub(crate) fn worst(&self) -> Level {
        let levels = self.findings.iter().map(|finding| finding.level);
        levels.max().unwrap_or(Level::Ok)
    }

    pub(crate) fn print(&self, out: Output) -> Result<(), Failure> {
        if out.is_json() {
            return out.document(&self.document());
        }
        let text = match out.is_terminal() {
            true => self.shown(out),
            false => self.plain(),
        };
        out.tell(&text)
    }

    /// How commands are sent to the server by hand. It asks for the password, which is not known
    /// here; who has logged in by name may be none that may do more than ask.
    fn redis_cli(&self) -> String {
        // Without the namespace.
        let url = self.broker.split('?').next().unwrap_or_default();
        let server = &self.store.server;
        let login = match (&server.user[..], server.has_password) {
            ("default" | "", false) => "",
            ("default" | "", true) => " --askpass",
            _ => " --user ADMIN --askpass",
        };
        format!("redis-cli -u {url}{login}")
    }

    fn cure(&self, finding: &Finding) -> Option<String> {
        let cure = finding.cure.as_ref()?;
        Some(printable(&cure.to_type(&self.redis_cli())))
    }

    /// For people: what is wrong has its reason and its cure below it.
    fn shown(&self, out: Output) -> String {
        let width = |text: fn(&Finding) -> usize| self.findings.iter().map(text).max().unwrap_or(0);
        let levels = width(|finding| finding.level.as_str().len());
        let subjects = width(|finding| subject(finding).len());
        let indent = levels + subjects + 4;
        let mut text = String::new();
        for finding in self.findings {
            let level = out.painted(&level(finding.level), levels);
            let (subject, seen) = (subject(finding), printable(&finding.seen));
            let _ = writeln!(text, "{level}  {subject:subjects$}  {seen}");
            if finding.level != Level::Ok {
                let _ = writeln!(text, "{:indent$}why:  {}", "", finding.why);
                if let Some(cure) = self.cure(finding) {
                    let _ = writeln!(text, "{:indent$}cure: {cure}", "");
                }
            }
        }
        for fixed in self.fixed {
            let _ = writeln!(text, "{}", line(fixed));
        }
        text
    }

    /// For programs: level, finding, queue, what was seen, why it matters, cure.
    fn plain(&self) -> String {
        let mut text = String::new();
        for finding in self.findings {
            let queue = finding.queue.as_deref().unwrap_or_default();
            let cure = self.cure(finding).unwrap_or_default();
            let (level, seen) = (finding.level.as_str(), printable(&finding.seen));
            let (id, why) = (finding.id, finding.why);
            let _ = writeln!(text, "{level}\t{id}\t{queue}\t{seen}\t{why}\t{cure}");
        }
        for fixed in self.fixed {
            let queue = fixed.queue.as_deref().unwrap_or_default();
            let said = printable(&fixed.said);
            let _ = writeln!(text, "{}\t{}\t{queue}\t{said}\t\t", word(fixed), fixed.id);
        }
        text
    }

    fn document(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "id": finding.id,
                "queue": finding.queue,
                "level": finding.level.as_str(),
                "seen": printable(&finding.seen),
                "why": finding.why,
                "cure": self.cure(finding),
                "can_be_fixed": finding.fix.is_some(),
            })
        });
        let fixed = self.fixed.iter().map(|fixed| {
            json!({
                "id": fixed.id,
                "queue": fixed.queue,
                "done": fixed.done,
                "said": printable(&fixed.said),
            })
        });
        json!({
            "broker": self.broker,
            "level": self.worst().as_str(),
            "findings": findings.collect::<Vec<_>>(),
            "fixed": fixed.collect::<Vec<_>>(),
            "queues": self.queues(),
        })
    }

    /// The keys, with types and sizes.
    fn queues(&self) -> Vec<Value> {
        let queues = self.store.queues.iter().map(|queue| {
            let facts = queue.facts.as_ref().ok();
            let keys = facts.iter().flat_map(|facts| &facts.keys);
            let keys = keys.map(|key| {
                json!({
                    "key": printable(&key.key),
                    "type": printable(&key.found),
                    "expected": key.expected,
                    "length": key.length,
                    "bytes": key.bytes,
                    "encoding": key.encoding.as_deref().map(printable),
                })
            });
            json!({
                "queue": queue.name.as_str(),
                "workers": queue.living,
                "keys": keys.collect::<Vec<_>>(),
            })
        });
        queues.collect()
    }
}

/// What was looked at: the word, and the queue.
fn subject(finding: &Finding) -> String {
    match &finding.queue {
        Some(queue) => format!("{} {queue}", finding.id),
        None => finding.id.to_owned(),
    }
}

fn level(level: Level) -> Cell {
    let cell = Cell::word(level.as_str());
    match level {
        Level::Ok => cell.good(),
        Level::Unknown | Level::Warning => cell.doubtful(),
        Level::Error => cell.bad(),
    }
}

fn word(fixed: &Fixed) -> &'static str {
    if fixed.done { "fixed" } else { "not fixed" }
}

fn line(fixed: &Fixed) -> String {
    let queue = fixed
        .queue
        .as_deref()
        .map_or(String::new(), |queue| format!(" {queue}"));
    format!(
        "{}: {}{queue}: {}",
        word(fixed),
        fixed.id,
        printable(&fixed.said)
    )
}
