//! Reads what CONFIG GET and SLOWLOG GET answer. What does not fit is left out.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use redis::Value;

use crate::broker::redis::{scripts, value};
use crate::broker::{Settings, SlowCall};
use crate::timestamp::At;

/// The longest name of a command that is kept: anyone may send anything.
const LONGEST_COMMAND: usize = 40;

pub(super) fn read_settings(config: Value) -> Settings {
    let fields = match config {
        Value::Map(fields) => fields,
        _ => Vec::new(),
    };
    let fields = fields
        .iter()
        .filter_map(|(name, value)| Some((value::text(name)?, value::text(value)?)));
    let fields: HashMap<&str, &str> = fields.collect();
    let text = |name: &str| fields.get(name).map(|&value| value.to_owned());
    Settings {
        appendfsync: text("appendfsync"),
        save: text("save"),
        timeout: number(&fields, "timeout"),
        keepalive: number(&fields, "tcp-keepalive"),
        list_node_size: number(&fields, "list-max-listpack-size"),
        list_compress_depth: number(&fields, "list-compress-depth"),
        min_replicas: number(&fields, "min-replicas-to-write"),
    }
}

fn number<T: FromStr>(fields: &HashMap<&str, &str>, name: &str) -> Option<T> {
    fields.get(name)?.parse().ok()
}

/// `now` is the server's time.
pub(super) fn read_slow_calls(log: Value, now: At) -> Vec<SlowCall> {
    let entries = value::list(log, "a log").unwrap_or_default();
    let calls = entries
        .into_iter()
        .filter_map(|entry| slow_call(entry, now));
    calls.collect()
}

/// One entry: number, seconds since the epoch, microseconds, words, and more.
fn slow_call(entry: Value, now: At) -> Option<SlowCall> {
    let fields = value::list(entry, "an entry").ok()?;
    let [_, at, took, Value::Array(words), ..] = &fields[..] else {
        return None;
    };
    let at = At::from_ms(value::number(at)?.saturating_mul(1000));
    Some(SlowCall {
        age: now.since(at),
        took: Duration::from_micros(value::number(took)?),
        command: command(words),
    })
}

/// The step of jobq that was called, or the command. Never an argument: it may hold a job.
fn command(words: &[Value]) -> String {
    let word = |place: usize| words.get(place).and_then(value::text).unwrap_or_default();
    if let Some(step) = scripts::name_of(word(1)) {
        return format!("step {step}");
    }
    word(0).chars().take(LONGEST_COMMAND).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(wire: &str) -> Value {
        redis::parse_redis_value(wire.as_bytes()).unwrap()
    }

    #[test]
    fn settings_are_read_by_their_names() {
        let config = value(
            "%3\r\n$7\r\ntimeout\r\n$2\r\n60\r\n$22\r\nlist-max-listpack-size\r\n\
                            $2\r\n-2\r\n$4\r\nsave\r\n$0\r\n\r\n",
        );
        let expected = Settings {
            save: Some(String::new()),
            timeout: Some(60),
            list_node_size: Some(-2),
            ..Settings::default()
        };
        assert_eq!(read_settings(config), expected);
        assert_eq!(read_settings(Value::Nil), Settings::default());
    }

    #[test]
    fn slow_calls_tell_the_command_and_none_of_its_arguments() {
        let log = value(
            "*3\r\n*4\r\n:2\r\n:10\r\n:2500\r\n*2\r\n$5\r\nLPUSH\r\n$6\r\nsecret\r\n\
                         *4\r\n:1\r\n:9\r\n:10\r\n*0\r\n:7\r\n",
        );
        let call = |command: &str, age, took| SlowCall {
            age: Duration::from_secs(age),
            took: Duration::from_micros(took),
            command: command.to_owned(),
        };
        let expected = [call("LPUSH", 20, 2500), call("", 21, 10)];
        assert_eq!(read_slow_calls(log, At::from_ms(30_000)), expected);
    }

    #[test]
    fn a_step_is_told_by_its_name() {
        let sha = scripts::sha_of("claim").unwrap();
        let words = ["EVALSHA", sha, "8"].map(|word| Value::BulkString(word.into()));
        assert_eq!(command(&words), "step claim");
        let long = Value::BulkString("x".repeat(1000).into());
        assert_eq!(command(&[long]).len(), LONGEST_COMMAND);
    }
}
