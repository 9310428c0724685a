//! The configuration file: TOML, a flat table of the flags' names in snake case.
//!
//! Every mistake in it is found, and told with its line. Never what stands there as URL or password,
//! nor a line as a whole.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum as _;
use jobq::runtime::text::{escaped, quoted};
use toml::de::{DeTable, DeValue};

use super::given::Given;
use super::log::Format;
use super::values::{address, count, duration, filter};
use crate::nearest::nearest;

/// The largest file that is read: far more than every setting takes.
const MAX_BYTES: u64 = 64 * 1024;

/// Sets one key from its value; the error says what is expected.
type Set = fn(&mut Given, &DeValue<'_>) -> Result<(), String>;

/// Every key that may stand in a file.
const KEYS: [(&str, Set); 15] = [
    ("url", |given, value| put(&mut given.url, text(value))),
    ("namespace", |given, value| {
        put(&mut given.namespace, text(value))
    }),
    ("username", |given, value| {
        put(&mut given.username, text(value))
    }),
    ("password", |given, value| {
        put(&mut given.password, text(value))
    }),
    ("ca_file", |given, value| {
        put(&mut given.ca_file, text(value).map(Into::into))
    }),
    ("connections", |given, value| {
        put(&mut given.connections, number(value))
    }),
    ("queues", |given, value| put(&mut given.queues, list(value))),
    ("strict", |given, value| {
        put(&mut given.strict, truth(value))
    }),
    ("concurrency", |given, value| {
        put(&mut given.concurrency, number(value))
    }),
    ("shutdown_timeout", |given, value| {
        put(&mut given.shutdown_timeout, time(value))
    }),
    ("lease", |given, value| put(&mut given.lease, time(value))),
    ("renew_every", |given, value| {
        put(&mut given.renew_every, time(value))
    }),
    ("http", |given, value| {
        put(&mut given.http, text(value).and_then(|t| address(&t)))
    }),
    ("log", |given, value| {
        put(&mut given.log, text(value).and_then(|t| filter(&t)))
    }),
    ("log_format", |given, value| {
        put(&mut given.log_format, format(value))
    }),
];

/// Keys whose values no message shows.
const SECRET: [&str; 2] = ["url", "password"];

/// Reads a file. The errors are sentences that name it.
pub(super) fn read(path: &Path) -> Result<Given, Vec<String>> {
    let name = escaped(&path.to_string_lossy(), 200);
    let text = load(path).map_err(|why| vec![format!("configuration file {name}: {why}")])?;
    parse(&name, &text)
}

fn load(path: &Path) -> Result<String, String> {
    let unopened = |error| format!("cannot be opened: {error}");
    let found = fs::metadata(path).map_err(unopened)?;
    // A pipe that nobody writes into would be waited for, for ever.
    if !found.is_file() && !found.is_dir() {
        return Err("is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unopened)?;
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is too large; expected at most {MAX_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = line_of(error.as_bytes(), error.utf8_error().valid_up_to());
        format!("line {line} is not UTF-8")
    })
}

fn parse(name: &str, text: &str) -> Result<Given, Vec<String>> {
    let line = |at: usize| line_of(text.as_bytes(), at);
    let table = DeTable::parse(text).map_err(|error| {
        // Its `Display` would show the line.
        let line = error.span().map_or(1, |span| line(span.start));
        let message = error.message();
        vec![format!("{name}, line {line}: no TOML: {message}")]
    })?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut given = Given::default();
    let mut mistakes = Vec::new();
    for (key, value) in entries {
        let origin = format!("{name}, line {}", line(key.span().start));
        match enter(&mut given, key.get_ref(), value.get_ref()) {
            Ok(key) => given.origins.note(key, origin),
            Err(mistake) => mistakes.push(format!("{origin}: {mistake}")),
        }
    }
    match mistakes.is_empty() {
        true => Ok(given),
        false => Err(mistakes),
    }
}

/// The number of the line that has this byte, from 1.
fn line_of(bytes: &[u8], at: usize) -> usize {
    let before = bytes.iter().take(at);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// Enters one entry of the file; answers its key.
fn enter(given: &mut Given, key: &str, value: &DeValue<'_>) -> Result<&'static str, String> {
    let Some((key, set)) = KEYS.into_iter().find(|(known, _)| *known == key) else {
        return Err(unknown(key));
    };
    set(given, value).map_err(|expected| {
        let shown = match SECRET.contains(&key) {
            true => format!("of type {}", value.type_str()),
            false => shown(value),
        };
        format!("{key} is {shown}; {expected}")
    })?;
    Ok(key)
}

fn unknown(key: &str) -> String {
    let meant =
        nearest(key, KEYS.map(|(known, _)| known)).map(|meant| format!("did you mean `{meant}`? "));
    let known = KEYS.map(|(known, _)| known).join(", ");
    let (key, meant) = (escaped(key, 100), meant.unwrap_or_default());
    format!("unknown key `{key}`; {meant}known: {known}")
}

fn put<T>(place: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    *place = Some(value?);
    Ok(())
}

fn text(value: &DeValue<'_>) -> Result<String, String> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| "expected a text in quotes".to_owned())
}

fn time(value: &DeValue<'_>) -> Result<Duration, String> {
    let text = value.as_str();
    duration(text.ok_or("expected a time in quotes, such as \"10s\"")?)
}

fn truth(value: &DeValue<'_>) -> Result<bool, String> {
    let truth = value.as_bool();
    truth.ok_or_else(|| "expected true or false".to_owned())
}

fn number(value: &DeValue<'_>) -> Result<u32, String> {
    match value.as_integer() {
        Some(number) if number.radix() == 10 => count(number.as_str()),
        _ => Err("expected a whole number such as 8".to_owned()),
    }
}

fn list(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let texts = value.as_array().and_then(|list| {
        let texts = list.iter().map(|text| text.get_ref().as_str());
        texts.map(|text| text.map(str::to_owned)).collect()
    });
    texts.ok_or_else(|| "expected a list of texts such as [\"critical:6\", \"default\"]".to_owned())
}

fn format(value: &DeValue<'_>) -> Result<Format, String> {
    let format = value.as_str().map(|text| Format::from_str(text, false));
    let format = format.and_then(Result::ok);
    format.ok_or_else(|| "expected \"text\" or \"json\"".to_owned())
}

/// A value, short and printable.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => escaped(&number.to_string(), 100),
        DeValue::Float(number) => escaped(&number.to_string(), 100),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Args as _, Command};
    use proptest::collection::vec;
    use proptest::prelude::ProptestConfig;
    use proptest::sample::select;
    use proptest::{prop_assert, proptest};

    use super::*;

    const VALUES: [&str; 16] = [
        "\"10s\"",
        "\"redis://:pa55word@h\"",
        "'pa55word'",
        "8",
        "-1",
        "0x10",
        "1e9",
        "true",
        "\"text\"",
        "[\"a:6\", \"b\"]",
        "[1, []]",
        "{ pa55word = 1 }",
        "1979-05-27T07:32:00Z",
        "\"\"\"\n",
        "nan",
        "\"\\u001b[2J\"",
    ];

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 1_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_file_is_settings_or_mistakes_and_no_secret_is_shown(
            lines in vec((select(KEYS.map(|(key, _)| key).to_vec()), select(&VALUES), "\\PC{0,3}"), 0..6),
        ) {
            let lines = lines.iter().map(|(key, value, odd)| format!("{odd}{key} = {value}\n"));
            let text: String = lines.collect();
            for mistake in parse("jobq.toml", &text).err().unwrap_or_default() {
                let secret = ["url", "password"].iter().any(|key| mistake.contains(&format!(": {key} is")));
                prop_assert!(!(secret && mistake.contains("pa55word")), "{mistake}");
                prop_assert!(!mistake.chars().any(char::is_control), "{mistake:?}");
                prop_assert!(mistake.chars().count() < 600, "{mistake}");
            }
        }
    }

    #[test]
    fn the_keys_are_the_flags_and_the_password() {
        let command = Given::augment_args(Command::new("test"));
        let flags = command.get_arguments().map(|flag| flag.get_id().as_str());
        let expected: BTreeSet<_> = flags.chain(["password"]).collect();
        let keys: BTreeSet<_> = KEYS.into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_misspelt_key_finds_the_one_that_was_meant() {
        for (key, meant) in [
            ("concurency", Some("concurrency")),
            ("queue", Some("queues")),
            ("shutdown-timeout", Some("shutdown_timeout")),
            ("pasword", Some("password")),
            ("user", Some("username")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(key, KEYS.map(|(known, _)| known)), meant, "{key}");
        }
    }
}
