//! A job as a line of JSON.

use std::time::Duration;

use jobq::{JobId, Timestamp};
use serde_json::{Map, Value};

use crate::values::{duration, moment, unrounded};

/// What a line says of a job.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) name: Option<String>,
    pub(super) args: Map<String, Value>,
    pub(super) queue: Option<String>,
    pub(super) id: Option<JobId>,
    pub(super) delay: Option<Duration>,
    pub(super) at: Option<Timestamp>,
    pub(super) retries: Option<u32>,
    pub(super) timeout: Option<Duration>,
}

impl Record {
    /// Reads a line. The error says which field is wrong, and what would be right.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let fields: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| format!("no JSON object: {error}"))?;
        unrounded(line)?;
        let mut record = Self::default();
        for (key, value) in fields {
            record
                .set(&key, value)
                .map_err(|wrong| format!("{key}: {wrong}"))?;
        }
        Ok(record)
    }

    fn set(&mut self, key: &str, value: Value) -> Result<(), String> {
        match key {
            "name" => self.name = Some(text(value)?),
            "queue" => self.queue = Some(text(value)?),
            "args" => match value {
                Value::Object(args) => self.args = args,
                _ => return Err("expected an object of arguments by name".to_owned()),
            },
            "id" => {
                let id = text(value)?.parse::<JobId>();
                self.id = Some(id.map_err(|error| error.to_string())?);
            }
            "at" => self.at = Some(moment(&text(value)?)?),
            "delay" => self.delay = Some(duration(&text(value)?)?),
            "timeout" => self.timeout = Some(duration(&text(value)?)?),
            "retries" => {
                let retries = value.as_u64().and_then(|n| u32::try_from(n).ok());
                self.retries = Some(retries.ok_or("expected a whole number up to 4294967295")?);
            }
            _ => {
                return Err(
                    "no such field; expected name, args, queue, id, delay, at, retries or timeout"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err("expected a text".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_job() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let line = format!(
            r#"{{"name":"mail","args":{{"to":"ada","n":[1,null]}},"queue":"q","id":"{id}","delay":"5m","retries":3,"timeout":"10s"}}"#
        );
        let record = Record::parse(&line).unwrap();
        assert_eq!(record.name.as_deref(), Some("mail"));
        assert_eq!(record.args["n"], serde_json::json!([1, null]));
        assert_eq!(record.queue.as_deref(), Some("q"));
        assert_eq!(record.id, id.parse().ok());
        assert_eq!(record.delay, Some(Duration::from_secs(300)));
        assert_eq!(
            (record.retries, record.timeout),
            (Some(3), Some(Duration::from_secs(10)))
        );
        assert_eq!(Record::parse("{}").unwrap(), Record::default());
        assert!(
            Record::parse(r#"{"at":"2026-11-30T20:00:00Z"}"#)
                .unwrap()
                .at
                .is_some()
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, named) in [
            ("", "no JSON object"),
            ("[1]", "no JSON object"),
            ("{\"name\":\"a\"} x", "no JSON object"),
            (r#"{"name":7}"#, "name: expected a text"),
            (
                r#"{"args":{"n":18446744073709551617}}"#,
                "number 18446744073709551617 is beyond",
            ),
            (r#"{"args":[1]}"#, "args: expected an object"),
            (r#"{"args":null}"#, "args: expected an object"),
            (r#"{"arg":{}}"#, "arg: no such field"),
            (r#"{"id":"x"}"#, "id: job id \"x\" is not a UUID"),
            (r#"{"delay":"5"}"#, "delay: expected a number with a unit"),
            (r#"{"delay":5}"#, "delay: expected a text"),
            (r#"{"at":"soon"}"#, "at: "),
            (r#"{"retries":-1}"#, "retries: expected a whole number"),
            (
                r#"{"retries":4294967296}"#,
                "retries: expected a whole number",
            ),
        ] {
            let error = Record::parse(line).unwrap_err();
            assert!(error.starts_with(named), "{line}: {error}");
        }
        let deep = format!("{{\"args\":{}", "[".repeat(100_000));
        assert!(Record::parse(&deep).unwrap_err().contains("recursion"));
    }
}
